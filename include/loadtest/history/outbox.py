"""What is to be delivered to Slack and GitHub: a row in the history before it is tried, and until it has arrived.

A row waits while its `version` is above its `delivered_version` and it is not given up. Rows of one lane arrive in the
order in which they were first put. Callers put no secrets into payloads. All times are the database's. Functions that
take an engine raise InfrastructureError where the database fails or refuses, and nothing else.

Several installations may share a history. An engine's execution option `origin` says whose rows it puts, and it knows
of no others: each installation has its own connections to the services, and its own bundles.
"""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import DELIVERY

STATEMENT_S = 10
"""So long the database may take for a statement; then the delivery waits for another time."""
ORIGIN = "origin"
"""Execution option of an engine: the installation that it belongs to; without it, the one without a name."""
UNSURE_S = 120
"""After an attempt that may have arrived the service may still be at it (some answer after a minute): so long it is
neither repeated nor looked for."""
_ROW = DELIVERY.c
IS_WAITING = (_ROW.version > _ROW.delivered_version) & _ROW.given_up_at.is_(None)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Delivery:
    """What to deliver; `subject`: the run, suite run or DAG run that it is about.

    key      one for what a reader sees as one thing: put again under it, that thing is updated
    service  slack or github
    kind     who delivers it: a handler's name
    lane     rows of a lane are delivered one after the other
    expires  not delivered after this moment, since it would tell nobody anything any more; None: always worth it
    """

    key: str
    service: str
    kind: str
    lane: str
    subject: str
    payload: Mapping[str, Any]
    expires: datetime | None = None


@dataclass(frozen=True)
class Row:
    """A delivery and how far it has come.

    version            rises with each change of what is to be delivered; `updated` is when that was
    delivered_version  the newest one that arrived, 0 for none
    receipt            what the service answered, {} before it has
    attempts           of this version, since its last success
    may_have_arrived   an attempt may have reached the service though no answer says so: look before the next
    next_attempt       not tried before (back-off), unless forced where nothing can have arrived
    not_before         not tried before, nor anything else of the service (its Retry-After)
    origin             the installation that has put it
    """

    id: int
    key: str
    service: str
    kind: str
    lane: str
    subject: str
    payload: Mapping[str, Any]
    version: int
    delivered_version: int
    receipt: Mapping[str, Any]
    attempts: int
    may_have_arrived: bool
    next_attempt: datetime
    expires: datetime | None
    last_error: str | None
    created: datetime
    updated: datetime
    delivered_at: datetime | None
    given_up_at: datetime | None
    not_before: datetime | None = None
    origin: str = ""

    @property
    def state(self) -> str:
        """One of delivered, waiting, given_up."""
        if self.version <= self.delivered_version:
            return "delivered"
        return "waiting" if self.given_up_at is None else "given_up"


@contextmanager
def session(engine: Engine) -> Iterator[Connection]:
    """A transaction on the outbox, short. Raises InfrastructureError only."""
    with never_refused(), transaction(engine) as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_S}s'"))
        yield connection


@contextmanager
def never_refused() -> Iterator[None]:
    """What the database refuses is taken for its failure: deliveries wait, and a verdict is the same without them."""
    try:
        yield
    except ConfigError as error:
        raise InfrastructureError(str(error)) from error


def put(engine: Engine, delivery: Delivery) -> None:
    """Have it delivered; committed when this returns. See `put_in`."""
    with session(engine) as connection:
        put_in(connection, delivery)


def put_in(connection: Connection, delivery: Delivery) -> None:
    """Have it delivered, within the caller's transaction.

    The same key with another payload is a new version: due now, its attempts counted anew, also where the one before
    was given up. With the same payload only what was given up is due again. `subject` is always the latest one.
    Where an attempt may have arrived, "now" is when the service must be done with it.
    """
    new = insert(DELIVERY).values(
        origin=origin_of(connection),
        key=delivery.key,
        service=delivery.service,
        kind=delivery.kind,
        lane=delivery.lane,
        subject=delivery.subject,
        payload=storable(delivery.payload),
        expires=delivery.expires,
    )
    is_other = _ROW.payload.is_distinct_from(new.excluded.payload)
    is_due = is_other | _ROW.given_up_at.is_not(None)
    begun = {"payload": new.excluded.payload, "expires": new.excluded.expires, "given_up_at": None, **_due_now()}
    changes: dict[str, Any] = {name: case((is_due, value), else_=_ROW[name]) for name, value in begun.items()}
    changes |= {"subject": new.excluded.subject, "version": _ROW.version + case((is_other, 1), else_=0)}
    is_news = is_due | (_ROW.subject != new.excluded.subject)
    same = [_ROW.origin, _ROW.key]
    connection.execute(new.on_conflict_do_update(index_elements=same, set_=changes, where=is_news))


def revive(engine: Engine, subject: str) -> None:
    """Try again what was given up about `subject`, but for what has expired: a person has mended what was wrong."""
    lives = _ROW.expires.is_(None) | (_ROW.expires > func.clock_timestamp())
    given_up_rows = update(DELIVERY).where(
        is_own(engine), _ROW.subject == subject, _ROW.given_up_at.is_not(None), lives
    )
    with session(engine) as connection:
        connection.execute(given_up_rows.values(given_up_at=None, **_due_now()))


def touch(engine: Engine, key: str) -> None:
    """Deliver it once more, since something that it shows has changed; nothing where it is absent or given up.

    One that still waits only gets a new version: an attempt that is under way has rendered the old state.
    """
    was_delivered = _ROW.version <= _ROW.delivered_version
    if_delivered = {name: case((was_delivered, value), else_=_ROW[name]) for name, value in _due_now().items()}
    alive = update(DELIVERY).where(is_own(engine), _ROW.key == key, _ROW.given_up_at.is_(None))
    with session(engine) as connection:
        connection.execute(alive.values(version=_ROW.version + 1, **if_delivered))


def receipt_of(engine: Engine, key: str) -> Mapping[str, Any] | None:
    """What the service answered to that row; None where there is none, or none has been delivered yet."""
    with session(engine) as connection:
        found = select(_ROW.receipt).where(is_own(engine), _ROW.key == key)
        receipt: Mapping[str, Any] | None = connection.scalar(found)
        return receipt


def rows_of(engine: Engine, subject: str) -> list[Row]:
    """All rows about a run, suite run or DAG run, in the order in which they were first put."""
    return _rows(engine, _ROW.subject == subject)


def waiting(engine: Engine) -> list[Row]:
    """All rows that have not arrived and are not given up, in the order in which they were first put."""
    return _rows(engine, IS_WAITING)


def given_up(engine: Engine, *, since: datetime) -> list[Row]:
    """All rows given up at that moment or later, in the order in which they were first put."""
    return _rows(engine, _ROW.given_up_at >= since)


def forget_delivered(engine: Engine, *, before: datetime) -> int:
    """Remove rows that arrived or were given up before that moment and have not changed since; returns how many.

    What is put under such a key later is a new thing to the service: the receipt is gone too.
    """
    settled = func.greatest(_ROW.delivered_at, _ROW.given_up_at, _ROW.updated)
    with session(engine) as connection:
        return connection.execute(delete(DELIVERY).where(is_own(engine), ~IS_WAITING, settled < before)).rowcount


def states(engine: Engine, subject: str) -> list[dict[str, str | None]]:
    """For a report: what each row about `subject` is, its state, one line on it, and where it can be seen."""
    return [
        {"what": what(row), "state": row.state, "text": _line(row), "url": _url(row)}
        for row in rows_of(engine, subject)
    ]


def what(row: Row) -> str:
    """What a row delivers, for people: its kind, and the end of its key where that says more than the lane."""
    service = {"slack": "Slack", "github": "GitHub"}[row.service]
    kind = row.kind.removeprefix(f"{row.service}_").replace("_", " ")
    end = row.key.removeprefix(row.lane).strip("/") if row.key.startswith(f"{row.lane}/") else ""
    return f"{service} {kind}" + (f" {end}" if end and end != row.subject else "")


def origin_of(bind: Engine | Connection) -> str:
    """The installation whose rows these are."""
    return str(bind.get_execution_options().get(ORIGIN, ""))


def is_own(engine: Engine) -> ColumnElement[bool]:
    """Whether a row is one that this engine's installation has put."""
    return _ROW.origin == origin_of(engine)


def as_row(columns: Mapping[str, Any]) -> Row:
    """A row of the table as it was read."""
    return Row(**{**columns, "receipt": columns["receipt"] or {}})


def storable(value: Any) -> Any:
    """JSON as PostgreSQL takes it: NUL and halves of characters become U+FFFD, numbers that are none become null.

    Raises TypeError for what is no JSON.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [storable(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} is no JSON")


def after(seconds: float) -> ColumnElement[datetime]:
    """A moment so long from now, by the database's clock; negative: ago."""
    return func.clock_timestamp() + literal(timedelta(seconds=seconds))


def _due_now() -> dict[str, Any]:
    soon = func.least(_ROW.next_attempt, after(UNSURE_S))
    return {
        "attempts": 0,
        "last_error": None,
        "next_attempt": case((_ROW.may_have_arrived, soon), else_=func.clock_timestamp()),
        "updated": func.clock_timestamp(),
    }


def _rows(engine: Engine, condition: ColumnElement[bool]) -> list[Row]:
    with session(engine) as connection:
        found = connection.execute(select(DELIVERY).where(is_own(engine), condition).order_by(_ROW.id)).mappings()
        return [as_row(dict(row)) for row in found]


def _line(row: Row) -> str:
    if row.state == "delivered":
        return f"delivered {_moment(row.delivered_at)}"
    earlier = f"; an earlier version arrived {_moment(row.delivered_at)}" if row.delivered_at else ""
    if row.state == "given_up":
        return f"{row.last_error or 'given up'}{earlier}"
    if row.last_error is None:
        return f"not tried yet{earlier}"
    until = max(row.next_attempt, row.not_before or row.next_attempt)
    return f"{row.last_error}; tried again from {_moment(until)}{earlier}"


def _moment(when: datetime | None) -> str:
    return "" if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _url(row: Row) -> str | None:
    url = row.receipt.get("url")
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else None
