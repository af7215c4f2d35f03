"""An invariant that does not hold is counted and told: two years without one would prove nothing otherwise."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.upkeep_dag_run import Entry
from experiments.upkeep_invariants import Invariants
from experiments.upkeep_stubs import Load

pytestmark = pytest.mark.unit
NIGHT = datetime(2027, 6, 13, 21, tzinfo=UTC)
"""23:00 in Italy; the 14th is kept free of load."""


@pytest.fixture
def invariants() -> Any:
    airflow = SimpleNamespace(book=[], active=set(), absences=[], pauses={})
    return Invariants(SimpleNamespace(now=NIGHT + timedelta(days=1), loads=[]), airflow, SimpleNamespace())


def load(run_id: str, begin: datetime, minutes: float, owner: str = "me", target: str = "pratikoai") -> Load:
    return Load(run_id, owner, target, begin, begin + timedelta(minutes=minutes), False)


def kinds(invariants: Any) -> list[str]:
    return [line.partition(" ")[2].partition(":")[0] for line in invariants.broken]


def test_a_load_may_not_reach_into_a_blackout_by_italys_date(invariants: Any) -> None:
    """Until midnight is fine; a minute more is not, but on a target where nobody works."""
    invariants._loads([load("smoke-20270613-205900-aaaaaa", NIGHT, 60)])
    assert invariants.broken == []
    invariants._loads([load("smoke-20270613-205900-bbbbbb", NIGHT, 61, target="demo")])
    assert invariants.broken == []
    invariants._loads([load("smoke-20270613-205900-cccccc", NIGHT, 61)])
    assert kinds(invariants) == ["no load in a blackout"]


def test_two_loads_at_once_and_one_that_comes_late(invariants: Any) -> None:
    """Of one DAG run they follow each other; of two they may not overlap; hours after its order is too late."""
    early = NIGHT - timedelta(hours=8)
    first, second = (load(f"smoke-20270613-13000{n}-aaaaaa", early + timedelta(minutes=n), 5, str(n)) for n in (0, 1))
    invariants._loads([first, second])
    assert kinds(invariants) == ["one load at a time"]
    invariants.broken.clear()
    invariants._loads([load("smoke-20270613-080000-aaaaaa", early, 5, "late")])
    assert kinds(invariants) == ["load follows its order"]


def test_a_night_of_a_schedule_without_a_word(invariants: Any) -> None:
    """A start that was skipped and says why is fine, and so is one that a pause took; silence is not."""
    sunday = datetime(2027, 6, 6, 2, tzinfo=UTC)
    day = sunday.date() + timedelta(days=1)
    invariants._slots_told(day)
    assert kinds(invariants) == ["each slot told"]
    invariants.broken.clear()
    invariants.airflow.pauses["weekly"] = [(sunday - timedelta(days=1), sunday + timedelta(days=1))]
    invariants._slots_told(day)
    invariants.airflow.pauses.clear()
    invariants.airflow.book.append(Entry("weekly", sunday, outcome="PASS"))
    invariants._slots_told(day)
    assert invariants.broken == []
