"""Which runs are a baseline, who pinned them and why, and where comparisons start anew."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.loadtest.errors import ConfigError
from include.loadtest.history.baselines import (
    MIN_PROPOSED_RUNS,
    find_run,
    key_of_latest,
    last_intended_change,
    list_baselines,
    list_intended_changes,
    mark_intended_change,
    pin_baseline,
    pin_proposal,
    pinned_runs,
    propose_baseline,
    propose_latest,
    retire_baseline,
)
from include.loadtest.history.comparability import comparability_key
from include.loadtest.history.database import connect
from include.loadtest.history.store import last_comparable_runs, record_run
from tests.loadtest.history.conftest import START

pytestmark = pytest.mark.integration
WHY = "release 1.4 is the level"
WITH_REASON = ("ops", WHY)
ENOUGH = 3


@pytest.fixture
def key(engine: Engine, record: Any, metric: Any) -> str:
    """The key of ten runs r0 to r9, a day apart, all PASS but r4, which is WARN."""
    for day in range(10):
        run = record(f"smoke-r{day}", day=day, verdict="WARN" if day == 4 else "PASS")
        record_run(engine, run, [metric("latency_p95_ms", 100.0 + day), metric("latency_p95_ms", 7.0, phase="ramp_up")])
    return comparability_key(run.comparability)


def named(*days: int) -> list[str]:
    return [f"smoke-r{day}" for day in days]


def status_of(engine: Engine) -> dict[int, str]:
    return {entry["id"]: entry["status"] for entry in list_baselines(engine)}


def test_a_pinned_set_is_listed_with_who_when_why_and_read_with_its_metrics(engine: Engine, key: str) -> None:
    """As last_comparable_runs gives runs; text is bounded and on one line."""
    asked = datetime.now(UTC) - timedelta(minutes=1)
    assert pinned_runs(engine, key) == []
    pinned = pin_baseline(engine, key, named(4, 1, 2, 1), " anna\n", f"{WHY}\x1b\n{'x' * 600}", least=ENOUGH)
    (entry,) = list_baselines(engine)
    assert (entry["id"], entry["status"], entry["profile"], entry["target"]) == (pinned, "pinned", "smoke", "default")
    assert entry["run_ids"] == named(1, 2, 4)
    assert entry["pinned_by"] == "anna"
    assert entry["pinned_at"] > asked
    assert entry["pinned_reason"].startswith(f"{WHY}  xx")
    assert len(entry["pinned_reason"]) == 500
    assert (entry["proposed_at"], entry["retired_at"]) == (None, None)
    expected = [
        run
        for run in last_comparable_runs(engine, key, START + timedelta(days=99), limit=99)
        if run["run_id"] in named(1, 2, 4)
    ]
    assert pinned_runs(engine, key) == expected
    assert [run["run_id"] for run in expected] == named(4, 2, 1)
    assert [run["metrics"][0]["value"] for run in pinned_runs(engine, key, phase="ramp_up")] == [7.0] * 3
    assert pinned_runs(engine, "another") == []


def test_a_new_pin_retires_the_old_one_of_its_key_only(engine: Engine, key: str, record: Any) -> None:
    """At no moment are there two, and the old one stays in the list with why it ended."""
    other = {"users": 99}
    record_run(engine, record("smoke-other", comparability=other), [])
    elsewhere = pin_baseline(engine, comparability_key(other), ["smoke-other"], *WITH_REASON, least=1)
    first = pin_baseline(engine, key, named(0, 1, 2), *WITH_REASON, least=ENOUGH)
    second = pin_baseline(engine, key, named(2, 3, 4), "ben", "faster now", least=ENOUGH)
    assert status_of(engine) == {second: "pinned", first: "retired", elsewhere: "pinned"}
    assert {run["run_id"] for run in pinned_runs(engine, key)} == set(named(2, 3, 4))
    old = next(entry for entry in list_baselines(engine) if entry["id"] == first)
    assert (old["retired_by"], old["retired_reason"]) == ("ben", "another set of runs was pinned")
    retire_baseline(engine, second, "ben", "hardware went")
    assert pinned_runs(engine, key) == []
    with pytest.raises(ConfigError, match=rf"baseline {second} is retired, not pinned or proposed"):
        retire_baseline(engine, second, *WITH_REASON)


def test_pins_at_once_leave_one(url: str, engine: Engine, key: str) -> None:
    """Each is whole, and all but the last are retired."""
    callers = 6
    start = threading.Barrier(callers)

    def pin(number: int) -> int:
        start.wait(timeout=30)
        return pin_baseline(connect(url), key, named(number, 7, 8), *WITH_REASON, least=ENOUGH)

    with ThreadPoolExecutor(callers) as pool:
        ids = list(pool.map(pin, range(callers)))
    found = status_of(engine)
    assert len(set(ids)) == callers
    assert sorted(found.values()) == ["pinned", *["retired"] * (callers - 1)]
    assert len(pinned_runs(engine, key)) == 3


@pytest.mark.parametrize("verdict", ["SLA_BREACH", "ABORTED", "INCONCLUSIVE"])
def test_a_run_that_is_no_measure_never_enters(engine: Engine, key: str, record: Any, verdict: str) -> None:
    """Neither pinned nor proposed, also not where regressions are accepted; nothing is written."""
    record_run(engine, record("smoke-bad", day=11, verdict=verdict), [])
    wanted = [*named(0, 1, 2), "smoke-bad"]
    text = f"run smoke-bad ended {verdict}: only PASS and WARN can be a baseline$"
    with pytest.raises(ConfigError, match=text):
        pin_baseline(engine, key, wanted, *WITH_REASON, least=ENOUGH, accept_regression=True)
    with pytest.raises(ConfigError, match=text):
        propose_baseline(engine, key, wanted, *WITH_REASON, least=ENOUGH)
    assert list_baselines(engine) == []


def test_an_operator_may_accept_the_level_of_a_regression(engine: Engine, key: str, record: Any) -> None:
    """Said expressly; a run whose verdict becomes worse afterwards leaves the comparison."""
    slower = record("smoke-slower", day=11, verdict="REGRESSION")
    record_run(engine, slower, [])
    wanted = ["smoke-slower", *named(8, 9)]
    with pytest.raises(ConfigError, match=r"smoke-slower ended REGRESSION: .*accept_regression takes it"):
        pin_baseline(engine, key, wanted, *WITH_REASON, least=ENOUGH)
    pin_baseline(engine, key, wanted, *WITH_REASON, least=ENOUGH, accept_regression=True)
    assert [run["run_id"] for run in pinned_runs(engine, key)] == ["smoke-slower", *named(9, 8)]
    record_run(engine, record("smoke-slower", day=11, verdict="INCONCLUSIVE"), [])
    assert [run["run_id"] for run in pinned_runs(engine, key)] == named(9, 8)


def test_what_cannot_be_pinned_is_one_clear_line(engine: Engine, key: str, record: Any) -> None:
    """An unknown run with the nearest one, other conditions with the field, too few runs, no reason, hostile names."""
    record_run(engine, record("smoke-x", comparability={**record("smoke-r0").comparability, "users": 99}), [])

    def refused(run_ids: list[str], reason: str = WHY) -> str:
        with pytest.raises(ConfigError) as caught:
            pin_baseline(engine, key, run_ids, "ops", reason, least=ENOUGH)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert refused(["smoke-r55"]) == "run 'smoke-r55' is not in the history; did you mean smoke-r5?"
    assert "is not in the history" in refused(["a\n\x1b[2J" * 500])
    assert len(refused(["a\n\x1b[2J" * 500])) < 400
    different = "run smoke-x is not comparable with the others: users is 99, theirs 10"
    assert refused([*named(0, 1, 2), "smoke-x"]) == different
    assert refused(named(0, 1, 1)) == "a baseline needs at least 3 runs, these are 2"
    assert refused([]) == "a baseline needs at least 3 runs, these are 0"
    assert refused(named(0, 1, 2), " \n ") == "reason: missing; say why, it is kept and listed"
    assert list_baselines(engine) == []


def test_a_proposal_waits_for_its_pin(engine: Engine, key: str) -> None:
    """It changes no comparison; the same one again is the same; pinned once, it keeps who proposed it."""
    pinned = pin_baseline(engine, key, named(0, 1, 2), *WITH_REASON, least=ENOUGH)
    proposal = propose_baseline(engine, key, named(*range(8)), "gate", "improved")
    assert propose_baseline(engine, key, named(*reversed(range(8))), "gate", "improved") == proposal
    assert {run["run_id"] for run in pinned_runs(engine, key)} == set(named(0, 1, 2))
    assert pin_proposal(engine, proposal, "anna", "agreed", least=ENOUGH) == proposal
    assert status_of(engine) == {proposal: "pinned", pinned: "retired"}
    entry = list_baselines(engine)[0]
    assert (entry["proposed_by"], entry["proposed_reason"]) == ("gate", "improved")
    assert (entry["pinned_by"], entry["pinned_reason"]) == ("anna", "agreed")
    with pytest.raises(ConfigError, match=f"baseline {proposal} is pinned, not proposed"):
        pin_proposal(engine, proposal, *WITH_REASON, least=ENOUGH)
    with pytest.raises(ConfigError, match="there is no baseline 999; valid: none"):
        pin_proposal(engine, 999, *WITH_REASON, least=ENOUGH)


def test_a_proposals_runs_are_checked_again_when_it_is_pinned(engine: Engine, key: str, record: Any) -> None:
    """A verdict may have been rewritten meanwhile; what was pinned stays pinned."""
    pinned = pin_baseline(engine, key, named(0, 1, 2), *WITH_REASON, least=ENOUGH)
    proposal = propose_baseline(engine, key, named(3, 5, 6), *WITH_REASON, least=ENOUGH)
    record_run(engine, record("smoke-r5", day=5, verdict="INCONCLUSIVE"), [])
    with pytest.raises(ConfigError, match="smoke-r5 ended INCONCLUSIVE"):
        pin_proposal(engine, proposal, *WITH_REASON, least=ENOUGH)
    assert status_of(engine) == {proposal: "proposed", pinned: "pinned"}


def test_the_latest_runs_are_proposed_after_the_last_intended_change(engine: Engine, key: str, record: Any) -> None:
    """Only PASS and WARN; where there are too few, it says so."""
    record_run(engine, record("smoke-breach", day=10, verdict="SLA_BREACH"), [])
    proposal = propose_latest(engine, key, MIN_PROPOSED_RUNS, *WITH_REASON)
    (entry,) = list_baselines(engine)
    assert (entry["id"], entry["run_ids"]) == (proposal, named(*range(2, 10)))
    mark_intended_change(engine, "default", "smoke", START + timedelta(days=4), by="ops", reason="new model")
    with pytest.raises(ConfigError, match="needs at least 8 runs, these are 6"):
        propose_latest(engine, key, MIN_PROPOSED_RUNS, *WITH_REASON)


def test_keys_are_found_by_profile_and_target_or_by_a_run(engine: Engine, key: str, record: Any) -> None:
    """The latest run that could be pinned decides; where there is none, it says so."""
    record_run(engine, record("smoke-bad", day=20, verdict="INCONCLUSIVE", comparability={"users": 1}), [])
    assert key_of_latest(engine, "smoke", "default") == key == find_run(engine, "smoke-r3")["comparability_key"]
    with pytest.raises(ConfigError, match="the history has no valid run of smoke on demo"):
        key_of_latest(engine, "smoke", "demo")
    with pytest.raises(ConfigError, match="did you mean smoke-r3"):
        find_run(engine, "smoke-r33")


def test_comparisons_start_anew_at_an_intended_change(engine: Engine, key: str) -> None:
    """Of one profile or of the whole target, at or before the moment that is asked for; a run at that moment counts."""
    later = START + timedelta(days=5)
    assert last_intended_change(engine, "default", "smoke", later) is None
    mark_intended_change(engine, "default", None, START + timedelta(days=2), by="ops", reason="more memory")
    mark_intended_change(engine, "default", "smoke", later, by="", reason="new model")
    assert last_intended_change(engine, "default", "smoke", later) == later
    assert last_intended_change(engine, "default", "peak_hours", later) == START + timedelta(days=2)
    assert last_intended_change(engine, "default", "smoke", later - timedelta(seconds=1)) == START + timedelta(days=2)
    assert last_intended_change(engine, "demo", "smoke", later) is None
    marks = [(mark["profile"], mark["marked_by"], mark["reason"]) for mark in list_intended_changes(engine)]
    assert marks == [("smoke", "unknown", "new model"), (None, "ops", "more memory")]
    found = last_comparable_runs(engine, key, START + timedelta(days=99), limit=99, since=later)
    assert [run["run_id"] for run in found] == named(9, 8, 7, 6, 5)
    pin_baseline(engine, key, named(3, 4, 5, 6), *WITH_REASON, least=ENOUGH)
    assert [run["run_id"] for run in pinned_runs(engine, key, since=later)] == named(6, 5)


def test_a_mark_that_would_change_nothing_is_refused(engine: Engine, key: str) -> None:
    """A slip of the pen in target or profile, a moment without a zone, no reason."""
    assert key
    for target, profile, since, reason, text in (
        ("defualt", None, START, WHY, "target 'defualt' is not in the history; did you mean default"),
        ("default", "smoek", START, WHY, "profile 'smoek' is not in the history; did you mean smoke"),
        ("default", None, START.replace(tzinfo=None), WHY, "since: .* has no time zone"),
        ("default", None, START, "", "reason: missing"),
    ):
        with pytest.raises(ConfigError, match=text):
            mark_intended_change(engine, target, profile, since, by="ops", reason=reason)
    assert list_intended_changes(engine) == []
