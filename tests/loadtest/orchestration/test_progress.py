"""What the thread tells of longer stages: one reply that grows, and nothing of it reaches the stage."""

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.history.outbox import Delivery
from include.loadtest.orchestration import progress
from include.loadtest.orchestration.progress import tell_progress, told
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings

pytestmark = pytest.mark.unit
TOKEN = Services(SlackSettings.checked(channel="#load-tests", token="xoxb-1"))
WEBHOOK = Services(SlackSettings.checked(webhook_url="https://hooks.slack.example/services/x"))


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Delivery]:
    """What was put; nothing is delivered."""
    found: list[Delivery] = []
    monkeypatch.setattr(progress, "put", lambda _context, row: found.append(row))
    monkeypatch.setattr(progress, "delivered_meanwhile", lambda _context: nullcontext())
    return found


def context_of(tmp_path: Path, services: Services, **manifest: Any) -> Any:
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.update_manifest(**manifest)
    profile = load_profile(find_profile("smoke"))
    return SimpleNamespace(bundle=bundle, services=services, manifest=bundle.update_manifest, profile=lambda: profile)


def test_the_one_reply_grows_and_expires(tmp_path: Path, rows: list[Delivery]) -> None:
    """Late it would tell nobody anything."""
    context = context_of(tmp_path, TOKEN)
    tell_progress(context, lambda _: "10 test users are ready")
    tell_progress(context, lambda _: "load begins")
    assert {(row.key, row.kind, row.lane) for row in rows} == {
        ("slack/run/smoke-1/progress", "slack_reply", "slack/run/smoke-1")
    }
    assert all(text in str(rows[1].payload) for text in ("10 test users are ready", "load begins"))
    assert rows[1].expires is not None
    assert rows[1].expires > datetime.now(UTC)


def test_a_webhook_gets_none(tmp_path: Path, rows: list[Delivery]) -> None:
    """It has no threads; nor has who is not set up."""
    for services in (WEBHOOK, Services()):
        tell_progress(context_of(tmp_path, services), lambda _: "load begins")
    assert rows == []


def test_a_stage_that_takes_long_is_followed(tmp_path: Path, rows: list[Delivery]) -> None:
    """Its beginning and its good end are told; a failure is the verdict's to tell."""
    context = context_of(tmp_path, TOKEN, load={"completed": False})
    with told(context, "run_profile"):
        assert "load begins: up to 10 users" in str(rows[-1].payload)
    assert "load ended before its time" in str(rows[-1].payload)
    before = len(rows)
    with pytest.raises(ValueError, match="x"), told(context, "confirm"):
        raise ValueError("x")
    assert len(rows) == before + 1
    with told(context, "validate_sla"):
        assert len(rows) == before + 1


def test_words_that_cannot_be_made_are_a_line_in_the_log(
    tmp_path: Path, rows: list[Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    """The stage has done its work, whatever its manifest lacks."""
    with told(context_of(tmp_path, TOKEN), "seed_users"):
        pass
    assert rows == []
    assert "Slack is not told of the progress: KeyError" in caplog.text
