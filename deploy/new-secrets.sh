#!/bin/sh
# Prints a new value for each secret that docker-compose.yaml wants: (umask 077 && deploy/new-secrets.sh > .env), once.
# Passwords of databases are set when their volumes are made: to change one later see docs/deployment.md.
set -eu

for name in POSTGRES_PASSWORD AIRFLOW_DB_PASSWORD HISTORY_DB_PASSWORD REDIS_PASSWORD DEMO_PASSWORD; do
    echo "$name=$(openssl rand -hex 24)"
done
echo "AIRFLOW_FERNET_KEY=$(openssl rand -base64 32 | tr '+/' '-_')"
echo "AIRFLOW_JWT_SECRET=$(openssl rand -hex 64)"
echo "AIRFLOW_API_SECRET_KEY=$(openssl rand -hex 32)"
for name in LOADTEST_VIEWER_PASSWORD LOADTEST_OPERATOR_PASSWORD LOADTEST_ADMIN_PASSWORD GRAFANA_ADMIN_PASSWORD; do
    echo "$name=$(openssl rand -hex 12)"
done
