"""The trends page: what is asked for, in words and links that need no script, and controls for who may change."""

import html
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from include.loadtest.history.baselines import mark_intended_change, pin_baseline
from include.loadtest.history.series import Question, read_series
from tests.helpers.trend_runs import NOW, add_run, fill

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("engine")]


@pytest.fixture
def engine(fresh_history: str, results: object, monkeypatch: pytest.MonkeyPatch) -> Engine:  # noqa: ARG001 - it sets other settings
    monkeypatch.setenv("LOADTEST_HISTORY_URL", fresh_history)
    return fill(fresh_history)


def page(client: TestClient, code: int = 200, **query: str) -> str:
    answer = client.get("/loadtest/trends", params=query, headers={"Accept": "text/html"})
    assert answer.status_code == code
    return html.unescape(answer.text)


def values(text: str) -> list[str]:
    """The runs of the tables, in order."""
    return re.findall(r'<td class="nowrap"><a href="/loadtest/runs/([a-z0-9-]+)"', text)


def test_without_a_choice_the_latest_profile_is_shown(viewer: TestClient) -> None:
    """Its P95, a card a comparable series, the newest first; runs by verdict, no repeats."""
    text = page(viewer)
    assert re.findall(r"<h2[^>]*>(\d+ users, \w+, \w+ load)", text) == [
        *("10 users, locust, closed load", "5 users, locust, closed load")
    ]
    assert "users 5 (newest: 10)" in text
    assert values(text)[:3] == ["smoke-8", "smoke-7", "smoke-6"]
    assert "repeat" not in " ".join(values(text))
    assert 'class="dot dot-sla_breach"' in text
    assert "ABORTED: not measured" in text
    assert "SLA_BREACH: 300 ms, 95 % interval 285 to 315 ms, n=500" in text


def test_each_point_links_to_its_run(viewer: TestClient) -> None:
    """In the picture and in the table; the picture is no stop of the Tab key for each of them."""
    text = page(viewer)
    links = re.findall(r'<a href="/loadtest/runs/(smoke-\d)" tabindex="-1">', text)
    assert links == [f"smoke-{index}" for index in range(9)]


def test_a_regression_is_marked_on_the_axis(viewer: TestClient) -> None:
    """Once in its place and once below it."""
    assert len(re.findall(r'href="/loadtest/runs/smoke-regression" tabindex="-1"', page(viewer))) == 2


def test_other_figures_by_the_form(viewer: TestClient) -> None:
    """The form is a plain one and keeps what is chosen; a figure that nothing has is said to be not measured."""
    text = page(viewer, metric="latency_p95_ms", scope="endpoint:chat", months="all")
    assert '<form class="card trend-form" method="get" action="/loadtest/trends"' in text
    assert re.findall(r'<option value="([^"]*)" selected', text) == [
        *("smoke", "demo", "latency_p95_ms", "endpoint:chat", "hold", "all", "")
    ]
    assert "7 ms" in text
    assert "not measured" in page(viewer, metric="ttft_p95_ms")


def test_one_series_has_all_its_values(engine: Engine, viewer: TestClient) -> None:
    """On pages of a bounded size; a page that is none is the nearest one."""
    for index in range(210):
        add_run(engine, f"smoke-more-{index}", 30 + index / 100)
    key = read_series(engine, Question("smoke", "demo", "latency_p95_ms", "all", "hold"))[0].key
    assert "Page 1 of 2" in page(viewer, key=key)
    last = page(viewer, key=key, page="2")
    assert len(values(last)) == 222 - 200
    assert "newer runs" in last
    assert "older runs" not in last
    assert values(page(viewer, key=key, page="99")) == values(last)
    assert "Page 1 of 2" in page(viewer, key=key, page="x")


def test_baselines_and_changes_are_drawn_and_listed(engine: Engine, viewer: TestClient) -> None:
    """With who, when and why; a reason of another person is text, whatever it looks like."""
    key = read_series(engine, Question("smoke", "demo", "latency_p95_ms", "all", "hold"))[0].key
    pin_baseline(engine, key, ["smoke-0", "smoke-1", "smoke-2"], "anna", "the level of May", least=3)
    mark_intended_change(engine, "demo", None, NOW, by="<b>eve</b>", reason="<script>alert(1)</script>")
    answer = viewer.get("/loadtest/trends")
    assert "<script>alert" not in answer.text
    assert "<b>eve" not in answer.text
    text = html.unescape(answer.text)
    assert "baseline 1, pinned: 3 runs, 100 ms to 102 ms, median 101 ms" in re.sub(
        r"baseline \d+,", "baseline 1,", text
    )
    assert len(re.findall('class="trend-member"', text)) == 1 + 3
    assert re.search(r"pinned <time[^>]*>[^<]*</time> by anna: the level of May", text)
    assert re.search(r"all profiles: <script>alert\(1\)</script>", text)


def test_controls_are_for_who_may_change(viewer: TestClient, browse: Callable[[str | None], TestClient]) -> None:
    """The others are told who may."""
    text = page(viewer)
    assert "data-action" not in text
    assert "actions.js" not in text
    assert "needs Airflow's permission to start load_test_housekeeping" in text
    for role in ("op", "admin"):
        own = page(browse(role))
        assert 'data-action="/loadtest/actions/mark"' in own
        assert "needs Airflow's permission" not in own


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ({"profile": "smok"}, "profile 'smok' is not known; did you mean smoke?"),
        ({"target": "dem"}, "target 'dem' is not known; did you mean demo?"),
        ({"metric": "latency_p95"}, "did you mean latency_p95_ms?"),
        ({"phase": "holt"}, "did you mean hold?"),
        ({"key": "0" * 32}, "key '" + "0" * 32 + "' is not known"),
        ({"months": "7"}, "months '7' is not known"),
        ({"profile": "<img src=x>\n"}, "profile '<img src=x> ' is not known; valid: smoke"),
    ],
)
def test_names_that_nothing_has(viewer: TestClient, query: dict[str, str], line: str) -> None:
    """404 in one line with the nearest name, as text."""
    assert line in page(viewer, 404, **query)
    assert "<img src=x>" not in viewer.get("/loadtest/trends", params=query, headers={"Accept": "text/html"}).text


def test_a_profile_that_never_ran_on_a_target(engine: Engine, viewer: TestClient) -> None:
    """Both names are right, together they are not: it says where the profile ran."""
    add_run(engine, "soak-1", 1, profile="soak")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE loadtest.run SET target = 'other' WHERE run_id = 'soak-1'")
    text = page(viewer, 404, profile="soak", target="demo")
    assert "the history has no run of soak on demo; it has runs on: other" in text


def test_an_empty_history(engine: Engine, viewer: TestClient) -> None:
    """No trend yet, and no fault."""
    with engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE loadtest.run CASCADE")
    assert "The history has no run yet" in page(viewer)


def test_a_history_that_does_not_answer(viewer: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, worth another try."""
    monkeypatch.setenv("LOADTEST_HISTORY_URL", "postgresql://nobody:geheim@127.0.0.1:1/none")
    text = page(viewer, 503)
    assert "history database none at 127.0.0.1:1" in text
    assert "geheim" not in text
