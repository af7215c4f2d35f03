from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.orchestration.slack_message import tell_slack
from include.loadtest.publishing.slack import SlackSettings
from tests.helpers.slack_messages import MET, document
from tests.helpers.slack_service import SlackService, slack_service

pytestmark = pytest.mark.unit

FOUND = {"state": "bottleneck", "sentence": "Locks of a session.", "next_step": "End the transaction."}


@dataclass
class Profile:
    title: str = "Smoke"


@dataclass
class Told:
    """As much of a run's context as the message needs."""

    bundle: Bundle
    settings: SlackSettings | None
    link: str | None = None
    bundle_uri: str = "results/smoke-1"
    target_name: str = "demo"
    profile_: Profile = field(default_factory=Profile)

    def manifest(self) -> dict[str, Any]:
        return self.bundle.update_manifest()

    def slack_settings(self) -> SlackSettings | None:
        return self.settings

    def profile(self) -> Profile:
        return self.profile_


@pytest.fixture
def slack():
    with slack_service() as service:
        yield service


def told(tmp_path: Path, slack: SlackService) -> Told:
    return Told(Bundle(tmp_path / "smoke-1"), SlackSettings.checked(webhook_url=slack.webhook_url))


def test_a_verdict_is_told_once_with_its_bottleneck(tmp_path: Path, slack: SlackService) -> None:
    """A second try sends nothing; a verdict that repeats have changed is told again."""
    context = told(tmp_path, slack)
    context.bundle.write("diagnosis.json", FOUND)
    verdict = document(MET)
    for _ in range(2):
        tell_slack(context, verdict)
    assert len(slack.messages) == 1
    assert "Locks of a session." in str(slack.messages[0])
    tell_slack(context, verdict | {"verdict": "REGRESSION"})
    assert len(slack.messages) == 2
    assert context.manifest()["slack"] == "sent"


def test_a_slack_that_is_not_set_up_or_refuses_changes_nothing_else(tmp_path: Path, slack: SlackService) -> None:
    """Without a connection nothing is noted; what Slack refuses stands in the manifest."""
    quiet = Told(Bundle(tmp_path / "smoke-2"), None)
    tell_slack(quiet, document(MET))
    assert "slack" not in quiet.manifest()
    refused = Told(Bundle(tmp_path / "smoke-3"), SlackSettings.checked(webhook_url=slack.webhook_url + "x"))
    tell_slack(refused, document(MET))
    assert refused.manifest()["slack"].startswith("not sent: ")
