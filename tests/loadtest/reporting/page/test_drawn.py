"""What the page draws: limits beside their figures, the evidence's readings, one axis for all distributions."""

import pytest

from include.loadtest.reporting.page.drawn import (
    MAX_RESOURCES,
    drawn_resources,
    evidence,
    missing_groups,
    pictures,
    script_data,
)
from tests.helpers.report_pages import START_S, made_charts
from tests.loadtest.reporting.conftest import SLO

pytestmark = pytest.mark.unit


def cause_of(metric: str, source: str = "postgres", component: str = "Database") -> dict:
    one = {"source": source, "metric": metric, "instance": "", "from": "2026-11-26T20:00:00Z", "to": None}
    return {"causes": [{"cause": "database_connections", "component": component, "evidence": [one]}]}


def test_the_axis_spans_the_load_and_limits_stand_by_metric() -> None:
    """Those of all requests only; a warning limit says what it is."""
    slos = [SLO, SLO | {"level": "warning", "limit": 3500.0}, SLO | {"scope": "scenario:simple_query"}]
    data = script_data({"slos": slos, "diagnosis": None}, made_charts(windows=30))
    assert data["range"] == [START_S, START_S + 150]
    assert [limit["text"] for limit in data["limits"]["latency_p95_ms"]] == [
        "limit < 4,000 ms",
        "limit < 3,500 ms (warning)",
    ]


def test_the_evidence_is_drawn_by_the_reading_that_it_names() -> None:
    """By the name that the reading has in the bundle, too."""
    resources = made_charts()["resources"]
    by_key = evidence(cause_of("postgres_connections"), resources)
    by_reading = evidence(cause_of("connections_total"), resources)
    assert by_key is not None
    assert by_reading is not None
    assert by_key["places"] == by_reading["places"] == [1]
    assert by_key["named"]


def test_without_its_reading_one_of_the_same_part_is_drawn_and_said_to_be_that() -> None:
    """And nothing where the part has none."""
    resources = made_charts()["resources"]
    found = evidence(cause_of("statement_exec_ms"), resources)
    assert found is not None
    assert (found["places"], found["named"]) == ([1], False)
    assert evidence(cause_of("x", component="LLM"), resources) is None
    assert evidence(None, resources) is None


def test_of_too_many_series_the_evidence_and_every_kind_are_drawn() -> None:
    """A hundred instances of one reading, and the database's behind them: the place in the JSON is that series."""
    cpu, connections, memory = made_charts()["resources"]
    many = [cpu | {"instance": f"pod{number}"} for number in range(100)]
    diagnosis = cause_of("cpu_pct", source="host")
    diagnosis["causes"][0]["evidence"][0]["instance"] = "pod98"
    charts = made_charts() | {"resources": [*many, connections, memory]}
    data = script_data({"slos": [], "diagnosis": diagnosis}, charts)
    assert len(data["resources"]) == MAX_RESOURCES
    assert data["resources"][-2:] == [connections, memory]
    assert [data["resources"][place]["instance"] for place in data["evidence"]["places"]] == ["pod98"]
    assert drawn_resources(None, many[:3]) == many[:3]


def test_parts_without_a_reading_are_named() -> None:
    """Of a run without charts, all."""
    assert missing_groups(made_charts()) == ["Memory", "LLM"]
    assert missing_groups(None) == ["CPU", "Memory", "Database", "Redis", "LLM"]


def test_each_scenario_has_its_percentiles_with_n() -> None:
    """A lower bound with its sign; one without enough requests is not measured."""
    first, second = pictures({"slos": [], "metrics": []}, made_charts())
    assert first.percentiles[0] == ("P50", "40 ms", "900")
    assert first.percentiles[2:] == (("P99", "≥ 260 ms", "900"), ("P99.9", "not measured", "900"))
    assert second.scenario == "document_upload"
    assert pictures({"slos": []}, None) == []
