"""What of a target is open: the latest regressions that nobody accepted, baselines, tickets."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from include.loadtest.errors import InfrastructureError
from include.loadtest.history.baselines import mark_intended_change, pin_baseline, propose_baseline, retire_baseline
from include.loadtest.history.database import connect
from include.loadtest.history.schema import TICKET
from include.loadtest.history.standing import read_standing
from include.loadtest.history.store import RunRecord, record_run
from tests.loadtest.history.conftest import START

pytestmark = pytest.mark.integration
NOW = START + timedelta(days=70)
Record = Callable[..., RunRecord]


@pytest.fixture
def run(engine: Engine, record: Record) -> Callable[..., RunRecord]:
    """Records a run `days_ago` days before now."""

    def insert_run(run_id: str, days_ago: float, verdict: str = "PASS", **changes: Any) -> RunRecord:
        made = record(run_id, verdict=verdict)
        made = RunRecord(**{**vars(made), "started": NOW - timedelta(days=days_ago), "ended": None, **changes})
        record_run(engine, made, [])
        return made

    return insert_run


def regressions(engine: Engine) -> list[str]:
    return [row["run_id"] for row in read_standing(engine, "default", NOW)["regressions"]]


def test_the_latest_run_of_a_key_is_an_open_regression(engine: Engine, run: Callable[..., RunRecord]) -> None:
    """A green run after it closes it, and a repeat does not count."""
    run("smoke-20260301-1-a", 9, "REGRESSION")
    assert regressions(engine) == ["smoke-20260301-1-a"]
    run("smoke-20260301-2-a", 8)
    assert regressions(engine) == []


def test_a_regression_whose_level_was_accepted_is_closed(engine: Engine, run: Callable[..., RunRecord]) -> None:
    """By a baseline that holds it."""
    made = run("smoke-20260301-1-a", 9, "REGRESSION")
    key = made.key
    pin_baseline(engine, key, [made.run_id], "somebody", "the new level", least=1, accept_regression=True)
    assert regressions(engine) == []


@pytest.mark.parametrize(("days_ago", "left"), [(8, []), (10, ["smoke-20260301-1-a"])])
def test_an_intended_change_since_then_closes_it(
    engine: Engine, run: Callable[..., RunRecord], days_ago: float, left: list[str]
) -> None:
    """One before it does not: the run was slower than what came after that."""
    run("smoke-20260301-1-a", 9, "REGRESSION")
    mark_intended_change(engine, "default", None, NOW - timedelta(days=days_ago), by="somebody", reason="new search")
    assert regressions(engine) == left


def test_baselines_are_those_that_are_pinned_or_wait(engine: Engine, run: Callable[..., RunRecord]) -> None:
    """With number of runs, who, when and why; a retired one is gone."""
    made = run("smoke-20260301-1-a", 9)
    key = made.key
    number = propose_baseline(engine, key, [made.run_id], "somebody", "enough runs", least=1)
    (found,) = read_standing(engine, "default", NOW)["baselines"]
    assert (found["id"], found["status"], found["runs"], found["by"]) == (number, "proposed", 1, "somebody")
    assert (found["reason"], found["at"][:2]) == ("enough runs", "20")
    retire_baseline(engine, number, "somebody", "no")
    assert read_standing(engine, "default", NOW)["baselines"] == []


def test_open_tickets_of_the_target(engine: Engine) -> None:
    """Closed ones, and those of another target, are not."""
    row = {"profile": "smoke", "scope": "all", "metric": "latency_p95_ms", "direction": "lower", "target": "default"}
    rows = [
        {**row, "fingerprint": "a", "state": "open", "number": 7, "repository": "own/er"},
        {**row, "fingerprint": "b", "state": "closed", "number": None, "repository": None},
        {**row, "fingerprint": "c", "state": "open", "target": "other", "number": None, "repository": None},
    ]
    with engine.begin() as connection:
        connection.execute(insert(TICKET), rows)
    (found,) = read_standing(engine, "default", NOW)["tickets"]
    assert (found["number"], found["repository"], found["metric"]) == (7, "own/er", "latency_p95_ms")


def test_a_database_that_does_not_answer_is_an_infrastructure_error() -> None:
    """The review then says that nothing is known."""
    with pytest.raises(InfrastructureError):
        read_standing(connect("postgresql://nobody:x@127.0.0.1:1/none"), "default", NOW)
