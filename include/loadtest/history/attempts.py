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
from include.loadtest.history.outbox import (
    IS_WAITING,
    UNSURE_S,
    Row,
    after,
    as_row,
    is_own,
    never_refused,
    session,
    storable,
)
from include.loadtest.history.schema import DELIVERY

BACKOFF_S = (60, 120, 300, 600, 1800, 3600)
"""Wait after the first, second, … failed attempt at a version; after more than these, the last. Where it may have
arrived, at least `UNSURE_S`."""
GIVE_UP_AFTER_S = 72 * 3600
"""A version that was tried in vain and is so old is not tried any more."""
LOCK_S = 600
"""A lane's lock is lost after so long: attempts take seconds, and a machine that vanished holds up nothing for ever."""
MAX_ERROR_CHARS = 500
EXPIRED = "told nobody anything any more"
UNANSWERED = "the last attempt has come to no answer"
OUT_OF_TIME = "the time for deliveries was used up before it had arrived"
_LANE_SPACE = 6_508_127_341  # any number: lanes' locks are not mixed up with others in the database
_ROW = DELIVERY.c
_OTHER = DELIVERY.alias("other")


@dataclass(frozen=True)
class Choice:
    """Which rows are tried: of `kinds` only; `subject`: only lanes in which it waits; `is_forced`: back-off or not.

    Rows that stand before those of the subject in its lanes are tried too: the order of a lane holds. The back-off of a
    row that may have arrived holds in any case: the service may still be at it, so that nobody would find it yet.
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
    late = update(DELIVERY).where(is_own(engine), IS_WAITING, _ROW.expires <= func.clock_timestamp())
    with session(engine) as connection:
        connection.execute(late.values(given_up_at=func.clock_timestamp(), last_error=EXPIRED))


def give_up_old(engine: Engine, kinds: frozenset[str]) -> None:
    """Give up what was tried for so long, and what nobody was there to try; `kinds`: those that are tried here."""
    is_over = or_(_ROW.attempts > 0, _ROW.last_error.is_not(None), _ROW.kind.not_in(kinds))
    old = update(DELIVERY).where(is_own(engine), IS_WAITING, _ROW.updated <= after(-GIVE_UP_AFTER_S), is_over)
    why = func.coalesce(_ROW.last_error, "the service is not set up")
    reason = literal(f"given up after {GIVE_UP_AFTER_S // 3600} h: ").concat(why)
    with session(engine) as connection:
        connection.execute(old.values(given_up_at=func.clock_timestamp(), last_error=reason))


def count_waiting(engine: Engine, subject: str | None) -> int:
    """How many rows wait; `subject`: about this only."""
    waiting = select(func.count()).select_from(DELIVERY).where(is_own(engine), IS_WAITING)
    counted = waiting if subject is None else waiting.where(_ROW.subject == subject)
    with session(engine) as connection:
        return int(connection.scalar(counted) or 0)


def due_lanes(engine: Engine, choice: Choice) -> dict[str, list[str]]:
    """The lanes whose first row may be tried now, by service: those that failed least first, then the oldest.

    So a row that fails each time, and for which the service is left alone then, keeps no other from being tried. A lane
    whose name goes on from another's comes after it: what it needs may be there by then.
    """
    columns = (_ROW.id, _ROW.service, _ROW.lane, _ROW.attempts, _is_due(choice).label("is_due"))
    tried = select(*columns).where(is_own(engine), _is_tried(choice))
    first = tried.ext(distinct_on(_ROW.lane)).order_by(_ROW.lane, _ROW.id)
    heads = first.subquery()
    due = select(heads.c.service, heads.c.lane).where(heads.c.is_due).order_by(heads.c.attempts, heads.c.id)
    lanes: dict[str, list[str]] = {}
    with session(engine) as connection:
        for service, lane in connection.execute(due):
            lanes.setdefault(service, []).append(lane)
    return {service: _upper_first(found) for service, found in lanes.items()}


def _upper_first(lanes: list[str]) -> list[str]:
    place = {lane: number for number, lane in enumerate(lanes)}
    return sorted(lanes, key=lambda lane: (max(place[lane], place.get(lane.rpartition("/")[0], 0)), len(lane)))


def claim(engine: Engine, lane: str, choice: Choice) -> Row | None:
    """Begin an attempt at the lane's first row, if it is due; None: nothing to do. The caller holds the lane's lock.

    The row says of what was before this attempt whether it may have arrived, and when and why it failed; its number
    of attempts counts this one.
    """
    head = select(DELIVERY, _is_due(choice).label("is_due"))
    head = head.where(is_own(engine), _ROW.lane == lane, _is_tried(choice))
    with session(engine) as connection:
        found = connection.execute(head.order_by(_ROW.id).limit(1).with_for_update(of=DELIVERY)).mappings().first()
        if found is None or not found["is_due"]:
            return None
        row = as_row({name: value for name, value in found.items() if name != "is_due"})
        row = replace(row, attempts=row.attempts + 1)
        begun = {"attempts": row.attempts, "may_have_arrived": True, "last_error": UNANSWERED}
        connection.execute(_of(row).values(next_attempt=after(_wait_s(row.attempts, is_unsure=True)), **begun))
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
    is_unsure = row.may_have_arrived or may_have_arrived
    changes: dict[str, Any] = {"last_error": reason, "may_have_arrived": is_unsure}
    if not is_unsure:  # then it waits no longer than it has to, and a newer version is due at once
        waited = after(_wait_s(row.attempts, is_unsure=False))
        changes["next_attempt"] = case((_ROW.version == row.version, waited), else_=func.clock_timestamp())
    if retry_after_s is not None:
        changes["not_before"] = after(min(retry_after_s, GIVE_UP_AFTER_S))
    if is_permanent:
        changes["given_up_at"] = case((_ROW.version == row.version, func.clock_timestamp()), else_=None)
    with session(engine) as connection:
        connection.execute(_of(row).values(**changes))
    return reason


def untried(engine: Engine, row: Row, *, may_have_arrived: bool) -> None:
    """The attempt ended for want of time: it is not counted, but what it has sent may have arrived.

    It is due at once where nothing can have arrived; its age is that of any other row.
    """
    as_before: dict[str, Any] = {"attempts": row.attempts - 1, "last_error": row.last_error or OUT_OF_TIME}
    is_same = _ROW.version == row.version
    changes = {name: case((is_same, value), else_=_ROW[name]) for name, value in as_before.items()}
    is_unsure = row.may_have_arrived or may_have_arrived
    if not is_unsure:
        changes["next_attempt"] = case((is_same, row.next_attempt), else_=func.clock_timestamp())
    with session(engine) as connection:
        connection.execute(_of(row).values(may_have_arrived=is_unsure, **changes))


def _wait_s(attempts: int, *, is_unsure: bool) -> int:
    wait_s = BACKOFF_S[min(attempts, len(BACKOFF_S)) - 1]
    return max(wait_s, UNSURE_S) if is_unsure else wait_s


def _of(row: Row) -> Any:
    return update(DELIVERY).where(_ROW.id == row.id)


def _is_tried(choice: Choice) -> ColumnElement[bool]:
    lives = or_(_ROW.expires.is_(None), _ROW.expires > func.clock_timestamp())
    tried = and_(IS_WAITING, _ROW.kind.in_(sorted(choice.kinds)), lives)
    if choice.subject is None:
        return tried
    other = _OTHER.c
    waits = and_(other.version > other.delivered_version, other.given_up_at.is_(None), other.lane == _ROW.lane)
    is_behind = and_(other.subject == choice.subject, other.id >= _ROW.id, other.origin == _ROW.origin)
    of_subject = select(other.id).where(waits, is_behind)
    return and_(tried, of_subject.correlate(DELIVERY).exists())


def _is_due(choice: Choice) -> ColumnElement[bool]:
    other = _OTHER.c
    is_theirs = and_(other.service == _ROW.service, other.origin == _ROW.origin)
    asked = select(other.id).where(is_theirs, other.not_before > func.clock_timestamp())
    may_ask = ~asked.correlate(DELIVERY).exists()
    has_waited = _ROW.next_attempt <= func.clock_timestamp()
    return and_(may_ask, or_(has_waited, ~_ROW.may_have_arrived) if choice.is_forced else has_waited)
