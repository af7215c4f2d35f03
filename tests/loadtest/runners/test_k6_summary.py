"""k6's own summary as a page."""

import json
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.runners.k6_summary import page, write_summary

pytestmark = pytest.mark.unit

HOSTILE = "</td><script>alert(1)</script>"
SUMMARY = {
    "state": {"testRunDurationMs": 65012.5},
    "metrics": {
        "http_req_duration": {
            "contains": "time",
            "values": {"p(95)": 1234.56789, "count": 1500},
            "thresholds": {"p(95)<1000": {"ok": False}, "p(99)<9000": {"ok": True}},
        },
        HOSTILE: {"contains": HOSTILE, "values": {HOSTILE: HOSTILE}},
    },
}


def test_the_page_shows_thresholds_and_figures_and_runs_nothing_of_the_targets() -> None:
    """Escaped, self-contained, and it says that no verdict comes from it; the exit code is explained."""
    text = page(SUMMARY, "smoke-1", load_profile(find_profile("smoke")), 99)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http:" not in text
    assert "https:" not in text
    assert "<td>p(95)&lt;1000</td><td>crossed</td>" in text
    assert "p(95) 1,234.568, count 1,500" in text
    assert "exit code 99 (one of k6&#x27;s own thresholds was crossed)" in text
    assert "never from this page" in text
    assert "65.0 s" in text


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"metrics": {"a": 1}, "state": {"testRunDurationMs": 1}}'])
def test_without_a_summary_there_is_no_page_and_no_error(tmp_path: Path, content: str | None) -> None:
    """A k6 that was killed wrote none, or half of one."""
    summary, bundle = tmp_path / "k6-summary.json", Bundle(tmp_path / "smoke-1")
    if content is not None:
        summary.write_text(content)
    write_summary(summary, bundle, load_profile(find_profile("smoke")), 137)
    assert not (bundle.path / "k6_summary.html").exists()


def test_the_page_stands_in_the_bundle(tmp_path: Path) -> None:
    """Under the name that the reports have for it."""
    summary, bundle = tmp_path / "k6-summary.json", Bundle(tmp_path / "smoke-1")
    summary.write_text(json.dumps(SUMMARY))
    write_summary(summary, bundle, load_profile(find_profile("smoke")), 0)
    assert (bundle.path / "k6_summary.html").read_text(encoding="utf-8").startswith("<!doctype html>")
