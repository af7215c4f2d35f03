from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg2
import pytest

from include.embedded.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from include.loadtest.target.settings import Target, TargetFile, load_target_file
from tests.helpers.demo import DemoTarget, demo_target

USERS = """
CREATE TABLE "user" (
    id serial PRIMARY KEY, email varchar(255) NOT NULL UNIQUE, hashed_password varchar(255), provider varchar NOT NULL,
    role varchar NOT NULL, email_verified boolean NOT NULL, failed_login_attempts integer NOT NULL,
    totp_enabled boolean NOT NULL, account_code varchar(20) UNIQUE, billing_plan_slug varchar NOT NULL,
    created_at timestamp NOT NULL);
"""
_numbers = count()


@dataclass(frozen=True)
class Database:
    """A database of its own on a real server, and a target that uses it."""

    url: str

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run statements; the rows of the last one, if it has any."""
        connection = psycopg2.connect(self.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def count(self, table: str) -> int:
        """Rows of a table."""
        return int(self.run(f'SELECT count(*) FROM "{table}"')[0][0])

    def add_user(self, email: str, code: str | None) -> int:
        """An account; its id."""
        row = self.run(
            """INSERT INTO "user" (email, provider, role, email_verified, failed_login_attempts, totp_enabled,
            account_code, billing_plan_slug, created_at) VALUES (%s, 'email', 'r', true, 0, false, %s, 'base', now())
            RETURNING id""",
            email,
            code,
        )
        return int(row[0][0])

    def target(self, **changes: object) -> Target:
        """A target with this database; `changes` go to its file."""
        file = TargetFile.model_validate({"name": "demo", **changes}, strict=False)
        return Target.checked(file, "http://127.0.0.1:9", self.url)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of this folder."""
    running = start_postgres(tmp_path_factory.mktemp("pg") / "data", settings={"fsync": "off"})
    yield running
    stop_postgres(running)


@pytest.fixture
def empty_database(server: PostgresServer) -> Database:
    """A database without tables."""
    name = f"target_{next(_numbers)}"
    ensure_database(server, name)
    return Database(server.url(name))


@pytest.fixture
def database(empty_database: Database) -> Database:
    """A database with the contract's users table."""
    empty_database.run(USERS)
    return empty_database


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    """One real demo target for all tests of this folder."""
    with demo_target(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def no_faults(demo: DemoTarget) -> Iterator[None]:
    """Puts every fault out of force after a test."""
    yield
    with demo.client() as client:
        client.delete("/admin/faults").raise_for_status()


@pytest.fixture(scope="session")
def target(demo: DemoTarget) -> Target:
    """The demo target as a load test sees it."""
    return Target.checked(load_target_file("demo"), demo.base_url, demo.database_url, demo.redis_url)
