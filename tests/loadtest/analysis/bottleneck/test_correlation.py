"""Whether a figure moves with the latencies."""

import pytest

from include.loadtest.analysis.bottleneck import llm, processor
from include.loadtest.analysis.bottleneck.correlation import with_correlation
from tests.helpers.made_cases import Value, after, counted, made_case, made_requests

pytestmark = pytest.mark.unit
CORES = ("process", "app_busiest_process_cpu_cores")


def test_a_figure_that_rises_with_the_latencies_says_so() -> None:
    """A gauge, and a counter by its growth."""
    late = made_requests(lambda at_s, _, ms: ms + (500 if at_s >= 30 else 0))
    (cpu,) = processor.cpu(made_case({CORES: lambda at_s: 0.75 + (0.2 if at_s > 30 else 0)}))
    case = made_case({CORES: lambda at_s: 0.75 + (0.2 if at_s > 30 else 0)}, requests=late)
    assert "it moved with the mean latency" in with_correlation(case, cpu).evidence[-1].text
    figures: dict[tuple[str, str], Value] = {("llm", "llm_wait_seconds_sum"): counted(after(30, 5.0, 1.0))}
    case = made_case(figures, requests=late)
    assert "rank correlation" in with_correlation(case, llm.slow(case)[0]).evidence[-1].text


def test_a_figure_that_does_not_says_nothing() -> None:
    """A constant one, and one that falls while latencies rise."""
    late = made_requests(lambda at_s, _, ms: ms + (500 if at_s >= 30 else 0))
    for cores in (0.9, after(30, 0.75, 0.95)):
        case = made_case({CORES: cores}, requests=late)
        (found,) = processor.cpu(case)
        assert with_correlation(case, found) == found
