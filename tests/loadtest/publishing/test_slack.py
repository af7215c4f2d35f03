import json
import logging
import re
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.publishing.message import Message
from include.loadtest.publishing.slack import SlackSettings, send, settings_from
from tests.helpers.slack_messages import HOSTILE, MET, document, message, slo
from tests.helpers.slack_service import TOKEN, WEBHOOK_PATH, Canned, SlackService, slack_service, too_many

pytestmark = pytest.mark.unit
SECRET_PARTS = (TOKEN, WEBHOOK_PATH, "not-a-real")


@pytest.fixture
def slack(monkeypatch) -> Iterator[SlackService]:
    """A stand-in that no proxy of this machine stands before."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with slack_service() as service:
        yield service


def by_token(service: SlackService, **changes: Any) -> SlackSettings:
    fields = {"channel": "#load-tests", "token": TOKEN, "base_url": service.base_url, **changes}
    return SlackSettings.checked(**fields)


def by_webhook(service: SlackService) -> SlackSettings:
    return SlackSettings.checked(webhook_url=service.webhook_url)


Way = Callable[[SlackService], SlackSettings]
BOTH_WAYS = pytest.mark.parametrize("way", [by_token, by_webhook])


@BOTH_WAYS
def test_a_message_arrives_whole(slack, way: Way) -> None:
    """Over HTTP, with blocks and fallback, and without previews of addresses in a target's text."""
    sent = message(document([slo("latency_p95_ms", "missed", 3456, 2500)]), title=HOSTILE)
    send(way(slack), sent)
    assert slack.faults == []
    (taken,) = slack.messages
    assert (taken["text"], taken["blocks"]) == (sent.text, list(sent.blocks))
    assert (taken["unfurl_links"], taken["unfurl_media"]) == (False, False)


def test_a_message_lies_below_an_earlier_one_where_slack_has_threads(slack) -> None:
    """What `send` gives names the message; a webhook names none and takes no thread."""
    settings, sent = by_token(slack), message(document(MET))
    parent = send(settings, sent)
    assert parent == "1700000000.000001"
    assert send(settings, sent, thread=parent) == "1700000000.000002"
    assert send(by_webhook(slack), sent, thread=parent) is None
    assert [taken.get("thread_ts") for taken in slack.messages] == [None, parent, None]
    assert slack.faults == []


def test_a_token_is_preferred_to_a_webhook(slack) -> None:
    """With both set, the message goes into the channel of the settings."""
    send(by_token(slack, webhook_url="https://hooks.slack.com/services/none"), message(document(MET)))
    assert [taken["channel"] for taken in slack.messages] == ["#load-tests"]


@pytest.mark.parametrize(
    ("blocks", "way"),
    [([{"type": "divider"}] * 51, by_token), ([{"type": "chart"}], by_token), ([{"type": "section"}], by_webhook)],
)
def test_a_message_against_the_rules_is_refused(slack, blocks: list[dict[str, Any]], way: Way) -> None:
    """So the stand-in's consent to the other messages means something."""
    with pytest.raises(InfrastructureError, match=r"invalid_(blocks|payload); the message breaks Slack's rules"):
        send(way(slack), Message("text", tuple(blocks)))
    assert slack.messages == []


REFUSALS = [
    (lambda service: by_token(service, token="xoxb-not-a-real-other"), "invalid_auth; put a valid bot token in"),
    (lambda service: by_token(service, channel="#nowhere"), "channel_not_found; check the channel in the extra"),
    (
        lambda service: SlackSettings.checked(webhook_url=service.webhook_url + "-gone"),
        "no_service; make a new webhook in Slack",
    ),
]


@pytest.mark.parametrize(("way", "text"), REFUSALS)
def test_slacks_refusal_is_named_with_what_to_do(slack, way: Way, text: str) -> None:
    """One line, and no second attempt: it would be refused too."""
    with pytest.raises(InfrastructureError) as raised:
        send(way(slack), message(document(MET)))
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)
    assert slack.seen == 1


CANNED = [
    (Canned(200, '{"ok":false,"error":"not_in_channel"}'), "not_in_channel; invite the bot"),
    (Canned(200, '{"ok":false,"error":"a_code_of_tomorrow"}'), "a_code_of_tomorrow; look at"),
    (Canned(200, "<html>log in to the network</html>"), "HTTP 200; look at"),
    (Canned(200, "[]"), "HTTP 200; look at"),
    (Canned(200, "[1]"), "unreadable answer (AttributeError); look at"),
    (Canned(503, "unavailable because"), "HTTP 503; look at"),
    (Canned(500, '{"ok":true}'), "HTTP 500; look at"),
    (Canned(200, '{"ok":false}'), "HTTP 200; look at"),
    (Canned(200, "{}"), "HTTP 200; look at"),
]


@pytest.mark.parametrize(("canned", "text"), CANNED)
def test_any_other_answer_to_a_token_is_a_failure_too(slack, canned: Canned, text: str) -> None:
    """Only Slack's own "ok" is success: a login page of a network answers 200 as well."""
    slack.next = [canned]
    with pytest.raises(InfrastructureError, match=re.escape(text)):
        send(by_token(slack), message(document(MET)))


@pytest.mark.parametrize(
    ("canned", "text"),
    [
        (Canned(200, "<html>log in to the network</html>"), "HTTP 200; look at"),
        (Canned(410, "channel_is_archived"), "channel_is_archived; make a new webhook"),
        (Canned(500, ""), "HTTP 500; look at"),
        (Canned(500, "ok"), "HTTP 500; look at"),
    ],
)
def test_any_other_answer_to_a_webhook_is_a_failure_too(slack, canned: Canned, text: str) -> None:
    """The same for the plain texts that a webhook answers with."""
    slack.next = [canned]
    with pytest.raises(InfrastructureError, match=re.escape(text)):
        send(by_webhook(slack), message(document(MET)))


@BOTH_WAYS
def test_too_many_requests_are_waited_out_once(slack, way: Way) -> None:
    """The wait is as long as Slack asks for."""
    slack.next = [too_many("1")]
    begun = time.monotonic()
    send(way(slack), message(document(MET)))
    assert time.monotonic() - begun >= 1
    assert (slack.seen, len(slack.messages)) == (2, 1)


@BOTH_WAYS
@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        ([too_many("0")] * 3, 2),
        ([too_many("31")] * 2, 1),
        ([too_many(None)] * 2, 1),
        ([too_many("soon")] * 2, 1),
        ([too_many("-1")] * 2, 1),
    ],
)
def test_more_is_not_waited_for(slack, way: Way, answers: list[Canned], requests: int) -> None:
    """A second refusal, more than 30 s or a wait that is no number of seconds end it."""
    slack.next = list(answers)
    with pytest.raises(InfrastructureError, match=r"(ratelimited|HTTP 429); "):
        send(way(slack), message(document(MET)))
    assert slack.seen == requests


@BOTH_WAYS
@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_a_silent_server_is_left(slack, way: Way, mode: str) -> None:
    """Also one that sends a byte now and then, which a socket's timeout never ends; it is not asked again."""
    slack.mode = mode
    begun = time.monotonic()
    with pytest.raises(InfrastructureError, match=r"no answer within 0\.5 s"):
        send(way(slack), message(document(MET)), timeout_s=0.5)
    assert time.monotonic() - begun < 5
    assert slack.seen == 1


@BOTH_WAYS
def test_a_lost_answer_is_not_asked_for_again(slack, way: Way) -> None:
    """The message may have arrived: a second one would say everything twice."""
    slack.mode = "cut"
    with pytest.raises(InfrastructureError, match="RemoteDisconnected; look at"):
        send(way(slack), message(document(MET)))
    assert slack.seen == 1


def test_a_server_that_is_not_there_is_named_by_its_cause(slack) -> None:
    """What the operating system says."""
    with pytest.raises(InfrastructureError, match="Connection refused"):
        send(by_token(slack, base_url="http://127.0.0.1:9/api/"), message(document(MET)))


ECHOES = [
    Canned(200, json.dumps({"ok": False, "error": f"bad {TOKEN}"})),
    Canned(403, f"no {WEBHOOK_PATH}"),
    Canned(200, f"{TOKEN} {WEBHOOK_PATH}"),
    Canned(302, "", {"Location": f"ftp://127.0.0.1{WEBHOOK_PATH}"}),
    too_many("0"),
]


@BOTH_WAYS
@pytest.mark.parametrize("canned", ECHOES)
def test_no_secret_gets_into_an_exception_or_a_log(slack, way: Way, canned: Canned, caplog, capfd) -> None:
    """Whatever Slack echoes, and with every logger of the process at DEBUG."""
    caplog.set_level(logging.DEBUG)
    for name in [name for name in logging.Logger.manager.loggerDict if name.startswith("slack")]:
        caplog.set_level(logging.DEBUG, logger=name)
    slack.next = [canned, canned]
    with pytest.raises(InfrastructureError) as raised:
        send(way(slack), message(document(MET)))
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    printed = capfd.readouterr()
    seen = "".join(traceback.format_exception(raised.value)) + caplog.text + printed.out + printed.err
    assert not [part for part in SECRET_PARTS if part in seen]


@BOTH_WAYS
def test_a_success_logs_no_secret(slack, way: Way, caplog) -> None:
    """The SDK would log the webhook's URL at DEBUG."""
    caplog.set_level(logging.DEBUG)
    send(way(slack), message(document(MET)))
    assert not [part for part in SECRET_PARTS if part in caplog.text]


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
    assert repr(settings) == "SlackSettings(channel='#load-tests', base_url='https://slack.com/api/')"


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
