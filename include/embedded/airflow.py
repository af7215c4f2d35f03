"""How Airflow is set up in the embedded environment: by environment variables only, no file is edited.

Connections are handed over as JSON, which can name a socket's directory, as a URI cannot:
`{"conn_type", "host", "port", "login", "password", "schema"}`. For PostgreSQL `schema` is the database, and a `host`
that starts with "/" is the directory of its socket: `postgresql://login:password@/schema?host=<directory>`.

- `loadtest_history`: database of the load tests' history
- `loadtest_target__demo`, `loadtest_target_db__demo`, `loadtest_target_redis__demo`, `loadtest_target_monitor__demo`,
  `loadtest_llm__demo`: the demo target; absent when the target is the one that LOAD_TEST_BASE_URL names, whose
  settings the tasks read from their environment themselves
"""

import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from include.embedded.client import AirflowClient
from include.embedded.postgres import PostgresServer
from include.embedded.processes import MARKER
from include.embedded.state import EnvironmentState, Layout, write_private

USER = "admin"
METADATA_DATABASE = "airflow"
HISTORY_DATABASE = "loadtest_history"
TARGET_URL_VARIABLE = "LOAD_TEST_BASE_URL"
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    # Its log server would listen on all addresses; the API server reads the same files itself.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "api-server": ("api-server",),
}
# Inputs of the make targets, and make's own flags: of no concern to Airflow.
_NOT_INHERITED = ("PROFILE", "SUITE", "USERS", "DURATION_S", "ENGINE", "TARGET", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")


def airflow_command(*arguments: str) -> list[str]:
    """Command line of Airflow's own program in this Python."""
    return [sys.executable, "-m", "airflow", *arguments]


def base_environment(layout: Layout, state: EnvironmentState, inherited: Mapping[str, str]) -> dict[str, str]:
    """Environment of every process: marked, without settings of another Airflow, its own commands found first."""
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in _NOT_INHERITED and not name.startswith(("AIRFLOW__", "AIRFLOW_HOME", "AIRFLOW_CONFIG"))
    }
    no_proxy = [part for part in (kept.get("NO_PROXY"), "127.0.0.1", "localhost") if part]
    return kept | {
        MARKER: state.environment_id,
        "SPT_NOENV": "1",  # Airflow renames its processes, which would overwrite the marker
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "PYTHONPATH": str(layout.checkout),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": ",".join(no_proxy),
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "SCARF_ANALYTICS": "false",
        "MPLCONFIGDIR": str(layout.root / "matplotlib"),  # else in the user's home
    }


def airflow_environment(
    layout: Layout, state: EnvironmentState, postgres: PostgresServer, inherited: Mapping[str, str]
) -> dict[str, str]:
    """Environment of Airflow's processes."""
    return base_environment(layout, state, inherited) | {
        "AIRFLOW_HOME": str(layout.airflow_home),
        "LOADTEST_DEFAULT_TARGET": state.default_target,
        "LOADTEST_RESULTS_URI": results_uri(layout, inherited),
        "AIRFLOW_CONN_LOADTEST_HISTORY": connection_json(postgres.url(HISTORY_DATABASE)),
        **{f"AIRFLOW__{name}": value for name, value in _settings(layout, state, postgres).items()},
    }


def results_uri(layout: Layout, inherited: Mapping[str, str]) -> str:
    """Where bundles are kept."""
    return inherited.get("LOADTEST_RESULTS_URI") or str(layout.checkout / "load_test_results")


def _settings(layout: Layout, state: EnvironmentState, postgres: PostgresServer) -> dict[str, str]:
    """Airflow's options as SECTION__OPTION."""
    metadata = postgres.url(METADATA_DATABASE).partition("://")[2]
    keys = _keys(layout)
    return {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__DAGS_FOLDER": str(layout.checkout / "dags"),
        "CORE__PLUGINS_FOLDER": str(layout.checkout / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        # A scheduled DAG that was never paused would start the run of its last slot at once.
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(layout.passwords_file),
        "CORE__EXECUTION_API_SERVER_URL": f"{state.url}/execution/",
        "CORE__FERNET_KEY": keys["fernet_key"],
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{metadata}",
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{metadata}",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(state.port),
        "API__BASE_URL": state.url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": keys["secret_key"],
        "API_AUTH__JWT_SECRET": keys["jwt_secret"],
        "LOGGING__BASE_LOG_FOLDER": str(layout.logs / "tasks"),
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        # A killed task is noticed after half a minute instead of five.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        # Tasks follow each other sooner. It also narrows a race of Airflow's: a question that is answered before the
        # scheduler has looked once more fails. The scheduler then takes 4 % of a core where it is idle, not 2 %.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        # A DAG file that has changed is read at once; unchanged ones again and again would cost 15 % of a core, beside
        # a load. So long it takes until a new profile or suite stands in the forms.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
    }


def demo_target_connections(ready: Mapping[str, Any]) -> dict[str, str]:
    """Connections of the demo target, from what it wrote to its `ready.json`, and `monitor_url`."""
    urls = {
        "TARGET": "base_url",
        "TARGET_DB": "database_url",
        "TARGET_REDIS": "redis_url",
        "TARGET_MONITOR": "monitor_url",
        "LLM": "llm_url",
    }
    return {f"AIRFLOW_CONN_LOADTEST_{part}__DEMO": connection_json(str(ready[key])) for part, key in urls.items()}


def connection_json(url: str) -> str:
    """An Airflow connection as JSON, from a URL whose host may be a socket's directory (`?host=/…`)."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    port = parts.port or int(query.get("port", ["0"])[0]) or None
    fields = {
        "conn_type": parts.scheme.partition("+")[0],
        "host": parts.hostname or query.get("host", [""])[0],
        "port": port,
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "schema": parts.path.strip("/"),
    }
    return json.dumps({name: value for name, value in fields.items() if value})


def admin_password(layout: Layout) -> str:
    """Password of the user `admin`, made at first use and kept in a private file."""
    if not layout.passwords_file.exists():
        write_private(layout.passwords_file, json.dumps({USER: secrets.token_urlsafe(18)}))
    return str(json.loads(layout.passwords_file.read_text())[USER])


def client_of(layout: Layout, state: EnvironmentState, is_alive: Callable[[], bool] = lambda: True) -> AirflowClient:
    """Client of the environment's Airflow."""
    return AirflowClient(state.url, USER, admin_password(layout), is_alive=is_alive)


def _keys(layout: Layout) -> dict[str, str]:
    """Keys that Airflow's processes share, made at first use and kept in a private file."""
    if not layout.secrets_file.exists():
        from cryptography.fernet import Fernet

        made = {"fernet_key": Fernet.generate_key().decode(), "secret_key": secrets.token_hex(32)}
        write_private(layout.secrets_file, json.dumps(made | {"jwt_secret": secrets.token_hex(64)}))
    keys: dict[str, str] = json.loads(layout.secrets_file.read_text())
    return keys
