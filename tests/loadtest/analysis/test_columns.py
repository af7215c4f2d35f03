"""The table of the change test."""

import math
import random

import pytest

from include.loadtest.analysis.columns import TAIL_SHARE, columns
from include.loadtest.analysis.figures import BODY, TAIL, Point, RunFigures
from tests.helpers.made_runs import LEVELS_MS, made_run, made_runs, made_series

pytestmark = pytest.mark.unit


def test_each_endpoint_has_a_body_and_a_tail_and_the_shares_add_up() -> None:
    """The tails get a tenth of the false alarms, the bodies the rest."""
    table = columns(made_runs(10, 1), made_runs(1, 2))
    assert {(column.measure, column.scope) for column in table} == {(m, s) for m in (BODY, TAIL) for s in LEVELS_MS}
    assert sum(column.share for column in table) == pytest.approx(1)
    assert sum(column.share for column in table if column.measure == TAIL) == pytest.approx(TAIL_SHARE)


def test_an_endpoint_that_one_run_lacks_is_left_out() -> None:
    """A body and a tail have the percentiles that all runs have, and are there where that is at least one."""
    runs = made_runs(10, 1)
    thin = made_run("thin", random.Random(3))
    points = {scope: dict(places) for scope, places in thin.points.items()}
    del points["endpoint:tax"]
    del points["endpoint:search"]["latency_p95_ms"], points["endpoint:search"]["latency_p99_ms"]
    del points["endpoint:chat"]["latency_p99_ms"]
    del points["endpoint:chat"]["latency_p10_ms"]
    table = columns(runs, [RunFigures("thin", points)])
    assert {(column.measure, column.scope) for column in table} == {
        (BODY, "endpoint:chat"),
        (BODY, "endpoint:search"),
        (TAIL, "endpoint:chat"),
    }


def test_an_uncertain_percentile_weighs_little() -> None:
    """Where the median lies between two populations, the body hardly follows its jumps."""

    def run(median_ms: float) -> RunFigures:
        sharp, vague = Point(math.log(10), 0.01), Point(math.log(median_ms), 0.6)
        return RunFigures("r", {"endpoint:x": {"latency_p25_ms": sharp, "latency_p50_ms": vague}})

    (column,) = columns([run(10), run(60), run(10), run(60)], [run(60)])
    assert abs(column.new[0] - column.before[0]) < 0.01


def test_up_is_worse_in_every_column() -> None:
    """A throughput that falls rises in the table."""
    (column,) = columns(made_series([100, 100, 100], higher_is_better=True), made_series([50], higher_is_better=True))
    assert column.new[0] > column.before[0]
    (column,) = columns(made_series([100, 100, 100]), made_series([50]))
    assert column.new[0] < column.before[0]
