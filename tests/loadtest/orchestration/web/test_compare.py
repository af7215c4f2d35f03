"""Two runs beside each other: first what differs around them, then whether they are comparable, then the figures."""

import html
import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from include.loadtest.history.baselines import mark_intended_change
from tests.helpers.trend_runs import NOW, add_run, fill, row

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("engine")]


@pytest.fixture
def engine(fresh_history: str, results: object, monkeypatch: pytest.MonkeyPatch) -> Engine:  # noqa: ARG001 - it sets other settings
    monkeypatch.setenv("LOADTEST_HISTORY_URL", fresh_history)
    return fill(fresh_history)


def page(client: TestClient, code: int = 200, **query: str) -> str:
    answer = client.get("/loadtest/compare", params=query, headers={"Accept": "text/html"})
    assert answer.status_code == code
    text = html.unescape(answer.text)
    return re.sub(r"\s+", " ", text)


def test_the_comparable_run_before_is_the_default(viewer: TestClient) -> None:
    """It stands in the form; both runs are linked."""
    text = page(viewer, a="smoke-8")
    assert 'name="b" value="smoke-7"' in text
    assert "✓ Comparable" in text
    assert 'href="/loadtest/runs/smoke-7"' in text


def test_differences_come_before_figures(engine: Engine, viewer: TestClient) -> None:
    """What was tested, what has to be equal, whether it is, then the deltas."""
    add_run(engine, "smoke-new", 0.1, 150.0, environment={"app_version": "1.1", "notes": ["a note"]})
    text = page(viewer, a="smoke-new")
    places = [
        text.index(part)
        for part in ("What was tested", "which have to be equal", "✓ Comparable", "All requests", "By endpoint")
    ]
    assert places == sorted(places)
    assert re.search(r"Version of the application</th><td>1.1</td><td>1.0</td><td[^>]*><strong>≠ differs", text)
    assert re.search(r"Migration head of its database</th><td>abc</td><td>abc</td><td[^>]*>= same", text)
    assert re.search(r"Git SHA of the application</th><td>not known</td><td>not known</td><td[^>]*>\? not known", text)
    assert "What else differs (1)" in text


def test_deltas_in_words_and_signs(engine: Engine, viewer: TestClient) -> None:
    """Absolute and relative, with both intervals; worse only where the intervals do not overlap."""
    add_run(engine, "smoke-a", 0.2, rows=[row("latency_p95_ms", 100.0), row("throughput_rpm", 500.0, spread=0.01)])
    add_run(engine, "smoke-b", 0.1, rows=[row("latency_p95_ms", 150.0), row("throughput_rpm", 505.0, spread=0.01)])
    text = page(viewer, a="smoke-b", b="smoke-a")
    assert re.search(r"150 ms<br><span[^>]*>142.5 to 157.5 ms.*100 ms<br><span[^>]*>95 to 105 ms", text)
    assert "+50 ms" in text
    assert "+50.0 %" in text
    assert "1 worse (latency_p95_ms), 1 unclear" in text
    assert "▲ worse" in text
    assert "the intervals do not overlap" in text
    assert "▼ better" in page(viewer, a="smoke-a", b="smoke-b")


def test_runs_that_may_not_be_compared(viewer: TestClient) -> None:
    """It says why, and of the figures only which is higher."""
    text = page(viewer, a="smoke-8", b="smoke-five-0")
    assert "✗ Not comparable" in text
    assert re.search(r'<th scope="row">users</th><td>10</td><td>5</td>', text)
    assert "▲ higher" in text
    assert "1 higher" in text
    assert "▲ worse" not in text
    aborted = page(viewer, a="smoke-8", b="smoke-aborted")
    assert "smoke-aborted ended ABORTED: its figures are no measure." in aborted
    assert "It is the same run twice." in page(viewer, a="smoke-8", b="smoke-8")


def test_a_change_between_the_two_is_told(engine: Engine, viewer: TestClient) -> None:
    """Since an intended change the level is meant to differ."""
    for days, reason in ((400, "long ago"), (3.5, "a new model")):
        mark_intended_change(engine, "demo", None, NOW - timedelta(days=days), by="anna", reason=reason)
    text = page(viewer, a="smoke-8", b="smoke-0")
    assert "a new model" in text
    assert "long ago" not in text
    assert "a new model" not in page(viewer, a="smoke-8", b="smoke-7")


def test_no_comparable_run_before(viewer: TestClient) -> None:
    """It says what differs from the run before."""
    text = page(viewer, a="smoke-breach")
    assert "There is no comparable run before it." in text
    assert "users is 10, was 5" in text


def test_without_a_choice_the_latest_runs_are_offered(viewer: TestClient) -> None:
    """By a plain form; run B alone is taken as run A."""
    text = page(viewer)
    assert '<form class="card trend-form" method="get" action="/loadtest/compare"' in text
    assert text.count("<option ") == 15
    assert 'name="a" value="smoke-8"' in page(viewer, b="smoke-8")


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ({"a": "smoke-77"}, "run 'smoke-77' is not in the history; did you mean smoke-"),
        ({"a": "smoke-8", "b": "smoke-77"}, "run 'smoke-77' is not in the history"),
        ({"a": "../etc/passwd"}, "'../etc/passwd' is no id of a run"),
        ({"a": "smoke-8", "b": "<b>"}, "'<b>' is no id of a run"),
    ],
)
def test_runs_that_are_not_there(viewer: TestClient, query: dict[str, str], line: str) -> None:
    """404 in one line with the nearest name."""
    assert line in page(viewer, 404, **query)


def test_hostile_texts_are_texts(engine: Engine, viewer: TestClient) -> None:
    """A target tells its own version, which is nobody's script."""
    add_run(engine, "smoke-x", 0.1, environment={"app_version": "<script>alert(1)</script>"})
    answer = viewer.get("/loadtest/compare", params={"a": "smoke-x"})
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
