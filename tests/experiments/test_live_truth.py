"""What a live page says is judged by what Airflow and the disk know, and a page that lies is found out."""

import pytest

from experiments.live_truth import LAG_S, Facts, Look, stage_of, untruths
from include.loadtest.live.page_state import SILENT_S, STAGE_WORDS

pytestmark = pytest.mark.unit
NOW = 1_800_000_000.0
WORKS = "run_profile sends the load, since 12:00:00 UTC."
ENDED = "run_profile ended 3 s ago; the next stage is about to begin."
WAITS = "It waits for its target since 12:00:00 UTC, as number 1 of those who wait."
SILENT = "No sign of life from run_profile for 25 s: its process has ended, or cannot write its signs."
PAUSED = "run_profile ended, and no stage has begun for 95 s."


def facts(rows: int = 100, grows: int = 0, **states: str | None) -> list[Facts]:
    """The same for a minute around now, a look at it every second; `grows`: rows a second."""
    return [Facts(NOW + second, states, rows + grows * second) for second in range(-60, 31)]


def wrong(kind: str, text: str, known: list[Facts], requests: int | None = 100) -> str | None:
    found = untruths([Look(NOW, kind, text, requests)], known)
    return found[0].removeprefix(f"{text!r}: ") if found else None


@pytest.mark.parametrize(
    ("kind", "text", "known", "said"),
    [
        ("working", WORKS, facts(run_profile="running"), None),
        ("working", WORKS, facts(run_profile="success"), "Airflow did not run run_profile"),
        ("working", WORKS, facts(run_profile="success", diagnose="running"), "Airflow did not run run_profile"),
        ("working", "It does.", facts(run_profile="running"), "no stage is named"),
        ("between", ENDED, facts(run_profile="success", collect_metrics=None), None),
        ("between", ENDED, facts(run_profile="running"), "Airflow had not ended run_profile"),
        (
            "between",
            ENDED,
            facts(run_profile="success", collect_metrics="running"),
            f"another stage worked for {LAG_S:g} s",
        ),
        ("waiting", WAITS, facts(preflight="up_for_reschedule"), None),
        ("waiting", WAITS, facts(preflight="failed"), "preflight worked or had ended"),
        ("waiting", WAITS, facts(preflight="success", run_profile="running"), "preflight worked or had ended"),
        ("silent", SILENT, facts(run_profile="up_for_retry"), None),
        ("silent", SILENT, facts(run_profile="running"), f"Airflow ran a stage for the last {SILENT_S} s"),
        ("silent", SILENT, facts(grows=1, run_profile=None), f"samples came within the last {SILENT_S} s"),
        ("silent", PAUSED, facts(run_profile="success", diagnose="queued"), None),
        (
            "silent",
            PAUSED,
            facts(run_profile="success", diagnose="running"),
            f"Airflow ran a stage for the last {SILENT_S} s",
        ),
        ("unknown", "Nothing is known.", facts(preflight="queued", run_profile=None), None),
        ("unknown", "Nothing is known.", facts(preflight="running"), f"a stage had begun {LAG_S:g} s before"),
        ("over", ENDED, facts(publish="success"), None),
        ("over", ENDED, facts(publish="running"), "Airflow had not ended publish"),
        ("asleep", "z", facts(), "a kind of state that nobody knows: asleep"),
    ],
)
def test_each_kind_of_state_is_judged_by_airflow_and_the_disk(
    kind: str, text: str, known: list[Facts], said: str | None
) -> None:
    """True, and for each way in which it is not."""
    assert wrong(kind, text, known) == said


@pytest.mark.parametrize(
    ("shown", "known", "said"),
    [
        (100, facts(run_profile="running"), None),
        (95, facts(grows=1, run_profile="running"), None),
        (89, facts(grows=1, run_profile="running"), "89 requests shown, 90 on disk 10 s before"),
        (None, facts(run_profile="running"), "0 requests shown, 100 on disk 10 s before"),
        (101, facts(run_profile="running"), "101 requests shown, 100 on disk"),
    ],
)
def test_requests_are_those_on_disk_at_most_a_while_late(
    shown: int | None, known: list[Facts], said: str | None
) -> None:
    """More than there are is as wrong as figures that have stopped."""
    assert wrong("working", WORKS, known, shown) == said


def test_a_load_that_was_killed_may_have_rows_that_nobody_counted() -> None:
    """Its last part may have been closed after its last look."""
    assert wrong("between", "run_profile failed (killed) 3 s ago; next.", facts(run_profile="failed"), 95) is None


def test_what_has_just_changed_is_no_untruth() -> None:
    """The page needs a moment for what Airflow knows already, and Airflow for what the page knows."""
    turned = [*facts(run_profile="running")[:55], *facts(run_profile="success", collect_metrics="running")[55:]]
    assert wrong("working", WORKS, turned) is None
    assert wrong("between", ENDED, turned) is None
    late = [*facts(run_profile="running")[:65], *facts(run_profile="success")[65:]]
    assert wrong("between", ENDED, late) is None


def test_where_airflow_was_not_asked_nothing_is_held_against_the_page() -> None:
    """Two facts a minute apart say nothing of the time between them."""
    sparse = [Facts(NOW - 30, {"run_profile": "running"}, 100), Facts(NOW + 15, {"run_profile": "running"}, 100)]
    assert wrong("silent", SILENT, sparse) is None
    assert wrong("unknown", "Nothing is known.", sparse) is None


def test_the_stage_is_read_from_the_sentence() -> None:
    """As state_of writes it."""
    assert (stage_of(WORKS), stage_of(SILENT), stage_of(WAITS)) == ("run_profile", "run_profile", None)
    assert all(stage_of(f"{name} works.") == name for name in STAGE_WORDS)
