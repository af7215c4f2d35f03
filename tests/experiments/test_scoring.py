"""Scores of a change test: shares with intervals that count runs, alarms against labelled changes."""

import pytest

from experiments.scoring import (
    Alarm,
    Change,
    at_spike,
    delay,
    found_within,
    frequency,
    labelled_changes,
    new_alarms,
    rate,
    score_series,
)

pytestmark = pytest.mark.unit
STEP_UP = [10.0] * 12 + [20.0] * 12


def test_more_cases_of_the_same_runs_do_not_narrow_an_interval() -> None:
    """The runs count: hits of half the runs, repeated ten times over, say no more."""
    few = rate([(f"r{index}", index < 3) for index in range(6)])
    many = rate([(f"r{index % 6}", index % 6 < 3) for index in range(60)])
    assert (few.value, many.value, few.runs, many.runs) == (0.5, 0.5, 6, 6)
    assert many.interval == pytest.approx(few.interval)
    assert few.interval == (0.0, 1.0)  # 0.5 ± 2.57 · 0.22, cut at the ends


def test_where_all_cases_agree_the_interval_is_that_of_so_many_runs() -> None:
    """Exact binomial: 0 of 20 runs leave up to 1 − 0.025^(1/20) = 16.8 %."""
    none = rate([(f"r{index % 20}", False) for index in range(200)])
    assert none.interval == pytest.approx((0.0, 0.1684), abs=1e-4)
    everything = rate([(f"r{index % 20}", True) for index in range(200)])
    assert everything.interval == pytest.approx((0.8316, 1.0), abs=1e-4)


def test_one_run_gives_no_interval_and_no_case_no_share() -> None:
    """Nothing is invented where nothing is known."""
    assert rate([("r1", True), ("r1", False)]).interval is None
    assert rate([]).value is None
    assert rate([]).text() == "no case"


@pytest.mark.parametrize(("higher_is_better", "is_worse"), [(False, True), (True, False)])
def test_the_direction_of_a_labelled_change_is_read_from_the_values(higher_is_better: bool, is_worse: bool) -> None:
    """Up is worse for a time, better for a throughput."""
    assert labelled_changes(STEP_UP, [12], higher_is_better=higher_is_better) == [Change(12, is_worse)]


def test_a_neighbouring_change_does_not_decide_a_direction() -> None:
    """A short low level between two high ones falls, then rises."""
    values = [10.0] * 10 + [5.0] * 4 + [30.0] * 10
    assert labelled_changes(values, [10, 14], higher_is_better=False) == [Change(10, False), Change(14, True)]


@pytest.mark.parametrize(
    ("alarm", "found"),
    [
        (Alarm(14, 12, True), 2),
        (Alarm(15, 15, True), 3),
        (Alarm(14, 12, False), None),  # the other direction
        (Alarm(11, 11, True), None),  # raised before it
        (Alarm(20, 16, True), None),  # names another run
    ],
)
def test_a_change_is_found_by_an_alarm_that_names_it_in_its_direction(alarm: Alarm, found: int | None) -> None:
    """The delay is counted to the run after which it was raised."""
    assert delay(Change(12, True), [alarm]) == found


@pytest.mark.parametrize(("at", "alarmed"), [(9, False), (10, True), (12, True), (13, False)])
def test_an_alarm_up_to_two_runs_after_a_spike_is_its_alarm(at: int, alarmed: bool) -> None:
    """Whichever run it names."""
    assert at_spike(10, [Alarm(at, at - 2, True)]) is alarmed


def test_a_point_that_moves_or_comes_back_is_one_alarm() -> None:
    """Only a point that lies 5 runs or more from all earlier ones is new."""
    replies = [[], [(3, True)], [(4, True)], [], [(3, True), (8, False)]]
    assert new_alarms(replies, 6, higher_is_better=False) == [Alarm(6, 3, True), Alarm(9, 8, False)]


def test_a_series_is_scored_on_its_labels_and_flat_stretches() -> None:
    """Alarms of the whole series find changes; those of flat stretches alone are the false ones."""
    entry = {"changes": [12], "spikes": [5, 20], "creep": [[13, 23]], "flat": [[0, 12]], "higher_is_better": False}
    whole = [Alarm(5, 5, True), Alarm(14, 12, True)]
    scores = [score_series(entry, STEP_UP, whole, [[Alarm(6, 5, False)]])] * 2
    assert (scores[0].spikes, scores[0].spikes_alarmed, scores[0].creep_alarms) == (2, 1, 1)
    assert (found_within(scores, 1), found_within(scores, 3)) == ((0, 2), (2, 2))
    often, for_the_worse = frequency(scores), frequency(scores, worse_only=True)
    assert (often.alarms, often.runs, often.per_100) == (2, 24, pytest.approx(8.33, abs=0.01))
    assert for_the_worse.alarms == 0
    assert for_the_worse.interval == pytest.approx((0.0, 15.37), abs=0.01)  # 3.69 alarms in 24 runs
