"""Addresses and folders of one Airflow installation: connections first, the documented environment variables second.

Variable `loadtest_stop`: the switch that stops all load, and lets none begin.
Connection ids: `loadtest_target`, `loadtest_target_db`, `loadtest_target_redis`, `loadtest_target_monitor`,
`loadtest_llm` (with `__NAME` for another target than the default one), `loadtest_history`, `loadtest_prometheus`. A
PostgreSQL connection whose host begins with "/" is a socket directory.
"""

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from airflow.sdk import Connection, Variable
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from include.loadtest.errors import ConfigError, LoadTestError
from include.loadtest.publishing import (
    DEFAULT_TARGET_VARIABLE,
    GITHUB_CONNECTION,
    HISTORY_VARIABLE,
    RESULTS_FOLDER,
    RESULTS_VARIABLE,
    SLACK_CONNECTION,
)
from include.loadtest.runners.generator import LOOPBACK
from include.loadtest.target.settings import (
    DEFAULT_TARGET,
    ENVIRONMENT_VARIABLES,
    PROMETHEUS_CONNECTION,
    Part,
    Target,
    TargetFile,
    connection_id,
    load_target_file,
)

if TYPE_CHECKING:
    from include.loadtest.publishing.github import GitHubSettings
    from include.loadtest.publishing.services import Services
    from include.loadtest.publishing.slack import SlackSettings

_Settings = TypeVar("_Settings")
ROOT = Path(__file__).parents[3]
HISTORY_CONNECTION = "loadtest_history"
OPTIONAL_CONNECTIONS = {
    SLACK_CONNECTION: "Slack messages",
    GITHUB_CONNECTION: "GitHub issues, pull requests and Pages",
    PROMETHEUS_CONNECTION: "Prometheus readings",
}
AIRFLOWS_ADDRESS = "http://localhost:8080"
"""Where Airflow is found by itself, if its option `[api] base_url` is not set."""
INSTALLATION_VARIABLE = "LOADTEST_INSTALLATION"
ANSWER_VARIABLE = "LOADTEST_ANSWER_WITHIN_S"
MASTER_HOST_VARIABLE = "LOADTEST_MASTER_HOST"
ANSWER_WITHIN_S = 24 * 3600.0
STOP_VARIABLE = "loadtest_stop"
STOP_OFF = frozenset({"", "0", "false", "off", "no", "none", "null"})
STOP_ASKED_EVERY_S = 1.0
_SCHEMES: dict[Part, str] = {
    "base_url": "http",
    "database": "postgresql",
    "redis": "redis",
    "monitor": "postgresql",
    "llm": "http",
}


def default_target() -> str:
    """The target of a run that names none."""
    return os.environ.get(DEFAULT_TARGET_VARIABLE) or DEFAULT_TARGET


def installation() -> str:
    """What tells this Airflow installation from another that shares the history: its address, or the name it is given.

    Both may have a DAG run of the same name, as each names its scheduled runs after their time.
    """
    return os.environ.get(INSTALLATION_VARIABLE) or _address_of_its_own() or _unnamed()


def owner_name(dag_id: str, dag_run_id: str) -> str:
    """A DAG run of this installation as it stands in a target's lock, and in the hash of its runs' ids."""
    return f"{dag_id}/{dag_run_id} at {installation()}"


def _address_of_its_own() -> str | None:
    address = conf.get("api", "base_url", fallback=None)
    return str(address).rstrip("/") if address else None


def _unnamed() -> str:
    """A name from the key that all of an installation's processes share, and no other installation has."""
    key = str(conf.get("core", "fernet_key", fallback=""))
    return f"unnamed-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else AIRFLOWS_ADDRESS


def airflow_url() -> str:
    """Where Airflow's pages are, without a slash at the end."""
    return _address_of_its_own() or AIRFLOWS_ADDRESS


def answer_within() -> float:
    """Seconds that a question to a person stays open."""
    return float(os.environ.get(ANSWER_VARIABLE) or ANSWER_WITHIN_S)


def results_uri() -> str:
    """Where bundles are kept: any fsspec URI."""
    return os.environ.get(RESULTS_VARIABLE) or str(ROOT / RESULTS_FOLDER)


def work_root() -> Path:
    """This user's private folder for a run's tokens; never in the results."""
    return Path(tempfile.gettempdir()) / f"loadtest-{os.getuid()}"


def master_host() -> str:
    """Under which name or address the generators of a load reach this machine."""
    return os.environ.get(MASTER_HOST_VARIABLE) or LOOPBACK


def load_target(name: str) -> Target:
    """A target with its addresses. Raises ConfigError: unknown name, no address, address not allowed."""
    file = load_target_file(name)
    base_url = _address(file, "base_url")
    if base_url is None:
        raise ConfigError(f"target {name}: no address; set {file.where_to_set('base_url')}")
    database, redis, monitor = (_address(file, part) for part in ("database", "redis", "monitor"))
    prometheus = connection_url(PROMETHEUS_CONNECTION, "http")
    return Target.checked(
        file,
        base_url,
        database,
        redis,
        monitor_url=monitor,
        llm_metrics_url=_address(file, "llm"),
        prometheus_url=prometheus,
    )


def is_configured(name: str) -> bool:
    """Whether a committed target has an address here, right or wrong. Raises ConfigError as `load_target_file` does."""
    return _address(load_target_file(name), "base_url") is not None


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


def not_configured(target_name: str) -> tuple[str, ...]:
    """Optional services of a run against a target without a connection, with what is missing for it."""
    of_target = {} if _has_llm_variable(target_name) else {connection_id(target_name, "llm"): "LLM readings"}
    services = OPTIONAL_CONNECTIONS | of_target
    return tuple(f"{service} (connection {name})" for name, service in services.items() if _connection(name) is None)


def _has_llm_variable(target_name: str) -> bool:
    return target_name == DEFAULT_TARGET and bool(os.environ.get(ENVIRONMENT_VARIABLES["llm"]))


def slack_settings() -> "SlackSettings | None":
    """Where messages go; None where no connection is set. Raises ConfigError for one that cannot work."""
    from include.loadtest.publishing.slack import settings_from  # slack-sdk: not when DAG files are parsed

    connection = _connection(SLACK_CONNECTION)
    if connection is None:
        return None
    return settings_from(connection.password, connection.host, connection.extra_dejson)


def github_settings() -> "GitHubSettings | None":
    """Where issues, comments and pages go; None where no connection is set. Raises ConfigError for a wrong one."""
    from include.loadtest.publishing.github import settings_from  # PyGithub: not when DAG files are parsed

    connection = _connection(GITHUB_CONNECTION)
    if connection is None:
        return None
    return settings_from(connection.password, connection.host, connection.extra_dejson)


def services() -> "Services":
    """Slack and GitHub as they are set up; a connection that cannot work is there, with what is wrong with it."""
    from include.loadtest.publishing.services import Services

    return Services(_set_up(slack_settings), _set_up(github_settings))


def _set_up(settings: Callable[[], _Settings | None]) -> "_Settings | ConfigError | None":
    try:
        return settings()
    except ConfigError as error:
        return error
    except LoadTestError:
        raise
    except Exception as error:  # noqa: BLE001 - Airflow's client raises many kinds; what is to be told waits then
        return ConfigError(f"Airflow cannot say what is set up ({type(error).__name__})")


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


class StopSwitch:
    """The operator's switch, an Airflow variable: off where it does not exist, on for anything but a word for no.

    It is asked at most once a second, also from several threads. While Airflow's API is slow or down, an answer takes
    up to minutes, in which Airflow's client tries again; then it raises what that raises.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at, self._on = -STOP_ASKED_EVERY_S, False

    def __call__(self) -> bool:
        """Whether all load has to stop now."""
        with self._lock:
            if not self._on and time.monotonic() - self._asked_at >= STOP_ASKED_EVERY_S:
                self._on = is_stop(Variable.get(STOP_VARIABLE, default=""))
                self._asked_at = time.monotonic()
            return self._on


def is_stop(value: object) -> bool:
    """Whether a value of the variable means stop."""
    return str(value).strip().lower() not in STOP_OFF
