"""One load test at a time on a target, whatever starts it: a row that names the holder, until it expires."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, case, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from include.loadtest.errors import InvalidTestError
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import TARGET_LOCK

_ATTEMPTS = 5
_TABLE = TARGET_LOCK.c


def acquire_lock(engine: Engine, target: str, owner: str, run_id: str, ttl_s: int) -> None:
    """Take the target for `owner` for `ttl_s` seconds; an own lock is renewed, an expired one taken over.

    Raises InvalidTestError with the code `target_locked` where somebody else holds it: the text says who, for which
    run, since when and until when. Of several callers at once exactly one gets it: it is one statement, and the
    database's clock decides.
    """
    for _ in range(_ATTEMPTS):
        if _take(engine, target, owner, run_id, ttl_s):
            return
        holder = _holder(engine, target)
        if holder is not None:
            raise _locked(target, holder)
    raise InvalidTestError(
        "target_locked", f"target {target}: others take and release its lock all the time; try again"
    )


def extend_lock(engine: Engine, target: str, owner: str, ttl_s: int) -> None:
    """Hold the lock until `ttl_s` seconds from now. Raises InvalidTestError (`target_locked`) where it is not held.

    One that expired is held again, if its row still names `owner`: then nobody else had it in between.
    """
    statement = update(TARGET_LOCK).where(_TABLE.target == target, _TABLE.owner == owner)
    with transaction(engine) as connection:
        extended = connection.execute(statement.values(expires=_after(ttl_s))).rowcount
    if extended:
        return
    holder = _holder(engine, target)
    if holder is not None and holder.owner != owner:
        raise _locked(target, holder)
    raise InvalidTestError(
        "target_locked", f"target {target}: the lock of {owner} was released, or expired and was another's"
    )


def release_lock(engine: Engine, target: str, owner: str) -> bool:
    """Give the target free, if `owner` holds it; another's lock stays. Returns whether there was an own one."""
    statement = delete(TARGET_LOCK).where(_TABLE.target == target, _TABLE.owner == owner)
    with transaction(engine) as connection:
        return bool(connection.execute(statement).rowcount)


def _after(ttl_s: int) -> ColumnElement[datetime]:
    return func.now() + literal(timedelta(seconds=ttl_s))


def _take(engine: Engine, target: str, owner: str, run_id: str, ttl_s: int) -> bool:
    statement = insert(TARGET_LOCK).values(
        target=target, owner=owner, run_id=run_id, acquired=func.now(), expires=_after(ttl_s)
    )
    own = _TABLE.owner == statement.excluded.owner
    taken = statement.on_conflict_do_update(
        index_elements=[_TABLE.target],
        set_={
            "owner": statement.excluded.owner,
            "run_id": statement.excluded.run_id,
            "acquired": case((own, _TABLE.acquired), else_=statement.excluded.acquired),
            "expires": statement.excluded.expires,
        },
        where=or_(own, _TABLE.expires <= func.now()),
    ).returning(_TABLE.owner)
    with transaction(engine) as connection:
        return connection.execute(taken).first() is not None


def _holder(engine: Engine, target: str) -> Row[Any] | None:
    with transaction(engine) as connection:
        statement = select(TARGET_LOCK).where(_TABLE.target == target, _TABLE.expires > func.now())
        return connection.execute(statement).first()


def _locked(target: str, holder: Row[Any]) -> InvalidTestError:
    since, until = (f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for moment in (holder.acquired, holder.expires))
    held = f"target {target} is held by {holder.owner} for run {holder.run_id}"
    return InvalidTestError("target_locked", f"{held} since {since} until {until} UTC at the latest")
