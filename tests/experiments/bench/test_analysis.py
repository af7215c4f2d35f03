"""What is said of measured stages."""

import pytest

from experiments.bench.analysis import Done, linear, of_metrics, of_whole

pytestmark = pytest.mark.unit


def done(wall_s: float, cpu_s: float, peak_mb: float) -> Done:
    return Done({"metrics": wall_s}, {"metrics": cpu_s}, peak_mb)


def test_the_least_time_and_the_greatest_memory_count() -> None:
    """Other work only adds to a time; the ratio is of CPU, the median of the pairs."""
    pairs = [
        (done(2.4, 3.0, 300), done(1.0, 2.0, 600)),
        (done(1.9, 3.2, 310), done(1.2, 2.0, 610)),
        (done(2.1, 6.0, 305), done(1.1, 2.0, 590)),
    ]
    speed, memory = of_metrics(10_000_000, pairs)
    assert (speed.met, speed.ratio) == (True, 1.6)
    assert speed.measured == "1.90 s (3.00 s of CPU)"
    assert (memory.met, memory.measured) == (True, "310 MB")
    assert not next(of_metrics(10_000_000, pairs[:1])).met


@pytest.mark.parametrize(("large_us", "met"), [(0.6, True), (1.2, True), (1.21, False)])
def test_what_is_linear_costs_no_more_a_row_where_there_are_more_rows(large_us: float, met: bool) -> None:
    """A fifth more is allowed; less is what fixed costs make of it."""
    assert linear({100_000: 1.0, 1_000_000: 9.0, 10_000_000: large_us}).met is met


def test_all_stages_are_summed() -> None:
    """What follows the load has one goal together."""
    speed, memory = of_whole(10, Done({"metrics": 4.0, "charts": 6.5}, {}, 501.0))
    assert (speed.met, memory.met) == (False, False)
    assert speed.measured == "10.50 s (metrics 4.00, charts 6.50)"
