"""Reaching the history database: its address, its errors, its migrations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.schema import SCHEMA

if TYPE_CHECKING:
    from alembic.config import Config  # a tenth of a second of imports, which only a change of the schema needs

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECT_TIMEOUT_S = 10
LOCK_TIMEOUT_S = 120
_DRIVER = "postgresql+psycopg2"
_SCHEMES = ("postgresql", "postgres", _DRIVER)
_MIGRATION_LOCK = 7_305_808_867  # any number that is this project's own within the database
_IN_THIS_PROCESS = Lock()  # alembic keeps what it works on in globals: two databases at once would get mixed up


def connect(url: str, *, connect_timeout_s: int = CONNECT_TIMEOUT_S, statement_timeout_s: int | None = None) -> Engine:
    """An engine that connects when it is first used. Raises ConfigError for an address that is none.

    `statement_timeout_s`: the server ends a statement that takes longer; None: as the server is set up.
    """
    # No pool: tasks are short processes, and a forked one must not inherit a connection.
    engine = create_engine(_parsed(url), poolclass=NullPool, connect_args={"connect_timeout": connect_timeout_s})
    if statement_timeout_s is not None:
        event.listen(engine, "connect", partial(_limit_statements, statement_timeout_s))
    return engine


def _limit_statements(limit_s: int, connection: Any, _record: object) -> None:
    # No option of the start packet: poolers refuse those.
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{limit_s}s'")
    connection.commit()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # without the text of the error: it may hold the password
        raise ConfigError(
            "history database: not an address; write postgresql://user:password@host:port/name"
        ) from error
    if parsed.drivername not in _SCHEMES:
        raise ConfigError(f"history database: {parsed.drivername} is no PostgreSQL; write postgresql://…")
    return parsed.set(drivername=_DRIVER)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction. Raises InfrastructureError where the server fails, ConfigError where it refuses a statement."""
    try:
        with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError) as error:
        raise InfrastructureError(_one_line(engine, error)) from error
    except DBAPIError as error:
        raise ConfigError(_one_line(engine, error)) from error


def _one_line(engine: Engine, error: DBAPIError) -> str:
    url = engine.url
    place = url.query.get("host", "") if not url.host else f"{url.host}:{url.port or 5432}"
    reason = next(iter(str(error.orig).strip().splitlines()), type(error).__name__)
    if url.password:
        reason = reason.replace(str(url.password), "***")
    return f"history database {url.database} at {place}: {reason}"


def upgrade(url: str) -> None:
    """Bring the schema to the newest version, if it is not there. Safe when several processes or threads do so at once.

    Raises InfrastructureError where the database does not answer, ConfigError where it is newer than this program.
    """
    if is_newest(connect(url)):
        return
    from alembic import command

    _migrate(url, lambda config: command.upgrade(config, "head"))


def is_newest(engine: Engine) -> bool:
    """Whether the schema is this program's; False also where there is none, or one that is newer. Raises as above."""
    version = f"{SCHEMA}.alembic_version"
    with transaction(engine) as connection:
        if connection.scalar(select(func.to_regclass(version))) is None:
            return False
        found = connection.scalar(text(f"SELECT version_num FROM {version}"))  # noqa: S608 - a constant
    return bool(found == newest_version())


def newest_version() -> str:
    """The newest version of the schema; each is a file `vNNNN_what.py`, and NNNN its number."""
    return max(file.name[1:5] for file in (MIGRATIONS / "versions").glob("v[0-9]*.py"))


def downgrade(url: str, revision: str) -> None:
    """Go back to an older version; what only the newer one can hold is lost, and the log says what that is.

    Raises as `upgrade` does.
    """
    from alembic import command

    _migrate(url, lambda config: command.downgrade(config, revision))


def _migrate(url: str, action: Callable[["Config"], None]) -> None:
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # A percent sign would begin a placeholder in alembic's options.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with transaction(connect(url)) as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        config.attributes["connection"] = connection
        try:
            with _IN_THIS_PROCESS:
                action(config)
        except CommandError as error:
            raise ConfigError(f"history database: {error}; it was made by another version of this program") from error
