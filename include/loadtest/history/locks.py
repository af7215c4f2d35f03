"""One load test at a time on a target, whatever starts it and wherever: a lease, its fencing token, and who waits.

All of it stands in the history database, so several Airflow installations that share one share the queues too. Its
clock decides what has expired. Whatever changes who holds a target locks the target's row of `target_token` first: for
one target that happens one after the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from include.loadtest.errors import InvalidTestError
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import TARGET_LOCK, TARGET_TOKEN, TARGET_WAITER

IDLE_S = 10
"""So long the database bears a silent process in the midst of a change; then it undoes the change."""
WAITER_LIVE_S = 60
"""A waiter that gave no sign of life for so long is passed over; it keeps its place: its triggerer may come back."""
WAITER_FORGOTTEN_S = 600
"""One that gave none for so long has lost its place."""
TAKEN_UP_S = 7200
"""So long after its end a lock may be taken up again. Whose run stood still for longer (Airflow was away, the DAG was
paused) would send its load at another time than it was ordered for."""
_LOCK = TARGET_LOCK.c
_WAITER = TARGET_WAITER.c


@dataclass(frozen=True)
class Holder:
    """Who has a target: a DAG run, for which run, since when, and until when unless it is renewed (UTC)."""

    owner: str
    run_id: str
    since: datetime
    until: datetime

    def text(self) -> str:
        """For a message."""
        return f"{self.owner} for run {self.run_id} since {_moment(self.since)} until {_moment(self.until)} UTC"


@dataclass(frozen=True)
class Standing:
    """A waiter's place among those that give signs of life, from 1; `holder`: None while nobody has the target."""

    place: int
    holder: Holder | None

    @property
    def may_take(self) -> bool:
        """Whether the target is this waiter's now."""
        return self.place == 1 and self.holder is None


class TargetHeldError(InvalidTestError):
    """The target is somebody else's now (code `target_locked`): `holder` has it, or, where that is None, a turn is due.

    `owner` asked for `run_id`; `ahead`: how many wait before it, itself not counted.
    """

    def __init__(self, target: str, owner: str, run_id: str, holder: Holder | None, ahead: int) -> None:
        state = f"is held by {holder.text()} at the latest" if holder else "is free, but it is another's turn"
        waiting = f"; {ahead} wait{'s' if ahead == 1 else ''} for it before this run" if ahead else ""
        super().__init__("target_locked", f"target {target} {state}{waiting}")
        self.target, self.owner, self.run_id = target, owner, run_id
        self.holder, self.ahead = holder, ahead


def acquire_lock(engine: Engine, target: str, owner: str, run_id: str, ttl_s: int) -> int:
    """Take the target for `owner` for `ttl_s` seconds; returns the fencing token, which rises with every new owner.

    An own lock is renewed and keeps its token, an expired one is taken over. While others wait, only the first of them
    gets it. Of several callers at once exactly one gets it. Raises TargetHeldError.
    """
    with _short(engine) as connection:
        last = _alone(connection, target)
        row = connection.execute(select(TARGET_LOCK).where(_LOCK.target == target).with_for_update()).first()
        is_own = row is not None and row.owner == owner
        if not is_own:
            holder, ahead = _valid(connection, row), _ahead(connection, target, owner)
            if holder is not None or ahead:
                raise TargetHeldError(target, owner, run_id, holder, ahead)
        token, acquired = (row.token, row.acquired) if row is not None and is_own else (last + 1, None)
        _write(connection, target, token, ttl_s, owner=owner, run_id=run_id, acquired=acquired)
        _leave(connection, target, owner)
        return int(token)


def extend_lock(engine: Engine, target: str, owner: str, token: int, ttl_s: int) -> None:
    """Hold the lock until `ttl_s` seconds from now. Raises InvalidTestError (`target_locked`) where it is not held.

    One that expired is held again for TAKEN_UP_S, if its row still has the token: then nobody had it in between.
    """
    with _short(engine) as connection:
        own = update(TARGET_LOCK).where(_is_own(target, owner, token), _LOCK.expires > _after(-TAKEN_UP_S))
        if not connection.execute(own.values(expires=_after(ttl_s))).rowcount:
            raise _not_held(connection, target, owner, token)


def check_token(engine: Engine, target: str, owner: str, token: int) -> None:
    """Raise InvalidTestError (`target_locked`) unless `owner` holds the target now with this very token."""
    with transaction(engine) as connection:
        held = select(_LOCK.token).where(_is_own(target, owner, token), _LOCK.expires > func.clock_timestamp())
        if connection.execute(held).first() is None:
            raise _not_held(connection, target, owner, token)


def release_lock(engine: Engine, target: str, owner: str) -> bool:
    """Give the target free, if `owner` holds it, and wait for it no longer; returns whether there was an own lock.

    Another's lock stays. The token stays too: the next owner gets a higher one.
    """
    with _short(engine) as connection:
        _alone(connection, target)
        own = delete(TARGET_LOCK).where(_LOCK.target == target, _LOCK.owner == owner)
        released = bool(connection.execute(own).rowcount)
        _leave(connection, target, owner)
        return released


def stand_in_line(engine: Engine, target: str, owner: str, run_id: str) -> Standing:
    """Wait for the target in order of arrival, or go on waiting: a call is a sign of life. Returns the place."""
    with _short(engine) as connection:
        _alone(connection, target)
        forgotten = _WAITER.last_seen <= func.clock_timestamp() - literal(timedelta(seconds=WAITER_FORGOTTEN_S))
        connection.execute(delete(TARGET_WAITER).where(_WAITER.target == target, forgotten))
        now = {"since": func.clock_timestamp(), "last_seen": func.clock_timestamp()}
        arrival = insert(TARGET_WAITER).values(target=target, owner=owner, run_id=run_id, **now)
        seen = {"run_id": arrival.excluded.run_id, "last_seen": arrival.excluded.last_seen}
        connection.execute(arrival.on_conflict_do_update(index_elements=[_WAITER.target, _WAITER.owner], set_=seen))
        row = connection.execute(select(TARGET_LOCK).where(_LOCK.target == target)).first()
        holder = None if row is not None and row.owner == owner else _valid(connection, row)
        return Standing(_ahead(connection, target, owner) + 1, holder)


def leave_line(engine: Engine, target: str, owner: str) -> None:
    """Wait no longer."""
    with _short(engine) as connection:
        _leave(connection, target, owner)


@contextmanager
def _short(engine: Engine) -> Iterator[Connection]:
    """A transaction that changes who holds or waits; a process that was stopped within it holds up nobody for long."""
    with transaction(engine) as connection:
        connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_S}s'"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{2 * IDLE_S}s'"))
        yield connection


def _alone(connection: Connection, target: str) -> int:
    """Wait until nobody else changes who has the target; returns the last token given."""
    connection.execute(insert(TARGET_TOKEN).values(target=target, token=0).on_conflict_do_nothing())
    last = select(TARGET_TOKEN.c.token).where(TARGET_TOKEN.c.target == target).with_for_update()
    return int(connection.execute(last).scalar_one())


def _write(
    connection: Connection, target: str, token: int, ttl_s: int, *, owner: str, run_id: str, acquired: datetime | None
) -> None:
    since = func.clock_timestamp() if acquired is None else acquired
    values = {"owner": owner, "run_id": run_id, "token": token, "acquired": since, "expires": _after(ttl_s)}
    lock = insert(TARGET_LOCK).values(target=target, **values)
    connection.execute(lock.on_conflict_do_update(index_elements=[_LOCK.target], set_=values))
    connection.execute(update(TARGET_TOKEN).where(TARGET_TOKEN.c.target == target).values(token=token))


def _leave(connection: Connection, target: str, owner: str) -> None:
    connection.execute(delete(TARGET_WAITER).where(_WAITER.target == target, _WAITER.owner == owner))


def _ahead(connection: Connection, target: str, owner: str) -> int:
    """How many others wait, with signs of life, since before `owner`; all of them where it does not wait."""
    own = select(_WAITER.ticket).where(_WAITER.target == target, _WAITER.owner == owner)
    ticket = connection.scalar(own)
    lives = _WAITER.last_seen > func.clock_timestamp() - literal(timedelta(seconds=WAITER_LIVE_S))
    others = [_WAITER.target == target, _WAITER.owner != owner, lives]
    others += [] if ticket is None else [_WAITER.ticket < ticket]
    return int(connection.scalar(select(func.count()).select_from(TARGET_WAITER).where(*others)) or 0)


def _after(ttl_s: int) -> ColumnElement[datetime]:
    # Not now(): that is when the transaction began, before it waited for others.
    return func.clock_timestamp() + literal(timedelta(seconds=ttl_s))


def _is_own(target: str, owner: str, token: int) -> ColumnElement[bool]:
    return and_(_LOCK.target == target, _LOCK.owner == owner, _LOCK.token == token)


def _valid(connection: Connection, row: Row[Any] | None) -> Holder | None:
    """The holder that a row names, unless it has expired."""
    if row is None or row.expires <= connection.scalar(select(func.clock_timestamp())):
        return None
    return Holder(row.owner, row.run_id, row.acquired.astimezone(UTC), row.expires.astimezone(UTC))


def _not_held(connection: Connection, target: str, owner: str, token: int) -> InvalidTestError:
    row = connection.execute(select(TARGET_LOCK).where(_LOCK.target == target)).first()
    holder = _valid(connection, row)
    if holder is not None and row is not None and (row.owner, row.token) != (owner, token):
        tokens = f"its lock has token {row.token}, not {token}"
        return InvalidTestError("target_locked", f"target {target} is held by {holder.text()} at the latest: {tokens}")
    whose = f"target {target}: the lock of {owner} (token {token})"
    if row is not None and (row.owner, row.token) == (owner, token) and _is_past(connection, row.expires):
        since = _moment(row.expires.astimezone(UTC))
        still = f"expired at {since} UTC, the run stood still for too long to go on now; trigger it anew"
        return InvalidTestError("target_locked", f"{whose} {still}")
    return InvalidTestError("target_locked", f"{whose} was released, or expired and was another's")


def _is_past(connection: Connection, expires: datetime) -> bool:
    """Whether a lock that ended then is taken up no more."""
    return bool(connection.scalar(select(literal(expires) <= _after(-TAKEN_UP_S))))


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"
