"""What an operator's form does with baselines: on a real history, as lines for the log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from include.loadtest.errors import ConfigError
from include.loadtest.history.baselines import list_baselines
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.store import RunRecord, record_run, upgrade
from include.loadtest.orchestration.baseline_actions import (
    BaselineOrder,
    change_baselines,
    decide_proposals,
    propose_suite,
)
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.reference import requirements

pytestmark = pytest.mark.integration
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def history(history_url: str) -> str:
    """Twelve valid runs of smoke, r0 to r11, and one of another profile, on the target demo."""
    with transaction(connect(history_url)) as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS loadtest CASCADE"))
    upgrade(history_url)
    for day in range(12):
        record(history_url, f"smoke-r{day}", "smoke", day)
    record(history_url, "own-1", "own", 3)
    return history_url


def record(url: str, run_id: str, profile: str, day: int, *, verdict: str = "PASS", suite: str | None = None) -> None:
    started = START + timedelta(days=day)
    run = RunRecord(
        *(run_id, profile, "locust", "demo", verdict, started, started + timedelta(minutes=1)),
        comparability={"profile": profile},
        environment={},
        bundle_uri=f"/results/{run_id}",
        suite=suite,
    )
    record_run(connect(url), run, [])


def do(url: str, action: str, by: str = "anna", **params: Any) -> list[str]:
    order = BaselineOrder.from_params({"action": action, "target": "demo", "reason": "the new level", **params})
    return change_baselines(url, order, by)


def named(*days: int) -> str:
    return ", ".join(f"smoke-r{day}" for day in days)


def test_from_an_empty_list_over_a_proposal_to_a_pin_and_its_end(history: str) -> None:
    """Each action says what it did, then shows everything: who, when, why, which runs."""
    assert do(history, "list") == ["baselines: 0", "intended changes: 0"]
    proposed = do(history, "propose", profile="smoke")
    assert proposed[0] == "proposed: baseline 1; pin it with action pin and baseline_id 1"
    assert f"8 runs: {named(*range(4, 12))}" in proposed[-2]
    assert do(history, "pin", baseline_id=1, by="ben", reason="agreed")[0] == "pinned: baseline 1"
    shown = "\n".join(do(history, "list"))
    assert "   1  pinned    smoke on demo, key " in shown
    assert " UTC by anna: the new level\n" in shown
    assert " UTC by ben: agreed\n" in shown
    assert do(history, "retire", baseline_id=1)[0] == "retired: baseline 1"
    assert "   1  retired   smoke on demo" in "\n".join(do(history, "list"))


def test_runs_are_pinned_by_their_ids_as_text_or_as_a_list(history: str) -> None:
    """At least as many as the profile's change test needs; a profile that is not committed has the shared number."""
    least = load_profile(find_profile("smoke")).change_test.min_runs
    days = tuple(range(least))
    with pytest.raises(ConfigError, match=f"needs at least {least} runs, these are {least - 1}"):
        do(history, "pin", run_ids=named(*days[1:]))
    assert do(history, "pin", run_ids=f" {named(*days)},\n")[0] == "pinned: baseline 1"
    listed = do(history, "pin", run_ids=[f"smoke-r{day}" for day in days], profile="smoke")
    assert listed[0] == "pinned: baseline 2"
    with pytest.raises(ConfigError, match=f"needs at least {requirements().change_test.min_runs} runs"):
        do(history, "pin", run_ids="own-1")


def test_a_regressions_level_is_accepted_only_when_it_is_said(history: str) -> None:
    """Also of a form that sends anything but true."""
    record(history, "smoke-slower", "smoke", 20, verdict="REGRESSION")
    wanted = f"smoke-slower, {named(*range(8))}"
    for value in (False, "true", None):
        with pytest.raises(ConfigError, match="smoke-slower ended REGRESSION"):
            do(history, "pin", run_ids=wanted, accept_regression=value)
    assert do(history, "pin", run_ids=wanted, accept_regression=True)[0] == "pinned: baseline 1"


def test_an_intended_change_is_marked_and_listed(history: str) -> None:
    """For one profile from a moment on, or for all from now on."""
    lines = do(history, "mark_intended_change", profile="smoke", since="2026-03-05T09:00:00+01:00")
    assert lines[0] == "marked: intended change 1; comparisons start anew at 2026-03-05 08:00 UTC"
    lines = do(history, "mark_intended_change", by="ben")
    assert any("demo, all profiles, since" in line and line.endswith("by ben: the new level") for line in lines)
    assert any("demo, smoke, since 2026-03-05 08:00 UTC: marked" in line for line in lines)


@pytest.mark.parametrize(
    ("action", "params", "message"),
    [
        ("propose", {}, "propose: give profile"),
        ("propose", {"profile": "smoek"}, "the history has no valid run of smoek on demo"),
        ("propose", {"run_ids": "smoke-r99"}, "run 'smoke-r99' is not in the history; did you mean smoke-r9?"),
        ("propose", {"run_ids": "smoke-r1"}, "needs at least 8 runs"),
        ("pin", {}, "pin: give either baseline_id"),
        ("pin", {"run_ids": "smoke-r1", "baseline_id": 1}, "pin: give either baseline_id"),
        ("pin", {"run_ids": "smoke-r1", "profile": "own"}, "run smoke-r1 is one of smoke, not of own"),
        ("pin", {"run_ids": f"{named(*range(8))},own-1"}, "own-1 is not comparable.*profile is own, theirs smoke"),
        ("pin", {"baseline_id": 7}, "there is no baseline 7; valid: none"),
        ("pin", {"run_ids": named(*range(8)), "reason": " "}, "reason: missing"),
        ("retire", {}, "retire: give baseline_id"),
        ("mark_intended_change", {"since": "yesterday"}, "since: 'yesterday' is no moment"),
        ("mark_intended_change", {"since": "2026-03-05T09:00:00"}, "has no time zone"),
        ("mark_intended_change", {"profile": "smoek"}, "did you mean smoke?"),
        ("pni", {}, "action: did you mean pin?"),
    ],
)
def test_bad_input_is_one_clear_line_and_changes_nothing(
    history: str, action: str, params: dict[str, Any], message: str
) -> None:
    """It names what is wrong and what to give."""
    with pytest.raises(ConfigError, match=message) as caught:
        do(history, action, **params)
    assert "\n" not in str(caught.value)
    assert do(history, "list") == ["baselines: 0", "intended changes: 0"]


@pytest.fixture
def weeks(history: str) -> str:
    """Nine valid weekly runs of smoke and seven of own, and a younger one of smoke by hand, all on the target demo."""
    for day in range(9):
        record(history, f"weekly-smoke-{day}", "smoke", day, suite="weekly")
    for day in range(7):
        record(history, f"weekly-own-{day}", "own", day, suite="weekly")
    record(history, "by-hand", "smoke", 20)
    return history


def test_a_quarter_proposes_the_latest_runs_of_the_weekly_suite(weeks: str) -> None:
    """Eight of each profile, and only the suite's; a profile with fewer is named with the reason."""
    engine = connect(weeks)
    numbers, lines = propose_suite(engine, "weekly", "demo", "quarterly review")
    assert [line.partition(":")[0] for line in lines] == ["own", "smoke"]
    assert "needs at least 8 runs, these are 7" in lines[0]
    (entry,) = list_baselines(engine)
    assert (numbers, entry["status"]) == ([entry["id"]], "proposed")
    assert entry["run_ids"] == [f"weekly-smoke-{day}" for day in range(1, 9)]
    assert propose_suite(engine, "weekly", "demo", "quarterly review")[0] == numbers, "a retry proposes nothing twice"


def test_without_a_weekly_run_nothing_is_proposed(weeks: str) -> None:
    """And the line says so, with suite and target."""
    assert propose_suite(connect(weeks), "weekly", "pratikoai", "x") == (
        [],
        ["the history has no valid run of the suite weekly on pratikoai"],
    )


@pytest.mark.parametrize(("accepted", "status", "said"), [(True, "pinned", "pinned"), (False, "retired", "rejected")])
def test_what_the_person_decided_is_done_and_named(weeks: str, accepted: bool, status: str, said: str) -> None:
    """With who decided; a proposal that is no longer open is left as it is."""
    engine = connect(weeks)
    numbers, _ = propose_suite(engine, "weekly", "demo", "quarterly review")
    decided = decide_proposals(engine, numbers, accepted=accepted, by="giulia", reason="quarterly review")
    assert decided == [f"baseline {numbers[0]} (smoke): {said} by giulia"]
    (entry,) = list_baselines(engine)
    assert (entry["status"], entry[f"{status}_by"]) == (status, "giulia")
    again = decide_proposals(engine, numbers, accepted=True, by="giulia", reason="x")
    assert again == [f"baseline {numbers[0]}: left as it is: baseline {numbers[0]} is {status}, not proposed"]
