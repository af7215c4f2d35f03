"""Calls of the LLM and the target's own time, from counters between the start and the end of a phase."""

from collections.abc import Callable
from typing import Any

import pytest

from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.llm import MORE_WAIT, NOTHING, RESTARTED, SEVERAL, TOO_FEW
from include.loadtest.profile.vocabulary import NOT_EXPOSED

pytestmark = pytest.mark.unit
ANSWERS, ANSWERS_S = "llm_stream_duration_seconds_count", "llm_stream_duration_seconds_sum"
WAITS, WAIT_S = "llm_wait_seconds_count", "llm_wait_seconds_sum"
STARTED = "process_start_time_seconds"
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def figures(maker: Any, profile: Any, spans: Any, row_of: Any, reading: Any) -> Read:
    """The hold's rows by metric, from (offset, source, metric, value[, instance]) readings."""

    def compute(rows: list[tuple[Any, ...]], price_eur: float | None = None) -> dict[str, Any]:
        if rows:
            maker.readings([reading(*row) for row in rows])
        if price_eur is not None:
            maker.bundle.update_manifest(llm={"price_eur_a_call": price_eur})
        document = compute_metrics(maker.bundle, profile, spans)
        names = {row["metric"] for row in document["metrics"] if row["metric"].startswith(("llm_", "own_"))}
        return {name: row_of(document, name) for name in names}

    return compute


def app(offset_s: float, answers: float, answers_s: float, waits: float, wait_s: float) -> list[tuple[Any, ...]]:
    """One reading of a target that exposes all."""
    named = {ANSWERS: answers, ANSWERS_S: answers_s, WAITS: waits, WAIT_S: wait_s, "llm_calls": waits}
    return [(offset_s, "app", name, value) for name, value in named.items()]


def test_own_time_is_what_the_answers_took_beyond_the_waits(figures: Read) -> None:
    """40 answers took 25 s, 30 calls 21 s of it: 100 ms an answer are the target's own; ten answers had no call."""
    rows = figures([*app(5, 100, 60, 80, 50), *app(70, 120, 70, 90, 60), *app(135, 140, 85, 110, 71)])
    assert (rows["own_time_mean_ms"]["value"], rows["own_time_mean_ms"]["n"]) == (pytest.approx(100), 40)
    assert (rows["llm_wait_mean_ms"]["value"], rows["llm_wait_mean_ms"]["n"]) == (pytest.approx(700), 30)
    assert (rows["llm_calls_per_answer"]["value"], rows["llm_calls_per_answer"]["n"]) == (0.75, 40)
    assert (rows["llm_calls"]["value"], rows["llm_calls"]["n"], rows["llm_calls"]["lower_bound"]) == (30, 2, False)
    assert {row["why"] for row in rows.values()} == {None}


def test_an_answer_between_its_call_and_its_end_does_not_move_the_own_time(figures: Read) -> None:
    """Ten answers each 5 s of 2.51 s, 2.5 s of it waiting; at both ends of the hold one call is ahead of its answer."""
    rows = []
    for number, at_s in enumerate(range(5, 136, 5)):
        done, ahead = 10 * number, at_s in (10, 135)
        rows += app(at_s, done, 2.51 * done, done + ahead, 2.5 * (done + ahead))
    row = figures(rows)["own_time_mean_ms"]
    assert (row["value"], row["n"]) == (pytest.approx(10), 260)


def test_calls_are_those_between_the_start_and_the_end_of_the_phase(figures: Read) -> None:
    """Readings around an end are taken to grow evenly: of 10 calls from 0 s to 10 s, 5 lie in the hold."""
    calls = [(0, 0), (10, 10), (130, 100), (140, 120)]
    row = figures([(at_s, "llm", "llm_calls", value) for at_s, value in calls])["llm_calls"]
    assert (row["value"], row["lower_bound"]) == (pytest.approx(5 + 90 + 10), False)


def test_calls_of_a_part_of_the_phase_are_a_lower_bound(figures: Read) -> None:
    """Where the readings begin later than the phase, or end sooner."""
    row = figures([(60, "llm", "llm_calls", 7), (100, "llm", "llm_calls", 17)])["llm_calls"]
    assert (row["value"], row["n"], row["lower_bound"]) == (10, 2, True)


def test_the_llm_counts_calls_before_the_target_and_the_target_its_own_waits(figures: Read) -> None:
    """The LLM's page may count others as well, which own time must not have in it."""
    llm = [(at_s, "llm", name, value) for at_s, value in ((5, 0), (135, 90)) for name in ("llm_calls", WAITS, WAIT_S)]
    rows = figures([*app(5, 0, 0, 0, 0), *app(135, 40, 25, 30, 21), *llm])
    assert rows["llm_calls"]["value"] == 90
    assert rows["llm_calls_per_answer"]["value"] == 0.75
    assert rows["own_time_mean_ms"]["value"] == pytest.approx(100)


def test_a_target_that_exposes_no_waits_has_an_own_time_by_those_of_the_llm(figures: Read) -> None:
    """The real application exposes the duration of its streamed answers only."""
    answers = [(5, "app", ANSWERS, 0), (135, "app", ANSWERS, 10), (5, "app", ANSWERS_S, 0), (135, "app", ANSWERS_S, 9)]
    llm = [(5, "llm", WAIT_S, 0), (135, "llm", WAIT_S, 8), (5, "llm", WAITS, 0), (135, "llm", WAITS, 10)]
    rows = figures([*answers, *llm])
    assert rows["own_time_mean_ms"]["value"] == pytest.approx(100)
    assert rows["llm_wait_mean_ms"]["value"] == pytest.approx(800)
    assert rows["llm_calls"]["why"] == NOT_EXPOSED


def test_what_nobody_exposes_is_null_and_says_so(figures: Read) -> None:
    """Never 0; and without a price nothing is said of costs."""
    rows = figures([])
    assert {name: (row["value"], row["n"], row["why"]) for name, row in rows.items()} == dict.fromkeys(
        ("llm_calls", "llm_calls_per_answer", "llm_wait_mean_ms", "own_time_mean_ms"), (None, 0, NOT_EXPOSED)
    )


def test_a_price_gives_the_cost_of_the_calls(figures: Read) -> None:
    """With the same bounds as the calls."""
    row = figures([(5, "llm", "llm_calls", 0), (100, "llm", "llm_calls", 50)], price_eur=0.02)["llm_cost_eur"]
    assert (row["value"], row["unit"], row["lower_bound"]) == (1.0, "EUR", True)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([(at_s, "app", "llm_calls", value) for at_s, value in ((5, 9), (9, 4), (13, 12), (17, 5))], SEVERAL),
        ([(5, "app", "llm_calls", 1, "a"), (9, "app", "llm_calls", 2, "b")], SEVERAL),
        (
            [(5 + at_s, "app", "llm_calls", at_s) for at_s in range(4)]
            + [(5 + at_s, "app", "process_start_time_seconds", 100 + 50 * (at_s % 2)) for at_s in range(4)],
            SEVERAL,
        ),
        ([(50, "app", "llm_calls", 9)], TOO_FEW),
        ([(0, "app", "llm_calls", 1), (4, "app", "llm_calls", 2)], TOO_FEW),
    ],
)
def test_counts_that_are_not_of_one_process_or_not_of_the_phase_are_null(figures: Read, rows: Any, why: str) -> None:
    """Counters that fall again and again, several instances, start times in turn; one reading, or none in the phase."""
    row = figures(rows)["llm_calls"]
    assert (row["value"], row["why"]) == (None, why)


def test_a_restart_costs_its_interval_only(figures: Read) -> None:
    """The process that answers from then on is another one, and there is no other beside it."""
    starts = [(at_s, "app", "process_start_time_seconds", 100 if at_s < 60 else 900) for at_s in (5, 50, 65, 135)]
    calls = [(5, "app", "llm_calls", 100), (50, "app", "llm_calls", 130), (65, "app", "llm_calls", 3)]
    row = figures([*starts, *calls, (135, "app", "llm_calls", 20)])["llm_calls"]
    assert (row["value"], row["lower_bound"]) == (pytest.approx(30 + 17), True)


@pytest.mark.parametrize(
    ("calls_before", "calls"),
    [(lambda seconds: 500 + 3 * seconds, 360), (lambda _: 0, 180)],
    ids=["its counters fall", "it had counted nothing, but says when it started"],
)
def test_an_llm_that_restarts_in_the_phase_leaves_no_own_time(figures: Read, calls_before: Any, calls: int) -> None:
    """Answers of 2.05 s, 2 s of it waiting: in the restart's interval only the answers' time is known.

    Three answers a second; the LLM restarts between the readings at 65 s and 75 s.
    """
    rows = []
    for at_s in range(5, 136, 10):
        answers, is_new = 3 * (at_s - 5), at_s >= 75
        waits = 3 * (at_s - 75) if is_new else calls_before(at_s - 5)
        named = {"llm_calls": waits, WAITS: waits, WAIT_S: 2.0 * waits, STARTED: 900 if is_new else 100}
        rows += [(at_s, "llm", name, value) for name, value in named.items()]
        rows += [(at_s, "app", ANSWERS, answers), (at_s, "app", ANSWERS_S, 2.05 * answers)]
    found = figures(rows)
    for name in ("own_time_mean_ms", "llm_wait_mean_ms", "llm_calls_per_answer"):
        assert (found[name]["value"], found[name]["n"], found[name]["why"]) == (None, 0, RESTARTED), name
    assert (found["llm_calls"]["value"], found["llm_calls"]["lower_bound"]) == (pytest.approx(calls), True)


def test_a_restart_before_the_phase_changes_nothing_in_it(figures: Read) -> None:
    """The hold begins at 5 s."""
    rows = figures([*app(0, 900, 900, 900, 900), *app(2, 0, 0, 0, 0), *app(5, 0, 0, 0, 0), *app(135, 40, 25, 30, 21)])
    assert rows["own_time_mean_ms"]["value"] == pytest.approx(100)
    assert (rows["llm_calls"]["value"], rows["llm_calls"]["lower_bound"]) == (30, False)


def test_more_waiting_than_answers_says_nothing_of_own_time(figures: Read) -> None:
    """Others ask the LLM too, or answers that are not streamed; and without answers there is no mean."""
    assert figures([*app(5, 0, 0, 0, 0), *app(135, 10, 5, 30, 9)])["own_time_mean_ms"]["why"] == MORE_WAIT


def test_without_answers_or_calls_there_is_no_mean(figures: Read) -> None:
    """Nothing was asked of the LLM in the phase: 0 calls, and no time."""
    rows = figures([*app(5, 7, 5, 7, 3), *app(135, 7, 5, 7, 3)])
    assert rows["llm_calls"]["value"] == 0
    assert {rows[name]["why"] for name in ("own_time_mean_ms", "llm_wait_mean_ms", "llm_calls_per_answer")} == {NOTHING}
