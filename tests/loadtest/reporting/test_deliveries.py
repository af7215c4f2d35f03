"""The section of the summary that says where a run was told of."""

import pytest

from include.loadtest.reporting.deliveries import deliveries_section
from tests.loadtest.reporting.conftest import HOSTILE

pytestmark = pytest.mark.unit


def entry(**changes: object) -> dict:
    return {"what": "Slack message", "state": "delivered", "text": "21:15:02 UTC", "url": None, **changes}


def test_each_delivery_has_its_state_and_a_link_where_one_is_known() -> None:
    """What waits or was given up is seen as such."""
    rows = [
        entry(url="https://example.slack.com/archives/C1/p1?thread_ts=1.2"),
        entry(what="issue", state="waiting", text="GitHub answered 502; next attempt 21:20 UTC"),
        entry(what="page", state="given_up", text="for 72 h"),
        entry(what="pull request", state="not_configured", text="connection loadtest_github"),
    ]
    lines = deliveries_section({"deliveries": rows}).splitlines()
    assert lines[0] == "## Deliveries"
    assert lines[4:] == [
        "| [Slack message](https://example.slack.com/archives/C1/p1?thread_ts=1.2) | ✅ delivered | 21:15:02 UTC |",
        "| issue | 🟡 waiting, tried again | GitHub answered 502; next attempt 21:20 UTC |",
        "| page | ❌ given up | for 72 h |",
        "| pull request | ⚪ not configured | connection loadtest_github |",
    ]


@pytest.mark.parametrize("report", [{}, {"deliveries": []}])
def test_without_deliveries_there_is_no_section(report) -> None:
    """Bundles of earlier releases have none."""
    assert deliveries_section(report) == ""


def test_hostile_texts_and_addresses_stay_text() -> None:
    """An answer of a service is foreign text; only a plain web address becomes a link."""
    for url in ("javascript:alert(1)", "https://a/) ![x](https://evil", "https://a/|b", "https://a/\nb"):
        text = deliveries_section({"deliveries": [entry(what=f"a]{HOSTILE}", text=HOSTILE, url=url)]})
        assert "](http" not in text.replace("\\[x](http", "")
        assert "<script" not in text
        assert len(text.splitlines()) == 5
        assert text.splitlines()[-1].replace("\\|", "").count("|") == 4
