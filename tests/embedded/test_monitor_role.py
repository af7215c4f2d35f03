import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis

from include.embedded.monitor_role import ATTRIBUTES, ROLE, create_monitor_role
from include.embedded.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from include.embedded.valkey import start_valkey, stop_valkey
from include.loadtest.collectors.redis import RedisReader

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that logs each statement."""
    settings = {"fsync": "off", "log_statement": "all"}
    server = start_postgres(tmp_path_factory.mktemp("pg") / "data", settings=settings, port=0)
    yield server
    stop_postgres(server)


def test_the_role_may_read_statistics_and_nothing_else(postgres: PostgresServer) -> None:
    """It sees others' statements and logs in with its password, which a second start replaces; tables stay closed."""
    ensure_database(postgres, "watched")
    admin = postgres.url("watched")
    with closing(psycopg2.connect(admin)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE secret (n int)")
    first, second = create_monitor_role(admin), create_monitor_role(admin)
    assert urlsplit(first).username == urlsplit(second).username == ROLE
    assert urlsplit(first).password != urlsplit(second).password
    with closing(psycopg2.connect(second)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%secret%'")
        assert cursor.fetchone() == (1,)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT * FROM secret")


def test_the_role_keeps_no_power_that_it_had(postgres: PostgresServer) -> None:
    """One of this name that was made by hand: what it may do besides is taken from it."""
    admin = postgres.url()
    create_monitor_role(admin)
    with closing(psycopg2.connect(admin)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER ROLE {ROLE} SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS CONNECTION LIMIT -1")
    create_monitor_role(admin)
    with closing(psycopg2.connect(admin)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls, rolconnlimit "
            "FROM pg_roles WHERE rolname = %s",
            (ROLE,),
        )
        assert cursor.fetchone() == (False, 5)


def test_the_documented_role_is_the_one_that_is_made() -> None:
    """With the same attributes, all of them."""
    text = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()
    assert f"\nCREATE ROLE {ROLE} {ATTRIBUTES};\n" in text


def test_the_password_is_in_no_log_and_no_statistics(postgres: PostgresServer) -> None:
    """The server is told what it stores, and that opens nothing by itself."""
    admin = postgres.url()
    password = urlsplit(create_monitor_role(admin)).password
    assert password
    assert password not in (postgres.data_dir / "server.log").read_text()
    with closing(psycopg2.connect(admin)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (ROLE,))
        (stored,) = cursor.fetchone() or ("",)
    assert stored.startswith("SCRAM-SHA-256$")
    assert password not in stored


def test_a_server_that_asks_for_it_takes_the_password(postgres: PostgresServer) -> None:
    """Over TCP with SCRAM: the right one opens, another does not."""
    url = create_monitor_role(postgres.url())
    rules = Path(postgres.data_dir / "pg_hba.conf")
    trusted = rules.read_text()
    rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n" + trusted)
    with closing(psycopg2.connect(postgres.url())) as admin, admin, admin.cursor() as cursor:
        cursor.execute("SELECT pg_reload_conf()")
    asked = {"host": "127.0.0.1", "port": postgres.port, "user": ROLE, "dbname": "postgres"}
    with closing(psycopg2.connect(**asked, password=urlsplit(url).password)) as connection:
        assert connection.get_parameter_status("server_version")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(**asked, password="another")
    rules.write_text(trusted)


def test_the_documented_statements_make_the_same_role(postgres: PostgresServer) -> None:
    """docs/monitoring.md, word for word, for a target that is not the embedded one."""
    ensure_database(postgres, "documented")
    text = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()
    (statements,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    with closing(psycopg2.connect(postgres.url("documented"))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"DROP ROLE IF EXISTS {ROLE}")
        cursor.execute(statements)
    url = postgres.url("documented").replace("postgres@", f"{ROLE}@")
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query = '<insufficient privilege>'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) > 0, bool_and(queryid IS NOT NULL) FROM pg_stat_statements")
        assert cursor.fetchone() == (True, True)


def test_the_documented_redis_user_reads_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is left out for want of a right."""
    caplog.set_level("INFO")
    text = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()
    (command,) = re.findall(r"`(ACL SETUSER [^`]+)`", text)
    server = start_valkey(tmp_path)
    try:
        with closing(redis.Redis.from_url(server.url)) as client:
            client.execute_command(*command.split())
        reader = RedisReader(server.url.replace("redis://", "redis://loadtest_monitor:PASSWORD@"), "cache", 5)
        assert {"slow_commands", "flush_commands", "ping_ms"} <= set(reader.read())
        reader.close()
    finally:
        stop_valkey(server)
    assert caplog.records == []
