"""What the live page says of a run is true of it: alive, waiting, between two stages, or silent."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from include.loadtest.live.page_state import (
    AFTER_PAUSE,
    AFTER_SILENCE,
    AFTER_WAITING,
    MAX_LOG,
    PAUSE_S,
    SILENT_S,
    STAGE_WORDS,
    Line,
    is_at_its_end,
    log_of,
    state_of,
    was_repeated,
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


WAITS = ("preflight", "waiting", 4000, 3990, "target demo is held by A until 01:45")


def test_who_waits_for_a_target_is_not_silent() -> None:
    """It waits without a process, for as long as it takes; its place, and who has the target, are those of now."""
    found = state_of(live(stage(*WAITS), age_s=3990), NOW, Line(2, "B for run smoke-7"))
    assert (found.kind, found.todo) == ("waiting", None)
    assert "since 10:53:30 UTC, as number 2 of those who wait; of the target: B for run smoke-7 has it." in found.text
    assert "01:45" not in found.text
    assert "nobody has it" in state_of(live(stage(*WAITS), age_s=3990), NOW, Line(1, None)).text


def test_what_a_waiting_run_saw_once_is_not_said_to_be_so_now() -> None:
    """Where nobody can be asked who has the target."""
    found = state_of(live(stage(*WAITS), age_s=3990), NOW)
    assert found.kind == "waiting"
    assert "who has it now is not known. As of then: target demo is held by A until 01:45." in found.text


def test_who_gives_no_sign_of_waiting_any_more_does_not_wait() -> None:
    """Its DAG run was failed or deleted in the meantime, or the triggerer is away."""
    found = state_of(live(stage(*WAITS), age_s=3990), NOW, Line(None, "B for run smoke-7"))
    assert (found.kind, found.todo) == ("silent", AFTER_WAITING)
    assert "It waited for its target from 10:53:30 UTC, and gives no sign of that any more" in found.text


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
    assert log_of(document) == []


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
    found = log_of(live(*stages, load=load))
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
    assert [entry.get("alert") for entry in found[5:8]] == ["error_rate_high", "error_rate_high", "host_cpu_high"]


def test_a_load_whose_process_died_begins_no_phase_any_more() -> None:
    """Its last sign of life is 130 s old: the spike was to begin 20 s ago, and nobody saw it."""
    load = {
        "at": ago(130),
        "ended": None,
        "phases": [
            {"name": "hold", "stage": "hold", "start": ago(140), "end": ago(20)},
            {"name": "spike", "stage": "spike", "start": ago(20), "end": ago(-10)},
        ],
        "alerts": [],
    }
    found = log_of(live(stage("run_profile", "running", 150), age_s=130, load=load))
    assert [entry["text"] for entry in found if entry["kind"] == "load"] == ["hold begins"]


@pytest.mark.parametrize(
    ("stages", "age_s", "ended"),
    [
        ((("diff_history", "running"),), 30, False),
        ((("confirm", "running"),), 1, False),
        ((("confirm", "ended"),), 500, False),
        ((("publish", "running"),), 1, False),
        ((("publish", "ended"),), 1, True),
        ((("publish", "ended"), ("cleanup_users", "running")), 500, True),
        ((("publish", "ended"), ("confirm", "running")), 1, False),
        ((("publish", "failed"),), PAUSE_S, False),
        ((("publish", "failed"),), PAUSE_S + 1, True),
        ((("publish", "failed"), ("publish", "running")), 500, False),
        ((("publish", "running"), ("cleanup_users", "ended")), 1, True),
        ((("publish", "running"), ("cleanup_users", "running")), 500, False),
        ((("cleanup_users", "running"),), 1, False),
        ((), 1, False),
    ],
)  # fmt: skip
def test_a_runs_stages_are_over_when_none_of_them_can_change_its_verdict(
    stages: tuple[tuple[str, str], ...], age_s: float, ended: bool
) -> None:
    """After `publish`, whatever the clean-up does; a stage that failed may come again for a while, then no more."""
    document = live(*(stage(name, state, 9, 1) for name, state in stages), age_s=age_s)
    assert is_at_its_end(document, NOW) is ended
    assert was_repeated(document) is any(name == "confirm" for name, _ in stages)


def test_a_run_of_an_earlier_release_is_at_its_end() -> None:
    """It has no notes, and nobody works on it."""
    assert is_at_its_end(None, NOW)


def test_the_log_is_bounded() -> None:
    """Its last entries stay."""
    stages = [stage("confirm", "failed", 1000 - number, 999 - number, str(number)) for number in range(200)]
    found = log_of(live(*stages))
    assert len(found) == MAX_LOG
    assert found[-1]["text"] == "confirm failed: 199"
