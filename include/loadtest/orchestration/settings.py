"""Addresses and folders of one Airflow installation: connections first, the documented environment variables second.

Connection ids: `loadtest_target`, `loadtest_target_db`, `loadtest_target_redis` (with `__NAME` for another target than
the default one), `loadtest_history`. A PostgreSQL connection whose host begins with "/" is a socket directory.
"""

import os
import tempfile
from pathlib import Path
from urllib.parse import quote

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from include.loadtest.errors import ConfigError
from include.loadtest.target.settings import (
    DEFAULT_TARGET,
    ENVIRONMENT_VARIABLES,
    Part,
    Target,
    TargetFile,
    load_target_file,
)

ROOT = Path(__file__).parents[3]
HISTORY_CONNECTION = "loadtest_history"
HISTORY_VARIABLE = "LOADTEST_HISTORY_URL"
RESULTS_VARIABLE = "LOADTEST_RESULTS_URI"
DEFAULT_TARGET_VARIABLE = "LOADTEST_DEFAULT_TARGET"
OPTIONAL_CONNECTIONS = {
    "loadtest_slack": "Slack messages",
    "loadtest_github": "GitHub tickets",
    "loadtest_prometheus": "Prometheus readings",
}
_SCHEMES: dict[Part, str] = {"base_url": "http", "database": "postgresql", "redis": "redis"}


def default_target() -> str:
    """The target of a run that names none."""
    return os.environ.get(DEFAULT_TARGET_VARIABLE) or DEFAULT_TARGET


def results_uri() -> str:
    """Where bundles are kept: any fsspec URI."""
    return os.environ.get(RESULTS_VARIABLE) or str(ROOT / "load_test_results")


def work_root() -> Path:
    """This user's private folder for a run's tokens; never in the results."""
    return Path(tempfile.gettempdir()) / f"loadtest-{os.getuid()}"


def load_target(name: str) -> Target:
    """A target with its addresses. Raises ConfigError: unknown name, no address, address not allowed."""
    file = load_target_file(name)
    base_url = _address(file, "base_url")
    if base_url is None:
        raise ConfigError(f"target {name}: no address; set {file.where_to_set('base_url')}")
    return Target.checked(file, base_url, _address(file, "database"), _address(file, "redis"))


def _address(file: TargetFile, part: Part) -> str | None:
    url = connection_url(file.connection_id(part), _SCHEMES[part])
    if url is None and file.name == DEFAULT_TARGET:
        return os.environ.get(ENVIRONMENT_VARIABLES[part]) or None
    return url


def history_url() -> str:
    """The history database. Raises ConfigError where none is set."""
    url = connection_url(HISTORY_CONNECTION, "postgresql") or os.environ.get(HISTORY_VARIABLE)
    if not url:
        raise ConfigError(f"no history database; set connection {HISTORY_CONNECTION} or variable {HISTORY_VARIABLE}")
    return url


def not_configured() -> tuple[str, ...]:
    """Optional services without a connection, with what is missing for it."""
    return tuple(
        f"{service} (connection {name})" for name, service in OPTIONAL_CONNECTIONS.items() if _connection(name) is None
    )


def connection_url(name: str, scheme: str) -> str | None:
    """An Airflow connection as a URL; None where there is none."""
    connection = _connection(name)
    return None if connection is None else as_url(connection, scheme)


def _connection(name: str) -> Connection | None:
    try:
        connection: Connection = Connection.get(name)
    except (AirflowNotFoundException, AirflowRuntimeError):
        return None
    return connection


def as_url(connection: Connection, scheme: str) -> str:
    """The URL of a connection's fields; a whole URL in its host field is taken as it is."""
    host = connection.host or ""
    if "://" in host:
        return host
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    user = f"{quote(connection.login or '', safe='')}{password}@" if connection.login or password else ""
    port = f":{connection.port}" if connection.port else ""
    if host.startswith("/"):
        return f"{scheme}://{user}/{connection.schema or ''}?host={quote(host, safe='/')}"
    if scheme == "http":
        return f"{connection.schema or 'http'}://{user}{host}{port}"
    return f"{scheme}://{user}{host}{port}/{connection.schema or ''}"
