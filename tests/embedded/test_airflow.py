import json
import stat
from pathlib import Path

import pytest

from include.embedded.airflow import (
    admin_password,
    airflow_environment,
    base_environment,
    connection_json,
    demo_target_connections,
)
from include.embedded.postgres import PostgresServer
from include.embedded.state import EnvironmentState, Layout

pytestmark = pytest.mark.unit
STATE = EnvironmentState(environment_id="e1", port=8123, default_target="demo")


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        (
            "postgresql://postgres@/demo?host=/tmp/pg",
            {"conn_type": "postgresql", "host": "/tmp/pg", "login": "postgres", "schema": "demo"},
        ),
        (
            "postgresql://u%40x:p%2Fw@127.0.0.1:5433/db",
            {
                "conn_type": "postgresql",
                "host": "127.0.0.1",
                "port": 5433,
                "login": "u@x",
                "password": "p/w",
                "schema": "db",
            },
        ),
        ("redis://127.0.0.1:6390/0", {"conn_type": "redis", "host": "127.0.0.1", "port": 6390, "schema": "0"}),
        ("http://127.0.0.1:8001", {"conn_type": "http", "host": "127.0.0.1", "port": 8001}),
    ],
)
def test_a_connection_has_the_parts_of_its_url(url: str, fields: dict[str, object]) -> None:
    """Names, ports, decoded passwords and a socket's directory arrive in the connection's own fields."""
    assert json.loads(connection_json(url)) == fields


def test_the_demo_target_has_its_own_connections() -> None:
    """Each address that the demo target announces becomes a connection of the target named demo."""
    ready = {
        "base_url": "http://127.0.0.1:1",
        "database_url": "postgresql://p@/d?host=/s",
        "redis_url": "redis://127.0.0.1:2/0",
        "monitor_url": "postgresql://m@/d?host=/s",
        "llm_url": "http://127.0.0.1:3",
    }
    found = demo_target_connections(ready)
    assert sorted(found) == [
        "AIRFLOW_CONN_LOADTEST_LLM__DEMO",
        "AIRFLOW_CONN_LOADTEST_TARGET_DB__DEMO",
        "AIRFLOW_CONN_LOADTEST_TARGET_MONITOR__DEMO",
        "AIRFLOW_CONN_LOADTEST_TARGET_REDIS__DEMO",
        "AIRFLOW_CONN_LOADTEST_TARGET__DEMO",
    ]


def test_no_setting_of_another_airflow_and_no_input_of_make_gets_through(tmp_path: Path) -> None:
    """Another database is never touched; connections to optional services and the target's settings stay."""
    inherited = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "cat /prod",
        "AIRFLOW_HOME": "/prod",
        "USERS": "5",
        "MAKEFLAGS": "q",
        "AIRFLOW_CONN_LOADTEST_SLACK": "kept",
        "LOAD_TEST_BASE_URL": "kept",
    }
    environment = base_environment(Layout(tmp_path), STATE, inherited)
    assert {name for name in inherited if name in environment} == {"AIRFLOW_CONN_LOADTEST_SLACK", "LOAD_TEST_BASE_URL"}


def test_nothing_is_written_into_the_users_home(tmp_path: Path) -> None:
    """Not even the list of fonts that matplotlib makes for itself."""
    assert Path(base_environment(Layout(tmp_path), STATE, {})["MPLCONFIGDIR"]).is_relative_to(tmp_path)


def test_airflow_serves_loopback_and_keeps_its_data_in_the_checkout(tmp_path: Path) -> None:
    """Address, port, database and home are the environment's own, through the socket."""
    postgres = PostgresServer(tmp_path / "pg", Path("/tmp/pg-x"), None, 1)
    environment = airflow_environment(Layout(tmp_path), STATE, postgres, {})
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__API__PORT"] == "8123"
    assert (
        environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://postgres@/airflow?host=/tmp/pg-x"
    )
    assert environment["AIRFLOW_HOME"].startswith(str(tmp_path))
    assert environment["LOADTEST_RESULTS_URI"] == str(tmp_path / "load_test_results")


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    """A second start uses the same password, and nobody else can read it."""
    layout = Layout(tmp_path)
    password = admin_password(layout)
    assert admin_password(layout) == password
    assert len(password) >= 20
    assert stat.S_IMODE(layout.passwords_file.stat().st_mode) == 0o600
