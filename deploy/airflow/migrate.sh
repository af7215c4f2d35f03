#!/bin/bash
# Brings Airflow's tables, the users and the history's tables to this version. It may be run again at any time.
set -euo pipefail

airflow db migrate
python /opt/loadtest/deploy/airflow/users.py
python - <<'PYTHON'
import os
from include.loadtest.history.store import upgrade

upgrade(os.environ["LOADTEST_HISTORY_URL"])
print("the history's tables are of this version")
PYTHON
