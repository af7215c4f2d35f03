"""What the live page says of a run is true of it: alive, waiting, between two stages, or silent."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from include.loadtest.live.page_state import (
    AFTER_PAUSE,
    AFTER_SILENCE,
    MAX_LOG,
    PAUSE_S,
    SILENT_S,
    STAGE_WORDS,
    is_over,
    log_of,
    state_of,
)
from include.loadtest.profile.vocabulary import StageName
from include.loadtest.run import utc_text

pytestmark = pytest.mark.unit
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def ago(seconds: float) -> str:
    return utc_text(NOW - timedelta(seconds=seconds))


def stage(name: str, state: str, began_s: float, ended_s: float | None = None, text: str | None = None) -> dict:
    ended = None if ended_s is None else ago(ended_s)
    return {"name": name, "state": state, "began": ago(began_s), "ended": ended, "text": text}


def live(*stages: dict, age_s: float = 1.0, load: dict | None = None) -> dict[str, Any]:
    return {"schema": 1, "run_id": "smoke-1", "at": ago(age_s), "stages": list(stages), "load": load}


def test_every_stage_has_its_words() -> None:
    """Those of the task graph, no other."""
    assert tuple(STAGE_WORDS) == get_args(StageName)


def test_a_stage_that_gives_signs_of_life_works() -> None:
    """With what it does, and since when."""
    found = state_of(live(stage("seed_users", "running", 75)), NOW)
    assert (found.kind, found.text, found.todo) == (
        "working",
        "seed_users makes the test users, since 11:58:45 UTC.",
        None,
    )
    assert found.age_s == 1.0


def test_a_stage_without_signs_of_life_is_said_to_be_silent_and_what_to_do() -> None:
    """A process that was killed writes nothing any more."""
    running = stage("run_profile", "running", 300)
    assert state_of(live(running, age_s=SILENT_S), NOW).kind == "working"
    found = state_of(live(running, age_s=45), NOW)
    assert (found.kind, found.todo) == ("silent", AFTER_SILENCE)
    assert "No sign of life from run_profile for 45 s" in found.text


def test_who_waits_for_a_target_is_not_silent() -> None:
    """It waits without a process, for as long as it takes."""
    waits = stage("preflight", "waiting", 4000, 3990, "target demo is held by another")
    found = state_of(live(waits, age_s=3990), NOW)
    assert (found.kind, found.todo) == ("waiting", None)
    assert "since 10:53:30 UTC: target demo is held by another" in found.text


def test_between_two_stages_the_next_is_about_to_begin_until_it_does_not() -> None:
    """Then the scheduler is to be looked at."""
    done = stage("collect_metrics", "ended", 200, 5)
    assert state_of(live(done, age_s=5), NOW).kind == "between"
    done = stage("collect_metrics", "ended", 900, PAUSE_S + 1)
    found = state_of(live(done, age_s=PAUSE_S + 1), NOW)
    assert (found.kind, found.todo) == ("silent", AFTER_PAUSE)


def test_a_failed_stage_says_why() -> None:
    """The next one follows whatever happened."""
    found = state_of(live(stage("warm_cache", "failed", 20, 4, "no answer"), age_s=4), NOW)
    assert found.text == "warm_cache failed (no answer) 4 s ago; the next stage is about to begin."


@pytest.mark.parametrize("document", [None, {"stages": []}])
def test_a_run_without_notes_is_not_known(document: dict | None) -> None:
    """An earlier release wrote none."""
    assert state_of(document, NOW).kind == "unknown"
    assert log_of(document, NOW) == []


def test_the_log_is_what_happened_in_order_of_time() -> None:
    """Stages, phases that have begun, alerts with their page; not what is only planned."""
    load = {
        "ended": ago(10),
        "phases": [
            {"name": "ramp_up", "stage": "ramp_up", "start": ago(80), "end": ago(70)},
            {"name": "hold", "stage": "step_2", "start": ago(70), "end": ago(-10)},
            {"name": "recovery", "stage": "recovery", "start": ago(-10), "end": ago(-20)},
        ],
        "alerts": [
            {
                "id": "error_rate_high",
                "text": "error_rate at 4 %",
                "page": "docs/alerts/x.md",
                "since": ago(60),
                "until": ago(30),
            },
            {"id": "host_cpu_high", "text": "cpu", "page": "docs/alerts/y.md", "since": ago(20), "until": None},
        ],
    }
    stages = (
        stage("preflight", "waiting", 200, 190, "held"),
        stage("run_profile", "failed", 90, 9, "killed"),
    )
    found = log_of(live(*stages, load=load), NOW)
    assert [(entry["kind"], entry["text"]) for entry in found] == [
        ("stage", "preflight checks the order and the target"),
        ("stage", "preflight waits: held"),
        ("stage", "run_profile sends the load"),
        ("load", "ramp up begins"),
        ("load", "hold (step_2) begins"),
        ("alert", "alert error_rate_high: error_rate at 4 %"),
        ("over", "alert error_rate_high is over"),
        ("alert", "alert host_cpu_high: cpu"),
        ("load", "the load has ended"),
        ("fault", "run_profile failed: killed"),
    ]
    assert [entry["page"] for entry in found if entry["kind"] == "alert"] == ["docs/alerts/x.md", "docs/alerts/y.md"]


@pytest.mark.parametrize(
    ("name", "state", "has_verdict", "has_report", "over"),
    [
        ("publish", "ended", False, True, False),
        ("confirm", "running", True, False, False),
        ("publish", "running", True, True, True),
        ("publish", "failed", True, False, False),
        ("cleanup_users", "ended", True, False, True),
    ],
)
def test_a_run_is_over_when_nothing_can_change_its_verdict(
    name: str, state: str, has_verdict: bool, has_report: bool, over: bool
) -> None:
    """With its report, or, where that failed, after its last stage."""
    document = live(stage(name, state, 9, 1))
    assert is_over(document, has_verdict=has_verdict, has_report=has_report) is over
    assert not is_over(None, has_verdict=True, has_report=False)


def test_the_log_is_bounded() -> None:
    """Its last entries stay."""
    stages = [stage("confirm", "failed", 1000 - number, 999 - number, str(number)) for number in range(200)]
    found = log_of(live(*stages), NOW)
    assert len(found) == MAX_LOG
    assert found[-1]["text"] == "confirm failed: 199"
