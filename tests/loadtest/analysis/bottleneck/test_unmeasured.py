"""What the diagnosis did without."""

import pytest

from include.loadtest.analysis.bottleneck.case import Silence
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.unmeasured import not_measured
from tests.helpers.made_cases import START_S, made_case

pytestmark = pytest.mark.unit


def test_everything_measured_leaves_nothing_to_say() -> None:
    """A healthy run with all sources."""
    assert not_measured(made_case()) == []


def test_missing_sources_and_figures_are_named() -> None:
    """A source without readings, figures that the application does not expose, and a silence with its time."""
    silent = Silence("redis", Span(START_S + 10, START_S + 20), "no answer")
    case = made_case(without=["postgres", "llm", ("app", "db_pool_waiting")], silences=[silent])
    texts = " | ".join(not_measured(case))
    for part in (
        "PostgreSQL (no readings)",
        "pool of database connections (not exposed)",
        "the time that the LLM takes",
    ):
        assert part in texts
    assert "redis from 08:00:10 to 08:00:20 (no answer)" in texts
