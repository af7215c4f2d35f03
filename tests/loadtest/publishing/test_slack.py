"""The connection's fields: what can send, and what a person is told of the rest."""

import traceback
from typing import Any

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.publishing.slack import SlackSettings, is_safe, settings_from
from tests.helpers.slack_service import TOKEN, WEBHOOK_PATH

pytestmark = pytest.mark.unit
SECRET_PARTS = (TOKEN, WEBHOOK_PATH, "not-a-real")


def test_the_connections_fields_become_settings() -> None:
    """A token with its channel; a webhook in the password, or in the host."""
    extra = {"channel": "#load-tests", "base_url": "http://127.0.0.1:9/api/"}
    settings = settings_from(TOKEN, None, extra)
    assert settings == SlackSettings("#load-tests", TOKEN, None, "http://127.0.0.1:9/api/")
    hook = "https://hooks.slack.com" + WEBHOOK_PATH
    expected = SlackSettings(None, None, hook, "https://slack.com/api/")
    assert settings_from(f" {hook}\n", "", {}) == expected
    assert settings_from("", hook, {}) == expected
    assert settings_from(TOKEN, hook, {"channel": "C0123456789"}).token == TOKEN


def test_settings_hide_their_secrets() -> None:
    """In their representation."""
    settings = SlackSettings("#load-tests", TOKEN, "https://hooks.slack.com" + WEBHOOK_PATH)
    assert repr(settings) == "SlackSettings(channel='#load-tests', base_url='https://slack.com/api/', mentions=())"


@pytest.mark.parametrize(
    ("password", "host", "extra", "text"),
    [
        (None, None, {}, "no way to send; put a bot token in its password and"),
        (None, None, {"channel": "#load-tests"}, "no way to send"),
        (TOKEN, None, {}, "a bot token needs a channel"),
        (f"{TOKEN}\n{TOKEN}", None, {"channel": "#a"}, "password: a bot token has no spaces"),
        (TOKEN, None, {"chanel": "#a"}, "extra: unknown key 'chanel'; did you mean channel?"),
        (TOKEN, None, {"channel": 5}, "extra: channel: expected a text"),
        (TOKEN, None, {"channel": "load tests"}, "extra: channel: write a name"),
        (TOKEN, None, {"channel": "#a", "base_url": "slack.com"}, "extra: base_url is no URL"),
        (TOKEN, None, {"channel": "#a", "base_url": "http://slack.com/api/"}, "base_url must begin with https://"),
        (TOKEN, None, {"channel": "#a", "base_url": f"https://u:{TOKEN}@e/"}, "base_url is no URL"),
        (TOKEN, None, {"channel": "#a", "base_url": "https://[e/"}, "base_url is no URL"),
        (f"http://hooks.slack.com{WEBHOOK_PATH}", None, {}, "password or host: the webhook must begin with https://"),
        (f"https://hooks.slack.com{WEBHOOK_PATH} x", None, {}, "the webhook is no URL"),
        (f"file://e{WEBHOOK_PATH}", None, {}, "the webhook must begin with https://"),
        (None, f"hooks.slack.com{WEBHOOK_PATH}", {}, "the webhook is no URL"),
        (TOKEN, None, {"channel": "#a", "mention": "@here"}, "extra: mention: write at most 10 ids"),
        (TOKEN, None, {"channel": "#a", "mention": ["U0123456789", "bob"]}, "extra: mention: write at most 10 ids"),
        (TOKEN, None, {"channel": "#a", "mention": [5]}, "extra: mention: write at most 10 ids"),
        (TOKEN, None, {"channel": "#a", "mention": {"id": "U1"}}, "extra: mention: write at most 10 ids"),
        (TOKEN, None, {"channel": "#a", "mention": [f"U{number:09d}" for number in range(11)]}, "at most 10 ids"),
    ],
)
def test_a_connection_that_cannot_send_is_refused(
    password: str | None, host: str | None, extra: dict[str, Any], text: str
) -> None:
    """One line that names connection and field, and never what stands in a field that may hold a secret."""
    with pytest.raises(ConfigError) as raised:
        settings_from(password, host, extra)
    assert str(raised.value).startswith("connection loadtest_slack: ")
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not [part for part in SECRET_PARTS if part in "".join(traceback.format_exception(raised.value))]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("U0123456789", ("U0123456789",)),
        ("U0123456789, S0123456789 U0123456789", ("U0123456789", "S0123456789")),
        (["W0123456789", "S0123456789"], ("W0123456789", "S0123456789")),
    ],
)
def test_those_who_are_called_are_a_list_or_a_text(given: object, expected: tuple[str, ...]) -> None:
    """Each once, in the order that was given."""
    assert settings_from(TOKEN, None, {"channel": "#a", "mention": given}).mentions == expected


def test_only_a_token_with_its_channel_is_more_than_a_webhook() -> None:
    """What a webhook cannot do is not tried with one."""
    hook = "https://hooks.slack.com" + WEBHOOK_PATH
    assert not SlackSettings.checked(channel="#a", token=TOKEN).is_webhook
    assert not SlackSettings.checked(channel="#a", token=TOKEN, webhook_url=hook).is_webhook
    assert SlackSettings.checked(webhook_url=hook).is_webhook
    assert SlackSettings.checked(token=TOKEN, webhook_url=hook).is_webhook


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://files.slack.com/x", True),
        ("http://127.0.0.1:9/x", True),
        ("http://files.slack.com/x", False),
        ("file:///etc/passwd", False),
        ("None", False),
    ],
)
def test_secrets_go_over_https_or_stay_on_this_machine(url: str, expected: bool) -> None:
    """Also to an address that Slack names."""
    assert is_safe(url) is expected
