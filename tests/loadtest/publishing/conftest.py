"""One history database for all tests of deliveries in a process, empty for each."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from include.embedded.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from include.loadtest.history.database import connect, transaction, upgrade


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    running = start_postgres(tmp_path_factory.mktemp("outbox") / "pg", settings={"fsync": "off"}, port=0)
    yield running
    stop_postgres(running)


@pytest.fixture(scope="session")
def url(server: PostgresServer) -> str:
    ensure_database(server, "outbox")
    upgrade(server.url("outbox"))
    return server.url("outbox")


@pytest.fixture
def engine(url: str) -> Engine:
    """A history without deliveries and tickets."""
    found = connect(url)
    with transaction(found) as connection:
        connection.execute(text("TRUNCATE loadtest.delivery, loadtest.ticket RESTART IDENTITY CASCADE"))
    return found
