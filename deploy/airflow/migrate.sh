#!/bin/bash
# Brings Airflow's tables, the users and the history's tables to this version. It may be run again at any time.
set -euo pipefail

for name in AIRFLOW_DB_PASSWORD HISTORY_DB_PASSWORD REDIS_PASSWORD DEMO_PASSWORD; do
    if [[ ! ${!name:-} =~ ^[A-Za-z0-9]+$ ]]; then
        echo "$name: letters and digits only, since it stands in addresses. Set another one in .env; if the service" \
            "has started with this one, see \"Renewing one\" in docs/deployment.md." >&2
        exit 1
    fi
done

airflow db migrate
python /opt/loadtest/deploy/airflow/users.py
python - <<'PYTHON'
import os
from include.loadtest.history.store import upgrade

upgrade(os.environ["LOADTEST_HISTORY_URL"])
print("the history's tables are of this version")
PYTHON
