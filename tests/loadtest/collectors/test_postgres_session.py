import socket
import time

import psycopg2
import pytest

from include.loadtest.collectors.postgres_session import APPLICATION_NAME, MARKER, Session
from tests.loadtest.collectors.conftest import WatchedDatabase, await_true

pytestmark = pytest.mark.integration


def test_a_session_is_known_and_bounded(database: WatchedDatabase) -> None:
    """By its name and by each statement; it waits for no lock, compiles nothing, and is opened once."""
    session = Session(database.monitor_url, 5)
    assert [session.begin(), session.begin()] == [True, False]
    settings = ("application_name", "statement_timeout", "lock_timeout", "jit")
    columns = ", ".join(f"current_setting('{name}') AS {name}" for name in settings)
    assert tuple(session.row(f"SELECT {columns}", {}).values()) == (APPLICATION_NAME, "5s", "100ms", "off")
    assert session.version >= 150000
    ((text,),) = session.rows("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()", {})
    assert text.endswith(MARKER)
    session.close()


def test_values_come_as_parameters(database: WatchedDatabase) -> None:
    """A text is a value, whatever it says."""
    session = Session(database.monitor_url, 5)
    session.begin()
    text = "'; DROP TABLE x; --%s"
    assert session.rows("SELECT %(text)s, 7 %% 4", {"text": text}) == [(text, 3)]
    session.close()


def test_a_statement_outlives_no_deadline(database: WatchedDatabase) -> None:
    """The server ends it as well: it runs on for nobody."""
    session = Session(database.monitor_url, 0.5)
    session.begin()
    with pytest.raises((TimeoutError, psycopg2.errors.QueryCanceled)):
        session.rows("SELECT pg_sleep(20)", {})
    session.close()
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(20)%' AND state = 'active'"
    await_true(lambda: database.sql(running) == [(0,)], "the statement has ended", 10)


def test_a_server_that_never_answers_costs_the_timeout_only() -> None:
    """The connection is accepted, then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        session = Session(f"postgresql://u:s3cret@127.0.0.1:{listener.getsockname()[1]}/d", 0.3)
        started = time.monotonic()
        with pytest.raises(TimeoutError, match=r"no answer within 0\.3 s"):
            session.begin()
        assert time.monotonic() - started < 3
        session.close()
