"""The years' checks can fail: with a safeguard taken away, some of the same days break the invariant that it is for."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, delete

from experiments.claims import Claim, Say
from experiments.upkeep_years import years
from include.loadtest.history import locks
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import TARGET_LOCK
from include.loadtest.orchestration.housekeeping_rules import load_rules
from include.loadtest.orchestration.housekeeping_switch import Finding
from include.loadtest.publishing.delivery import DeliveryError

AT = "include.loadtest.orchestration"


@dataclass(frozen=True)
class Undone:
    """Some days without safeguards that do not touch each other; `breaks` names the invariants that must not hold."""

    what: str
    days: int
    pace: float
    instead: Mapping[str, Any]
    breaks: tuple[str, ...]


def undone_claims(name: str, say: Say) -> Iterator[Claim]:
    """A line for each."""
    for one in ALL:
        say(f"without: {one.what}")
        with _without(one), years(say, one.days, pace=one.pace) as found:
            broken = Counter(_kind(line) for line in found.broken)
        told = ", ".join(f"{kind}: {broken[kind]}" for kind in one.breaks)
        others = ", ".join(sorted(set(broken) - set(one.breaks))) or "none"
        yield Claim(
            name,
            f"{one.days + 1} days without {one.what}",
            f"broken: {', '.join(one.breaks)}",
            f"broken {told}; besides: {others}",
            all(broken[kind] for kind in one.breaks),
        )


def _kind(line: str) -> str:
    return line.partition(" ")[2].partition(":")[0]


@contextmanager
def _without(one: Undone) -> Iterator[None]:
    with ExitStack() as stack:
        for name, value in one.instead.items():
            stack.enter_context(patch(name, value))
        yield


def _says(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


def _taken_from_its_holder(engine: Engine, target: str, *rest: Any, **named: Any) -> Any:
    with transaction(engine) as connection:
        connection.execute(delete(TARGET_LOCK).where(TARGET_LOCK.c.target == target))
    return locks.acquire_lock(engine, target, *rest, **named)


def _rules_of_30_days() -> Any:
    rules = load_rules()
    return rules.model_copy(update={"retention": rules.retention.model_copy(update={"samples_days": 30})})


def _unsure_of_nothing(text: str, **_: Any) -> DeliveryError:
    return DeliveryError(text)


ALL = (
    Undone("the calendar's word on a start, monthly starts and a word on them, and rows in the history", 50, 1, {
        "experiments.upkeep_years.load_cadences": _says(("weekly", "quarterly")),
        "experiments.upkeep_airflow.load_cadences": _says(("weekly", "quarterly")),
        f"{AT}.context.refusal": _says(None),
        "include.loadtest.calendar.scheduled_skip": _says(None),
        "experiments.upkeep_housekeeping.judge_lost": _says(Finding(alarm=False, text="")),
        "experiments.upkeep_stubs.record_run": _says(None),
    }, ("no load in a blackout", "skipped nights skipped", "each slot told", "lost nights are told",
        "each run in the history with its verdict", "last verdict of each known", "last run of each known")),
    Undone("a lock that has one holder, and the holder's look at its token", 20, 6, {
        f"{AT}.lease.acquire_lock": _taken_from_its_holder,
        f"{AT}.lease.extend_lock": _says(None),
        f"{AT}.lease.check_token": _says(None),
    }, ("one load at a time",)),
    Undone("the limits on what begins, or goes on, long after its order", 30, 8, {
        "experiments.upkeep_years.AWAY": ((12, 0.1),),
        f"{AT}.tasks.ORDERED_WITHIN_S": 1e9,
        "include.loadtest.history.locks.TAKEN_UP_S": 10**7,
    }, ("begun within its grace", "load follows its order")),
    Undone("what housekeeping removes, and a second look at a message that may have arrived", 60, 1, {
        "experiments.upkeep_years.KILLED_SHARE": 0.1,
        "experiments.upkeep_airflow.DELETED_SHARE": 0.5,
        "experiments.upkeep_housekeeping.load_rules": _rules_of_30_days,
        "experiments.upkeep_housekeeping.Housekeeping._remove": _says(None),
        "experiments.upkeep_housekeeping.DeliveryError": _unsure_of_nothing,
    }, ("old samples gone", "no work folder left", "no dead lock stays", "told once")),
    Undone("the switch's alarm, and deliveries", 80, 1, {
        "experiments.upkeep_housekeeping.judge_silence": _says(Finding(alarm=False, text="")),
        "experiments.upkeep_housekeeping.Courier.deliver": _says(None),
    }, ("the switch alarms when it has to", "the outbox drains")),
)  # fmt: skip
