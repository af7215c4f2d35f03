"""Each call to Slack is made once, bounded in time, and its failure says what to do without a secret."""

import json
import logging
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from include.loadtest.publishing import slack_client
from include.loadtest.publishing.delivery import Budget, DeliveryError, OutOfTime
from include.loadtest.publishing.message_parts import Message
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.publishing.slack_answers import SlackRefusedError
from include.loadtest.publishing.slack_client import PAGE_MESSAGES, Place, SlackClient
from tests.helpers.slack_messages import HOSTILE, MET, document, message, slo
from tests.helpers.slack_service import (
    CHANNEL,
    TOKEN,
    WEBHOOK_PATH,
    Canned,
    SlackService,
    Trouble,
    refused,
    slack_service,
    too_many,
)

pytestmark = pytest.mark.unit
SECRET_PARTS = (TOKEN, WEBHOOK_PATH, "not-a-real")
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
SENT = message(document(MET))


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackService]:
    """A stand-in that no proxy of this machine stands before."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with slack_service() as service:
        yield service


def by_token(service: SlackService, **changes: Any) -> SlackSettings:
    fields = {"channel": CHANNEL, "token": TOKEN, "base_url": service.base_url, **changes}
    return SlackSettings.checked(**fields)


def client(service: SlackService, call_s: float = 5.0, **changes: Any) -> SlackClient:
    return SlackClient(by_token(service, **changes), Budget(30.0, call_s))


def hook(service: SlackService, call_s: float = 5.0) -> SlackClient:
    return SlackClient(SlackSettings.checked(webhook_url=service.webhook_url), Budget(30.0, call_s))


def post(service: SlackService, call_s: float = 5.0) -> None:
    client(service, call_s).post(SENT)


def post_by_webhook(service: SlackService, call_s: float = 5.0) -> None:
    hook(service, call_s).send_by_webhook(SENT)


Way = Callable[..., None]
WAYS = {"token": post, "webhook": post_by_webhook}
BOTH_WAYS = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())

PLACE = Place(CHANNEL, "1700000000.000001")


def upload(service: SlackService, thread: Place = PLACE, comment: str | None = None) -> None:
    client(service, 0.5).upload(thread, b"png", name="plot.png", title="Plot", alt="latency", comment=comment)


CALLS: dict[str, Callable[[SlackService], object]] = {
    "chat.postMessage": lambda service: client(service, 0.5).post(SENT),
    "chat.update": lambda service: client(service, 0.5).update(PLACE, SENT),
    "conversations.history": lambda service: client(service, 0.5).find(CHANNEL, bool, SINCE),
    "conversations.replies": lambda service: client(service, 0.5).find(CHANNEL, bool, SINCE, PLACE),
    "files.getUploadURLExternal": upload,
    "upload": upload,
    "files.completeUploadExternal": upload,
    "webhook": lambda service: post_by_webhook(service, 0.5),
}
READ_ANSWERS = sorted(CALLS.keys() - {"upload"})
"""Of an upload only the status counts, so nothing that it says can be wrong, or slow."""
WRITES = {"chat.postMessage", "chat.update", "files.completeUploadExternal", "webhook"}


def failed(call: Callable[[], object]) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        call()
    assert "\n" not in str(raised.value)
    return raised.value


@BOTH_WAYS
def test_a_message_arrives_whole(slack: SlackService, way: Way) -> None:
    """Over HTTP, with blocks and fallback, and without previews of addresses in a target's text."""
    way(slack)
    hostile = message(document([slo("latency_p95_ms", "missed", 3456, 2500)]), title=HOSTILE)
    client(slack).post(hostile)
    hook(slack).send_by_webhook(hostile)
    assert slack.faults == []
    assert [(taken["text"], taken["blocks"]) for taken in slack.messages] == [
        (sent.text, list(sent.blocks)) for sent in (SENT, hostile, hostile)
    ]
    assert all((taken["unfurl_links"], taken["unfurl_media"]) == (False, False) for taken in slack.messages)


def test_a_message_is_changed_and_has_a_thread(slack: SlackService) -> None:
    """By the place that its post gave, which names the channel by its id; a name was enough for the post."""
    at = client(slack, channel="#load-tests").post(SENT)
    assert at == Place(CHANNEL, "1700000000.000001")
    client(slack).post(SENT, thread=at)
    other = message(document([slo("latency_p95_ms", "missed", 3456, 2500)]))
    client(slack).update(at, other)
    parent, reply = slack.posts
    assert (parent.text, parent.edits, reply.thread_ts) == (other.text, 1, at.ts)
    assert slack.faults == []


def test_a_message_is_found_by_its_key_on_a_later_page(slack: SlackService) -> None:
    """The mark stays when the message is changed; another key and another's message are not taken for it."""
    for number in range(PAGE_MESSAGES + 3):
        client(slack).post(SENT, key=f"slack/run/{number}")
    client(slack).update(Place(CHANNEL, slack.posts[0].ts), SENT)

    def wanted(key: str) -> Callable[[Mapping[str, Any]], bool]:
        return lambda one: one.get("metadata", {}).get("event_payload") == {"key": key}

    old = datetime.fromtimestamp(1_700_000_000, UTC)
    slack.calls.clear()
    assert client(slack).find(CHANNEL, wanted("slack/run/0"), old) == Place(CHANNEL, slack.posts[0].ts)
    assert slack.calls == ["conversations.history"] * 2
    assert client(slack).find(CHANNEL, wanted("slack/run/none"), old) is None


def test_what_was_not_read_may_hold_what_was_looked_for(slack: SlackService, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last page that is read there are more: that is no answer."""
    monkeypatch.setattr(slack_client, "PAGE_MESSAGES", 2)
    monkeypatch.setattr(slack_client, "MAX_PAGES", 2)
    for number in range(5):
        if number == 4:
            assert client(slack).find(CHANNEL, lambda _: False, SINCE) is None
        client(slack).post(SENT)
    error = failed(lambda: client(slack).find(CHANNEL, lambda _: False, SINCE))
    assert "not among the 4 messages that were read" in str(error)
    assert (error.is_service_wide, error.is_permanent) == (False, False)


def test_a_file_lies_in_a_thread(slack: SlackService) -> None:
    """Asked for, sent and shared: three calls."""
    at = client(slack).post(SENT)
    upload(slack, at, "a word with it")
    (shared,) = slack.thread(at.ts)
    assert (shared.text, shared.files[0]["title"]) == ("a word with it", "Plot")
    assert list(slack.uploads.values()) == [b"png"]


@pytest.mark.parametrize("method", CALLS)
def test_a_wrong_token_is_named_with_what_to_do_and_costs_no_second_call(slack: SlackService, method: str) -> None:
    """It is the whole service that is left alone; a person can mend it within the back-off."""
    slack.token, slack.hook_path = "xoxb-not-a-real-other", "/services/other"
    error = failed(lambda: CALLS[method](slack))
    assert re.search(r"(invalid_auth; put a valid bot token in|no_service; make a new webhook in Slack)", str(error))
    assert (error.is_service_wide, error.is_permanent, error.may_have_arrived) == (True, False, False)
    assert slack.seen == 1


def reach(slack: SlackService) -> None:
    """A message that calls can be about."""
    client(slack).post(SENT)
    slack.calls.clear()


@pytest.mark.parametrize("method", READ_ANSWERS)
@pytest.mark.parametrize("trouble", [Trouble(slow_s=60), Trouble(drip=True), Trouble(slow_s=60, is_done=False)])
def test_a_silent_server_is_left_in_time(slack: SlackService, method: str, trouble: Trouble) -> None:
    """Also one that sends a byte now and then; whether a write has arrived is not known."""
    reach(slack)
    slack.troubles[method] = trouble
    begun = time.monotonic()
    error = failed(lambda: CALLS[method](slack))
    assert time.monotonic() - begun < 5
    assert "no answer within 0.5 s" in str(error)
    assert (error.may_have_arrived, error.is_service_wide) == (method in WRITES, True)


@pytest.mark.parametrize("method", CALLS)
def test_a_cut_connection_leaves_a_write_in_doubt(slack: SlackService, method: str) -> None:
    """It is not repeated at once: a second message would say everything twice."""
    reach(slack)
    slack.troubles[method] = Trouble(cut=True)
    error = failed(lambda: CALLS[method](slack))
    assert error.may_have_arrived is (method in WRITES)
    assert slack.calls.count(method) == 1


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_refuses_connections_has_got_nothing(slack: SlackService, method: str) -> None:
    """Named by what the operating system says; nothing has to be looked for."""
    slack.down()
    error = failed(lambda: CALLS[method](slack))
    assert "Connection refused" in str(error)
    assert (error.may_have_arrived, error.is_service_wide) == (False, True)
    assert slack.seen == 0


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("wait", ["1", "3600", None, "soon", "-1"])
def test_too_many_requests_are_for_later(slack: SlackService, method: str, wait: str | None) -> None:
    """The wait is as long as Slack says, and nobody waits for it here."""
    reach(slack)
    slack.troubles[method] = Trouble(canned=too_many(wait), is_done=False)
    error = failed(lambda: CALLS[method](slack))
    assert error.retry_after_s == {"1": 1.0, "3600": 3600.0}.get(str(wait))
    assert (error.may_have_arrived, error.is_service_wide) == (False, True)
    assert slack.calls.count(method) == 1


@pytest.mark.parametrize("method", CALLS)
def test_a_failing_server_leaves_a_write_in_doubt(slack: SlackService, method: str) -> None:
    """A 500 says nothing about what was done before it."""
    reach(slack)
    slack.troubles[method] = Trouble(canned=Canned(500, "oops"))
    error = failed(lambda: CALLS[method](slack))
    assert "HTTP 500; look at Slack's status page" in str(error)
    assert (error.may_have_arrived, error.is_service_wide) == (method in WRITES, True)


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
def test_a_service_that_is_unavailable_says_for_how_long(slack: SlackService, method: str, name: str) -> None:
    """A proxy may write the header's name in its own way; whether the call was done is not known."""
    reach(slack)
    slack.troubles[method] = Trouble(canned=Canned(503, "x", {name: "900"}), is_done=False)
    error = failed(lambda: CALLS[method](slack))
    assert (error.retry_after_s, error.may_have_arrived) == (900.0, method in WRITES)


ANSWERS = [
    (refused("not_in_channel"), "not_in_channel; invite the bot", False),
    (refused("channel_not_found"), "channel_not_found; check the channel in the extra", False),
    (refused("a_code_of_tomorrow"), "a_code_of_tomorrow; look at", False),
    (refused("internal_error"), "internal_error; look at", True),
    (refused("missing_scope"), "missing_scope; give the app the scope chat:write", False),
    (Canned(200, "<html>log in to the network</html>"), "HTTP 200; look at", True),
    (Canned(200, "[]"), "HTTP 200; look at", True),
    (Canned(200, "[1]"), "unreadable answer (AttributeError); look at", True),
    (Canned(503, "unavailable because"), "HTTP 503; look at", True),
    (Canned(500, '{"ok":true}'), "HTTP 500; look at", True),
    (Canned(403, "no"), "HTTP 403; look at", False),
    (Canned(200, '{"ok":false}'), "HTTP 200; look at", True),
    (Canned(200, "{}"), "HTTP 200; look at", True),
]


@pytest.mark.parametrize(("canned", "text", "in_doubt"), ANSWERS)
def test_any_other_answer_to_a_token_is_a_failure_too(
    slack: SlackService, canned: Canned, text: str, in_doubt: bool
) -> None:
    """Only Slack's own "ok" is success: a login page of a network answers 200 as well."""
    slack.next = [canned]
    error = failed(lambda: post(slack))
    assert text in str(error)
    assert error.may_have_arrived is in_doubt


@pytest.mark.parametrize(
    ("canned", "text"),
    [
        (Canned(200, "<html>log in to the network</html>"), "HTTP 200; look at"),
        (Canned(410, "channel_is_archived"), "channel_is_archived; make a new webhook"),
        (Canned(500, ""), "HTTP 500; look at"),
        (Canned(500, "ok"), "HTTP 500; look at"),
    ],
)
def test_any_other_answer_to_a_webhook_is_a_failure_too(slack: SlackService, canned: Canned, text: str) -> None:
    """The same for the plain texts that a webhook answers with."""
    slack.next = [canned]
    assert text in str(failed(lambda: post_by_webhook(slack)))


@pytest.mark.parametrize("blocks", [[{"type": "divider"}] * 51, [{"type": "chart"}], [{"type": "section"}]])
def test_a_message_against_the_rules_is_never_tried_again(slack: SlackService, blocks: list[dict[str, Any]]) -> None:
    """By either way it is a fault of this program, and only of this message."""
    broken = Message("text", tuple(blocks))
    for error in (
        failed(lambda: client(slack).post(broken)),
        failed(lambda: hook(slack).send_by_webhook(broken)),
    ):
        assert re.search(r"invalid_(blocks|payload); the message breaks Slack's rules", str(error))
        assert (error.is_permanent, error.is_service_wide) == (True, False)
    assert slack.messages == []


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        ("conversations.history", "channels:history or groups:history"),
        ("conversations.replies", "channels:history or groups:history"),
        ("files.getUploadURLExternal", "files:write"),
    ],
)
def test_a_scope_that_is_missing_is_named(slack: SlackService, method: str, scope: str) -> None:
    """Messages go on without it, so the service is not left alone."""
    slack.scopes = frozenset({"chat:write"})
    error = failed(lambda: CALLS[method](slack))
    assert isinstance(error, SlackRefusedError)
    assert f"missing_scope; give the app the scope {scope} and install it again" in str(error)
    assert (error.is_service_wide, error.is_permanent) == (False, False)


def test_no_call_begins_without_time(slack: SlackService) -> None:
    """What is used up before the first call is no attempt."""
    with pytest.raises(OutOfTime):
        SlackClient(by_token(slack), Budget(0.1, 5)).post(SENT)
    assert slack.seen == 0


@pytest.mark.parametrize(
    "trouble", [Trouble(slow_s=60), Trouble(canned=Canned(302, "", {"Location": "ftp://127.0.0.1/x"}))]
)
def test_an_upload_is_bounded_and_silent_too(
    slack: SlackService, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    """Its address, which is a secret, stands in no error; the file is shared nowhere yet."""
    reach(slack)
    slack.troubles["upload"] = trouble
    error = failed(lambda: upload(slack))
    assert (error.may_have_arrived, error.__cause__, error.__context__) == (False, None, None)
    assert not [part for part in SECRET_PARTS if part in str(error) + caplog.text]
    assert "files.completeUploadExternal" not in slack.calls


def test_a_file_goes_to_no_unsafe_address(slack: SlackService) -> None:
    """A broken answer does not make this program send to anywhere, or read its own disk."""
    for address in ("http://files.example/x", "file:///etc/passwd"):
        slack.next = [Canned(200, json.dumps({"ok": True, "upload_url": address, "file_id": "F1"}))]
        assert "no safe address" in str(failed(lambda: upload(slack)))
    assert slack.calls == ["files.getUploadURLExternal"] * 2


ECHOES = [
    Canned(200, json.dumps({"ok": False, "error": f"bad {TOKEN}"})),
    Canned(200, json.dumps({"ok": False, "error": "invalid_auth", "detail": f"{TOKEN}"})),
    Canned(403, f"no {WEBHOOK_PATH}"),
    Canned(200, f"{TOKEN} {WEBHOOK_PATH}"),
    Canned(302, "", {"Location": f"ftp://127.0.0.1{WEBHOOK_PATH}"}),
    too_many("0"),
]


@pytest.mark.parametrize("method", READ_ANSWERS)
@pytest.mark.parametrize("canned", ECHOES)
def test_no_secret_gets_into_an_exception_or_a_log(
    slack: SlackService,
    method: str,
    canned: Canned,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever Slack echoes at whatever call, and with every logger of the process at DEBUG."""
    reach(slack)
    caplog.set_level(logging.DEBUG)
    for name in [name for name in logging.Logger.manager.loggerDict if name.startswith(("slack", "urllib"))]:
        caplog.set_level(logging.DEBUG, logger=name)
    slack.troubles[method] = Trouble(canned=canned)
    error = failed(lambda: CALLS[method](slack))
    assert (error.__cause__, error.__context__) == (None, None)
    printed = capfd.readouterr()
    seen = "".join(traceback.format_exception(error)) + repr(error) + caplog.text + printed.out + printed.err
    assert not [part for part in SECRET_PARTS if part in seen]


def test_successes_log_no_secret(slack: SlackService, caplog: pytest.LogCaptureFixture) -> None:
    """The SDK would log the webhook's URL at DEBUG; an upload's address is a secret as well."""
    caplog.set_level(logging.DEBUG)
    for call in CALLS.values():
        call(slack)
    assert slack.faults == []
    assert set(slack.calls) == set(CALLS)
    assert not [part for part in SECRET_PARTS if part in caplog.text]
