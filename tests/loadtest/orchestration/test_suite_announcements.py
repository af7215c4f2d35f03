"""What a suite puts into the outbox: one message from its start to its digest, and its page."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.history import outbox
from include.loadtest.orchestration import announcements, suite_announcements
from include.loadtest.orchestration.suite_announcements import announce_digest, announce_suite_start
from include.loadtest.profile.suites import load_suite
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.reporting.suite import SuiteEntry, suite_document
from tests.helpers.slack_messages import MET, document, slo

pytestmark = pytest.mark.unit
TOKEN = SlackSettings.checked(channel="#load-tests", token="xoxb-1", mentions=("U0123456789",))
WEBHOOK = SlackSettings.checked(webhook_url="https://hooks.slack.example/services/x")
GITHUB = GitHubSettings.checked("ghp_x", "acme/shop", pages_branch="gh-pages", pages_url="https://acme.example/pages")
BREACH = document([slo("error_rate", "missed", 0.2, 0.01)], run_id="smoke-2")
ENTRIES = [
    SuiteEntry("smoke-1", "smoke", "results/smoke-1", None, document(MET)),
    SuiteEntry("smoke-2", "baseline", "results/smoke-2", None, BREACH),
    SuiteEntry("smoke-3", "smoke", "results/smoke-3", None, None),
]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[outbox.Delivery]:
    found: list[outbox.Delivery] = []
    monkeypatch.setattr(suite_announcements, "put", lambda _context, row: found.append(row))
    monkeypatch.setattr(outbox, "put", lambda _engine, row: found.append(row))
    monkeypatch.setattr(outbox, "touch", lambda _engine, _key: None)
    monkeypatch.setattr(announcements, "outbox_engine", lambda _url: None)
    monkeypatch.setattr(suite_announcements, "deliver_now", lambda _context: None)
    monkeypatch.setattr(suite_announcements, "note_deliveries", lambda _context: None)
    return found


def context_of(tmp_path: Path, services: Services) -> Any:
    bundle = Bundle(tmp_path / "quick-1")
    bundle.update_manifest(started="2026-11-26T02:00:00Z", target={"name": "demo"})
    return SimpleNamespace(
        bundle=bundle,
        bundle_uri="results/quick-1",
        target_name="demo",
        link=None,
        history_url="postgresql://nowhere/history",
        services=services,
        suite=load_suite("quick"),
        reason="",
        manifest=bundle.update_manifest,
    )


def test_the_start_becomes_the_digest(tmp_path: Path, rows: list[outbox.Delivery]) -> None:
    """One key; a line a run, and nobody is called twice: each run has done so for itself."""
    context = context_of(tmp_path, Services(TOKEN, GITHUB))
    announce_suite_start(context, context.suite.profiles())
    announce_digest(context, suite_document("quick-1", "quick", ENTRIES), ENTRIES)
    assert [(row.key, row.kind) for row in rows] == [
        ("slack/run/quick-1", "slack_message"),
        ("slack/run/quick-1", "slack_message"),
        ("github/page/quick-1", "page"),
    ]
    start, digest, _ = rows
    assert (start.payload["final"], digest.payload["final"]) == (False, True)
    said = str(digest.payload["blocks"])
    assert "SLA_BREACH" in digest.payload["text"]
    assert all(word in said for word in ("*PASS* smoke", "*SLA_BREACH* baseline", "ended without a verdict"))
    assert "acme.example/pages/load-tests/quick-1/" in said
    assert "U0123456789" not in said


def test_a_webhook_gets_the_digest_only(tmp_path: Path, rows: list[outbox.Delivery]) -> None:
    """It cannot change what it has sent; without services nothing is put at all."""
    for services, expected in ((Services(WEBHOOK), 1), (Services(), 0)):
        rows.clear()
        context = context_of(tmp_path, services)
        announce_suite_start(context, context.suite.profiles())
        announce_digest(context, suite_document("quick-1", "quick", ENTRIES), ENTRIES)
        assert len(rows) == expected
