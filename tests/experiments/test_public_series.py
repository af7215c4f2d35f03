"""The public histories that are committed here, and a method replayed over them."""

import pytest

from experiments.public_series import compared, public_series, rule_alarms, scored_by
from experiments.rivals import naive_alarms
from experiments.scoring import found_within, frequency

pytestmark = pytest.mark.integration


def test_the_naive_rule_is_scored_as_known() -> None:
    """13 series, 18 changes, 54 spikes, 2,804 flat runs; of 11 changes for the worse it finds 9."""
    series = public_series()
    alarms = [naive_alarms(part.values, higher_is_better=part.higher_is_better) for part in series.parts]
    scores = scored_by(series, alarms)
    assert len(scores) == 13
    assert sum(score.spikes for score in scores) == 54
    assert frequency(scores).runs == 2804
    assert (found_within(scores, 5)[1], found_within(scores, 5, worse_only=True)) == (18, (9, 11))
    assert [claim.ok for claim in compared("regression", {"naive": scores})] == [True] * 5


def test_a_step_of_a_series_is_alarmed_once_with_its_first_run() -> None:
    """HTTP/2 answers of hyper became a thousand times slower at run 207 or so."""
    series = public_series()
    part = next(one for one in series.parts if one.ids[0] == "hyper_http2_seq_10b:0")
    alarms = [alarm for alarm in rule_alarms(series, part.ids) if 200 <= alarm.at <= 215]
    (change,) = (index for index in series.index["hyper_http2_seq_10b"]["changes"] if 200 <= index <= 215)
    assert [(alarm.since, alarm.is_worse) for alarm in alarms] == [(change, True)]
