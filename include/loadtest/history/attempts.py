"""Attempts at what waits in the outbox: who may try which row when, and what came of it.

An attempt is committed before the service is asked: a process that dies in it leaves a row that waits for its back-off
and says that it may have arrived. A version that is put while an older one is under way is due again at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, case, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from include.loadtest.errors import printable
from include.loadtest.history.database import transaction
from include.loadtest.history.outbox import IS_WAITING, Row, after, as_row, never_refused, session, storable
from include.loadtest.history.schema import DELIVERY

BACKOFF_S = (60, 120, 300, 600, 1800, 3600)
"""Wait after the first, second, … failed attempt at a version; after more than these, the last."""
GIVE_UP_AFTER_S = 72 * 3600
"""A version that was tried in vain and is so old is not tried any more."""
LOCK_S = 600
"""A lane's lock is lost after so long: attempts take seconds, and a machine that vanished holds up nothing for ever."""
MAX_ERROR_CHARS = 500
EXPIRED = "told nobody anything any more"
UNANSWERED = "the last attempt has come to no answer"
_LANE_SPACE = 6_508_127_341  # any number: lanes' locks are not mixed up with others in the database
_ROW = DELIVERY.c
_OTHER = DELIVERY.alias("other")


@dataclass(frozen=True)
class Choice:
    """Which rows are tried: of `kinds` only; `subject`: only lanes in which it waits; `is_forced`: back-off or not.

    Rows that stand before those of the subject in its lanes are tried too: the order of a lane holds.
    """

    kinds: frozenset[str]
    subject: str | None = None
    is_forced: bool = False


@contextmanager
def lane_lock(engine: Engine, lane: str) -> Iterator[bool]:
    """Whether the lane is this block's alone, over all processes; it ends with the block, or with the process.

    Raises InfrastructureError where the database fails.
    """
    number = func.hashtextextended(lane, _LANE_SPACE)
    own = engine.execution_options(isolation_level="AUTOCOMMIT")
    with never_refused(), transaction(own) as connection:
        connection.execute(text(f"SET idle_session_timeout = '{LOCK_S}s'"))
        is_mine = bool(connection.scalar(select(func.pg_try_advisory_lock(number))))
        try:
            yield is_mine
        finally:
            if is_mine:
                connection.execute(select(func.pg_advisory_unlock(number)))
            connection.execute(text("RESET idle_session_timeout"))


def drop_expired(engine: Engine) -> None:
    """Give up what would tell nobody anything any more."""
    late = update(DELIVERY).where(IS_WAITING, _ROW.expires <= func.clock_timestamp())
    with session(engine) as connection:
        connection.execute(late.values(given_up_at=func.clock_timestamp(), last_error=EXPIRED))


def give_up_old(engine: Engine, kinds: frozenset[str]) -> None:
    """Give up what was tried for so long, and what nobody was there to try; `kinds`: those that are tried here."""
    is_over = or_(_ROW.attempts > 0, _ROW.kind.not_in(kinds))
    old = update(DELIVERY).where(IS_WAITING, _ROW.updated <= after(-GIVE_UP_AFTER_S), is_over)
    why = func.coalesce(_ROW.last_error, "the service is not set up")
    reason = literal(f"given up after {GIVE_UP_AFTER_S // 3600} h: ").concat(why)
    with session(engine) as connection:
        connection.execute(old.values(given_up_at=func.clock_timestamp(), last_error=reason))


def count_waiting(engine: Engine, subject: str | None) -> int:
    """How many rows wait; `subject`: about this only."""
    own = (IS_WAITING,) if subject is None else (IS_WAITING, _ROW.subject == subject)
    with session(engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(DELIVERY).where(*own)) or 0)


def due_lanes(engine: Engine, choice: Choice) -> dict[str, list[str]]:
    """The lanes whose first row may be tried now, by service: those that failed least first, then the oldest.

    So a row that fails each time, and for which the service is left alone then, keeps no other from being tried.
    """
    columns = (_ROW.id, _ROW.service, _ROW.lane, _ROW.attempts, _is_due(choice).label("is_due"))
    first = select(*columns).where(_is_tried(choice)).ext(distinct_on(_ROW.lane)).order_by(_ROW.lane, _ROW.id)
    heads = first.subquery()
    due = select(heads.c.service, heads.c.lane).where(heads.c.is_due).order_by(heads.c.attempts, heads.c.id)
    lanes: dict[str, list[str]] = {}
    with session(engine) as connection:
        for service, lane in connection.execute(due):
            lanes.setdefault(service, []).append(lane)
    return lanes


def claim(engine: Engine, lane: str, choice: Choice) -> Row | None:
    """Begin an attempt at the lane's first row, if it is due; None: nothing to do. The caller holds the lane's lock.

    The row says of what was before this attempt whether it may have arrived, and when and why it failed; its number
    of attempts counts this one.
    """
    head = select(DELIVERY, _is_due(choice).label("is_due")).where(_ROW.lane == lane, _is_tried(choice))
    with session(engine) as connection:
        found = connection.execute(head.order_by(_ROW.id).limit(1).with_for_update(of=DELIVERY)).mappings().first()
        if found is None or not found["is_due"]:
            return None
        row = as_row({name: value for name, value in found.items() if name != "is_due"})
        row = replace(row, attempts=row.attempts + 1)
        begun = {"attempts": row.attempts, "may_have_arrived": True, "last_error": UNANSWERED}
        wait_s = BACKOFF_S[min(row.attempts, len(BACKOFF_S)) - 1]
        connection.execute(_of(row).values(next_attempt=after(wait_s), **begun))
        return row


def arrived(engine: Engine, row: Row, receipt: dict[str, Any]) -> None:
    """The attempt succeeded: keep what the service answered, over what it answered before."""
    kept = func.coalesce(_ROW.receipt, literal({}, JSONB)).concat(literal(storable(receipt), JSONB))
    now = func.clock_timestamp()
    with session(engine) as connection:
        connection.execute(
            _of(row).values(
                delivered_version=func.greatest(_ROW.delivered_version, row.version),
                receipt=kept,
                attempts=0,
                may_have_arrived=False,
                next_attempt=now,
                last_error=None,
                delivered_at=now,
                given_up_at=None,
            )
        )


def failed(
    engine: Engine, row: Row, reason: str, *, may_have_arrived: bool, retry_after_s: float | None, is_permanent: bool
) -> str:
    """The attempt failed; returns the reason as it is kept. Retry-After holds for all rows of the service.

    A permanent fault gives this version up, not one that was put meanwhile.
    """
    reason = printable(f"given up: {reason}" if is_permanent else reason, MAX_ERROR_CHARS)
    changes: dict[str, Any] = {"last_error": reason, "may_have_arrived": row.may_have_arrived or may_have_arrived}
    if retry_after_s is not None:
        changes["not_before"] = after(min(retry_after_s, GIVE_UP_AFTER_S))
    if is_permanent:
        changes["given_up_at"] = case((_ROW.version == row.version, func.clock_timestamp()), else_=None)
    with session(engine) as connection:
        connection.execute(_of(row).values(**changes))
    return reason


def untried(engine: Engine, row: Row, *, may_have_arrived: bool) -> None:
    """The attempt ended for want of time: it counts for nothing, but what it has sent may have arrived."""
    as_before = {"attempts": row.attempts - 1, "next_attempt": row.next_attempt, "last_error": row.last_error}
    is_same = _ROW.version == row.version
    changes = {name: case((is_same, value), else_=_ROW[name]) for name, value in as_before.items()}
    with session(engine) as connection:
        connection.execute(_of(row).values(may_have_arrived=row.may_have_arrived or may_have_arrived, **changes))


def _of(row: Row) -> Any:
    return update(DELIVERY).where(_ROW.id == row.id)


def _is_tried(choice: Choice) -> ColumnElement[bool]:
    lives = or_(_ROW.expires.is_(None), _ROW.expires > func.clock_timestamp())
    tried = and_(IS_WAITING, _ROW.kind.in_(sorted(choice.kinds)), lives)
    if choice.subject is None:
        return tried
    other = _OTHER.c
    waits = and_(other.version > other.delivered_version, other.given_up_at.is_(None), other.lane == _ROW.lane)
    of_subject = select(other.id).where(waits, other.subject == choice.subject, other.id >= _ROW.id)
    return and_(tried, of_subject.correlate(DELIVERY).exists())


def _is_due(choice: Choice) -> ColumnElement[bool]:
    other = _OTHER.c
    asked = select(other.id).where(other.service == _ROW.service, other.not_before > func.clock_timestamp())
    may_ask = ~asked.correlate(DELIVERY).exists()
    return may_ask if choice.is_forced else and_(may_ask, _ROW.next_attempt <= func.clock_timestamp())
