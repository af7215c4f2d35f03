"""Alertmanager's file: who is told of an alert, and how. No secret is in an argument or in a file that all may read."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.loadtest.errors import ConfigError

SLACK_FILE, SLACK_CHANNEL = "slack_webhook_url", "#load-tests"
MESSAGE_TITLE = "{{ .CommonLabels.alertname }}{{ with .CommonLabels.target }} on {{ . }}{{ end }}"
MESSAGE = (
    "{{ range .Alerts }}{{ .Annotations.summary }} ({{ .Status }}); what to do: {{ .Annotations.page }}\n{{ end }}"
)
Receiver = Mapping[str, Mapping[str, Any]]
"""One of Alertmanager's kinds of receivers, with its settings."""


def alertmanager(receiver: Receiver, group_wait_s: int = 10) -> dict[str, Any]:
    """alertmanager.yml: one message for the alerts of a run; `receiver`: see `slack_receiver`, `webhook_receiver`.

    After a load its series are gone, which Alertmanager takes for the end of its alerts, whatever the target is like:
    the end of a run's alert is therefore not sent.
    """
    people, of_a_run = (
        {kind: [{**config, "send_resolved": resolved}] for kind, config in receiver.items()}
        for resolved in (True, False)
    )
    return {
        "route": {
            "receiver": "people",
            "group_by": ["run_id", "target"],
            "group_wait": f"{group_wait_s}s",
            "group_interval": "1m",
            "repeat_interval": "12h",
            "routes": [
                {"receiver": "nobody", "matchers": ['severity="info"']},
                {"receiver": "people-of-a-run", "matchers": ['run_id=~".+"']},
            ],
        },
        "receivers": [{"name": "people", **people}, {"name": "people-of-a-run", **of_a_run}, {"name": "nobody"}],
    }


def slack_receiver(url_file: str, channel: str) -> Receiver:
    """Messages to Slack; `url_file` holds the webhook's URL, a relative one lies beside alertmanager.yml."""
    return {"slack_configs": {"api_url_file": url_file, "channel": channel, "title": MESSAGE_TITLE, "text": MESSAGE}}


def webhook_receiver(url: str) -> Receiver:
    """Alertmanager's own JSON to any address."""
    return {"webhook_configs": {"url": url}}


def webhook_url(file: Path) -> str:
    """The URL in a file. Raises ConfigError, which never shows it."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{file}: {getattr(error, 'strerror', None) or 'is no text'}") from error
    if not re.fullmatch(r"https?://[!-~]+", text):
        raise ConfigError(f"{file}: one URL wanted, http:// or https://, and nothing else")
    return text


def require_secret(file: Path) -> None:
    """Raise ConfigError where everybody on this machine may read a file that holds a secret."""
    if file.is_file() and file.stat().st_mode & stat.S_IROTH:
        raise ConfigError(f"{file}: everybody may read it, and its URL is a secret: chmod 600 {file}")
