"""What the diagnosis did without."""

from dataclasses import replace

import pytest

from include.loadtest.analysis.bottleneck.case import Silence
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.series import Readings
from include.loadtest.analysis.bottleneck.unmeasured import blind_spots, not_measured
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


def test_servers_without_readings_in_the_load_are_blind_spots() -> None:
    """Also one that was silent for most of it; the LLM only where the requests in question ask it."""
    assert blind_spots(made_case()) == []
    assert blind_spots(made_case(without=["postgres", "generator"])) == ["PostgreSQL", "the load generator"]
    silent = Silence("redis", Span(START_S + 10, START_S + 50), "connection refused")
    assert blind_spots(made_case(silences=[silent])) == ["the cache"]
    brief = Silence("redis", Span(START_S + 10, START_S + 30), "connection refused")
    assert blind_spots(made_case(silences=[brief])) == []
    assert blind_spots(made_case(without=["llm"])) == ["the LLM"]
    assert blind_spots(made_case(without=["llm"]), "legal_search and tax_iva") == []
    assert blind_spots(made_case(without=["llm"]), "chat_simple") == ["the LLM"]


def test_readings_of_another_time_measure_nothing() -> None:
    """A clock that is off by hours: the sources are not there for this load."""
    case = made_case()
    late = replace(case, whole=Span(START_S + 7200, START_S + 7260), load=Span(START_S + 7200, START_S + 7260))
    assert {"PostgreSQL", "the cache", "the application"} <= set(blind_spots(late))
    assert "PostgreSQL (no readings)" in not_measured(late)


def test_several_instances_and_an_unknown_begin_are_named() -> None:
    """One of the instances is looked at; a manifest that says nothing of the load leaves its length open."""
    case = made_case()
    one = case.readings.by_kind["redis", "keys"][0]
    kinds = {**case.readings.by_kind, ("redis", "keys"): (one, replace(one, instance="there"))}
    texts = " | ".join(not_measured(replace(case, readings=Readings(kinds), manifest={})))
    assert "2 instances of redis (here, there)" in texts
    assert "when the load began and ended" in texts
