"""docs/roles.md, word for word, against real servers: what each role needs works, and nothing beyond it."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis
from psycopg2 import errors

from include.embedded.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from include.embedded.valkey import ValkeyServer, start_valkey, stop_valkey
from include.loadtest.history import store as history
from include.loadtest.target.cleanup import cleanup_users
from include.loadtest.target.facts import read_database_facts, read_redis_facts
from include.loadtest.target.settings import Target, load_target_file
from include.loadtest.target.users import seed_users

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
TARGET_SQL, HISTORY_SQL = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
SCHEMA = (ROOT / "include" / "demo_target" / "schema.sql").read_text(encoding="utf-8")
OTHERS = """
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL);
CREATE TABLE payroll (id integer PRIMARY KEY, salary integer);
INSERT INTO payroll SELECT number, number FROM generate_series(1, 500) AS number;
ANALYZE payroll;
INSERT INTO "user" (email, account_code) VALUES ('anna@studio.example', 'A-1');
"""
CHATS = """
INSERT INTO studios (name) VALUES ('of a test');
UPDATE "user" SET studio_id = (SELECT id FROM studios) WHERE email LIKE 'loadtest%';
INSERT INTO settings SELECT id, '{}', '{}' FROM studios;
INSERT INTO session (id, user_id) SELECT 's' || id, id FROM "user";
INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) SELECT id, '1', '{}' FROM session;
INSERT INTO audit_events (user_id, event) SELECT id::text, 'login' FROM "user";
INSERT INTO chat_messages (user_id, session_id, role, content) SELECT user_id, id, 'user', 'x' FROM session;
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    running = start_postgres(tmp_path_factory.mktemp("roles") / "pg", settings={"fsync": "off"})
    yield running
    stop_postgres(running)


@pytest.fixture(scope="module")
def target(server: PostgresServer) -> Target:
    """The stand-in's schema with tables of others, and the documented role."""
    ensure_database(server, "app")
    _run(server.url("app"), SCHEMA, OTHERS, TARGET_SQL)
    own = server.url("app").replace("postgres@", "loadtest_target@")
    return Target.checked(load_target_file("demo"), "http://127.0.0.1:9", own)


def _run(url: str, *texts: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for text in texts:
                cursor.execute(text)
            return cursor.fetchall() if cursor.description else []


def test_the_role_of_the_target_does_all_that_a_run_needs(server: PostgresServer, target: Target) -> None:
    """Facts, seeding, seeding again, clean-up with everything that hangs on the users; another's rows stay."""
    admin = server.url("app")
    facts = read_database_facts(target)
    assert (facts.row_counts["user"], facts.row_counts["payroll"], facts.migration_head) == (1, 500, None)
    assert len(seed_users(target, "roles-1").usable) == 200
    assert seed_users(target, "roles-1").created == 0
    _run(admin, CHATS)
    result = cleanup_users(target, "roles-1")
    assert [result.users, *(result.rows[name] for name in ("session", "audit_events", "studios"))] == [200, 200, 200, 1]
    assert _run(admin, 'SELECT email FROM "user"') == [("anna@studio.example",)]
    assert _run(admin, "SELECT count(*) FROM chat_messages") == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        *('DROP TABLE "user"', "DROP TABLE payroll", "TRUNCATE session", 'ALTER TABLE "user" ADD COLUMN x integer'),
        *("SELECT * FROM payroll", "SELECT * FROM regulations", "SELECT * FROM alembic_version", "DELETE FROM payroll"),
        *("""UPDATE "user" SET email = 'x'""", """UPDATE "user" SET hashed_password = 'x'"""),
        "INSERT INTO session VALUES ('x', 1)",
        *("CREATE ROLE other", "CREATE DATABASE other", "CREATE TABLE mine (id integer)", "CREATE SCHEMA mine"),
        *("ALTER ROLE loadtest_target SUPERUSER", "GRANT pg_monitor TO loadtest_target", "SET ROLE postgres"),
        *("SELECT pg_read_file('/etc/passwd')", "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT * FROM pg_authid"),
        *("DROP EXTENSION pg_stat_statements", "ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"),
        'CREATE TRIGGER x BEFORE UPDATE ON "user" EXECUTE FUNCTION suppress_redundant_updates_trigger()',
        "VACUUM FULL pg_class",
    ],
)
def test_the_role_of_the_target_can_do_nothing_else(server: PostgresServer, target: Target, statement: str) -> None:
    """No table goes or changes, no other is read, no role or database is made, no file or program is reached."""
    assert target.database_url
    if statement.startswith("VACUUM"):  # a warning, and nothing is done
        before = _run(server.url("app"), "SELECT pg_relation_filenode('pg_class')")
        _run(target.database_url, statement)
        assert _run(server.url("app"), "SELECT pg_relation_filenode('pg_class')") == before
        return
    with pytest.raises(errors.InsufficientPrivilege):
        _run(target.database_url, statement)


@pytest.mark.usefixtures("target")
def test_the_role_of_the_history_owns_its_database_and_nothing_else(server: PostgresServer) -> None:
    """It upgrades its schema; no role, no database, and nobody else comes in."""
    _run(server.url(), *[f"{statement};" for statement in HISTORY_SQL.split(";") if statement.strip()])
    own = server.url("loadtest_history").replace("postgres@", "loadtest_history@")
    history.upgrade(own)
    with history.connect(own).connect() as connection:
        own_tables = "SELECT count(*) FROM pg_tables WHERE tableowner = 'loadtest_history'"
        assert connection.exec_driver_sql(own_tables).scalar()
    for statement in ("CREATE ROLE other", "CREATE DATABASE other", "SELECT pg_read_file('/etc/passwd')"):
        with pytest.raises(errors.InsufficientPrivilege):
            _run(own, statement)
    stranger = server.url("loadtest_history").replace("postgres@", "loadtest_target@")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        psycopg2.connect(stranger)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    (command,) = re.findall(r"`(ACL SETUSER [^`]+)`", TEXT)
    running = start_valkey(tmp_path_factory.mktemp("roles-redis"))
    with closing(redis.Redis.from_url(running.url)) as client:
        client.execute_command(*command.split())
        client.set("answer:1", "text")
    yield running
    stop_valkey(running)


def test_the_redis_user_reads_figures(cache: ValkeyServer) -> None:
    """Settings and memory in preflight, hits and misses while warming up."""
    url = cache.url.replace("redis://", "redis://loadtest_target:PASSWORD@")
    found = read_redis_facts(Target.checked(load_target_file("demo"), "http://127.0.0.1:9", None, url))
    assert found is not None
    assert found.used_memory_bytes
    with closing(redis.Redis.from_url(url)) as client:
        assert "keyspace_hits" in client.info("stats")


@pytest.mark.parametrize(
    "command",
    [
        *(("GET", "answer:1"), ("SET", "a", "b"), ("DEL", "answer:1"), ("KEYS", "*"), ("SCAN", "0"), ("FLUSHALL",)),
        *(("CONFIG", "GET", "*"), ("EVAL", "return 1", "0"), ("ACL", "LIST"), ("SHUTDOWN",), ("SLOWLOG", "RESET")),
        *(("CLIENT", "LIST"), ("MONITOR",), ("PUBLISH", "a", "b"), ("REPLICAOF", "127.0.0.1", "1")),
    ],
)
def test_the_redis_user_can_do_nothing_else(cache: ValkeyServer, command: tuple[str, ...]) -> None:
    """No key is read or changed, no setting, no script, no other client."""
    url = cache.url.replace("redis://", "redis://loadtest_target:PASSWORD@")
    with closing(redis.Redis.from_url(url)) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command)
