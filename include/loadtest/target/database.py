"""Connections to the target's PostgreSQL, with a bound on every statement and errors that name who has to act."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.target.settings import Target
from include.loadtest.target.urls import redacted

CONNECT_TIMEOUT_S = 10
LOCK_TIMEOUT_S = 30


def required_database_url(target: Target, purpose: str) -> str:
    """The database's URL. Raises ConfigError naming what to set where it is missing."""
    if target.database_url is None:
        raise ConfigError(
            f"target {target.file.name}: no database address, needed to {purpose}; "
            f"set {target.file.where_to_set('database')}"
        )
    return target.database_url


@contextmanager
def connected(url: str, *, statement_timeout_s: float) -> Iterator[Connection]:
    """A connection that is closed at the end; what was not committed is rolled back.

    Raises InfrastructureError when the server does not answer or a connection breaks, ConfigError when it refuses a
    statement for another reason.
    """
    try:
        with closing(
            psycopg2.connect(url, connect_timeout=CONNECT_TIMEOUT_S, application_name="loadtest")
        ) as connection:
            with connection, connection.cursor() as cursor:
                # Not as a start-up option: a pooler in front of the server refuses those.
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, false)", (str(int(statement_timeout_s * 1000)),)
                )
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", (str(LOCK_TIMEOUT_S * 1000),))
            yield connection
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise InfrastructureError(f"database {redacted(url)}: {first_line(error)}") from error
    except psycopg2.Error as error:
        raise ConfigError(f"database {redacted(url)}: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its type's name."""
    lines = str(error).strip().splitlines()
    return lines[0].strip()[:300] if lines else type(error).__name__
