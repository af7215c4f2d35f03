#!/bin/bash
# Runs once, when the volume is empty: a role and a database of its own for Airflow's metadata and for the history.
# Neither role may open the other's database. psql reads the passwords itself: they stand in no argument.
set -euo pipefail

psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv history_password HISTORY_DB_PASSWORD
CREATE ROLE airflow LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'airflow_password';
CREATE ROLE loadtest_history LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'history_password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE loadtest_history OWNER loadtest_history;
REVOKE ALL ON DATABASE airflow, loadtest_history, postgres FROM PUBLIC;
SQL
