"""Rows of the outbox become messages that people see once, whatever Slack, its answers or people do in between."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.loadtest.errors import InfrastructureError
from include.loadtest.history import outbox
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.outbox import Delivery
from include.loadtest.publishing import slack_client
from include.loadtest.publishing.courier import Courier, Outcome
from include.loadtest.publishing.delivery import Budget
from include.loadtest.publishing.message import notice, progress_message
from include.loadtest.publishing.message_parts import Message, text_name
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.publishing.slack_client import SlackClient
from include.loadtest.publishing.slack_delivery import SENT_AGAIN, send_once, slack_handlers
from tests.helpers.slack_messages import MET, document, message, slo, texts
from tests.helpers.slack_service import (
    CHANNEL,
    TOKEN,
    Canned,
    Post,
    SlackService,
    Trouble,
    refused,
    slack_service,
    too_many,
)

pytestmark = pytest.mark.integration
RUN, LANE, PLOT = "smoke-1", "slack/run/smoke-1", "slack/run/smoke-1/plot"
STARTED = notice("Smoke began", "50 users", None, "⏳")
PASSED = message(document(MET))
BREACHED = message(document([slo("latency_p95_ms", "missed", 3456, 2500)]))
SECRETS = (TOKEN, "not-a-real")


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackService]:
    """A stand-in that no proxy of this machine stands before."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with slack_service() as service:
        yield service


class Desk:
    """One installation's outbox and its Slack."""

    def __init__(self, engine: Engine, slack: SlackService, **changes: Any) -> None:
        self.engine, self.slack = engine, slack
        self.settings = SlackSettings.checked(
            **{"channel": CHANNEL, "token": TOKEN, "base_url": slack.base_url} | changes
        )
        self.issues: list[tuple[int, str]] = []
        self.files: dict[str, bytes] = {"plot.png": b"png"}

    def put(self, message: Message, *, final: bool = True, key: str = LANE) -> None:
        payload = message.payload() | {"issues_of": RUN if final else None, "final": final}
        outbox.put(self.engine, Delivery(key, "slack", "slack_message", LANE, RUN, payload))

    def reply(self, name: str, message: Message) -> None:
        payload = message.payload() | {"parent": LANE}
        outbox.put(self.engine, Delivery(f"{LANE}/{name}", "slack", "slack_reply", LANE, RUN, payload))

    def plot(self) -> None:
        payload = {"parent": LANE, "bundle_uri": "s3://r/smoke-1", "name": "plot.png", "title": "Smoke: latency",
                   "alt": "latency over time"}  # fmt: skip
        outbox.put(self.engine, Delivery(PLOT, "slack", "slack_file", PLOT, RUN, payload))

    def deliver(self, call_s: float = 2.0) -> Outcome:
        """As if every back-off were over."""
        with transaction(self.engine) as connection:
            connection.execute(text("UPDATE loadtest.delivery SET next_attempt = now()"))
        handlers = slack_handlers(
            self.settings,
            engine=self.engine,
            issues_of=lambda run_id: self.issues if run_id == RUN else [],
            read_file=lambda _uri, name: self.files.get(name),
        )
        return Courier(self.engine, handlers).deliver(within_s=20.0, call_s=call_s, force=True)

    def receipt(self, key: str = LANE) -> Mapping[str, Any]:
        return outbox.receipt_of(self.engine, key) or {}


@pytest.fixture
def desk(engine: Engine, slack: SlackService) -> Desk:
    return Desk(engine, slack)


def shown(post: Post) -> list[str]:
    return texts(Message(post.text, tuple(post.blocks)))


def seen_once(slack: SlackService, message: Message) -> bool:
    """Whether it is what a reader of the channel sees, and nothing else."""
    return [(post.text, post.blocks) for post in slack.posts] == [(message.text, list(message.blocks))]


def test_a_run_is_one_message_with_a_thread(desk: Desk, slack: SlackService) -> None:
    """From "started" to its verdict it is edited, a reply that grows too; the plot lies in the thread, once."""
    desk.put(STARTED, final=False)
    desk.reply("progress", notice("a", "1", None))
    assert desk.deliver().left == 0
    desk.reply("progress", notice("a", "2", None))
    desk.put(BREACHED)
    desk.plot()
    assert desk.deliver().left == 0
    outbox.touch(desk.engine, PLOT)
    assert desk.deliver().left == 0
    parent, progress, plot = slack.posts
    assert (parent.text, parent.edits) == (BREACHED.text, 1)
    assert (progress.text, progress.edits, progress.thread_ts) == (notice("a", "2", None).text, 1, parent.ts)
    assert (plot.files[0]["title"], plot.thread_ts) == ("Smoke: latency", parent.ts)
    assert desk.receipt() == {"channel": CHANNEL, "ts": parent.ts}
    assert slack.faults == []


def test_issues_are_linked_once_they_exist(desk: Desk, slack: SlackService) -> None:
    """They are asked for when the message is delivered; a touched message shows them."""
    desk.put(BREACHED)
    desk.deliver()
    assert not any("Issues" in text for text in shown(slack.posts[0]))
    desk.issues = [(12, "https://github.com/acme/shop/issues/12"), (13, "javascript:x")]
    outbox.touch(desk.engine, LANE)
    desk.deliver()
    assert "Issues: <https://github.com/acme/shop/issues/12|#12>" in shown(slack.posts[0])
    assert slack.faults == []


LOST = {
    "slow": Trouble(slow_s=30),
    "cut": Trouble(cut=True),
    "failing": Trouble(canned=Canned(500, "oops")),
    "internal error": Trouble(canned=refused("internal_error")),
}


@pytest.mark.parametrize("name", LOST)
def test_a_message_whose_answer_was_lost_is_found_and_not_sent_again(
    desk: Desk, slack: SlackService, name: str
) -> None:
    """It became another version meanwhile, and is edited to that."""
    slack.troubles["chat.postMessage"] = LOST[name]
    desk.put(STARTED, final=False)
    assert desk.deliver(0.5).left == 1
    slack.troubles.clear()
    desk.put(PASSED)
    assert desk.deliver().left == 0
    assert seen_once(slack, PASSED)
    assert desk.receipt()["ts"] == slack.posts[0].ts


@pytest.mark.parametrize("name", LOST)
def test_a_reply_whose_answer_was_lost_is_found_in_its_thread(desk: Desk, slack: SlackService, name: str) -> None:
    """The parent beside it has its own mark."""
    desk.put(PASSED)
    desk.deliver()
    slack.troubles["chat.postMessage"] = LOST[name]
    desk.reply("call", STARTED)
    assert desk.deliver(0.5).left == 1
    slack.troubles.clear()
    assert desk.deliver().left == 0
    assert [post.text for post in slack.thread(slack.posts[0].ts)] == [STARTED.text]


@pytest.mark.parametrize("name", LOST)
def test_a_plot_whose_answer_was_lost_is_not_shared_again(desk: Desk, slack: SlackService, name: str) -> None:
    """It is known by its title in the thread."""
    desk.put(PASSED)
    desk.deliver()
    slack.troubles["files.completeUploadExternal"] = LOST[name]
    desk.plot()
    assert desk.deliver(0.5).left == 1
    slack.troubles.clear()
    assert desk.deliver().left == 0
    assert len(slack.thread(slack.posts[0].ts)) == 1


def test_what_never_arrived_is_sent_without_a_note(desk: Desk, slack: SlackService) -> None:
    """Slack was asked, and has nothing of it."""
    slack.troubles["chat.postMessage"] = Trouble(canned=Canned(502, ""), is_done=False)
    desk.put(PASSED)
    assert desk.deliver().left == 1
    slack.troubles.clear()
    assert desk.deliver().left == 0
    assert seen_once(slack, PASSED)


def test_a_channel_that_is_set_by_its_name_is_looked_into_as_well(engine: Engine, slack: SlackService) -> None:
    """Its id is asked for first: an answer that was lost makes no second message."""
    desk = Desk(engine, slack, channel="#load-tests")
    slack.troubles["chat.postMessage"] = Trouble(slow_s=30)
    desk.put(PASSED)
    desk.deliver(0.5)
    slack.troubles.clear()
    assert desk.deliver().left == 0
    assert seen_once(slack, PASSED)


BLIND = [
    ({}, {"chat:write"}, "give the app the scope channels:history or groups:history"),
    ({"channel": "#load-tests"}, {"chat:write", "channels:history"}, "give the app the scope channels:read"),
]


@pytest.mark.parametrize("blind", BLIND)
def test_where_nothing_can_be_looked_up_it_is_sent_again_and_says_so(
    engine: Engine, slack: SlackService, caplog: pytest.LogCaptureFixture, blind: tuple[dict[str, Any], Any, str]
) -> None:
    """Seen twice is better than never; the log names what would make it once."""
    changes, scopes, line = blind
    desk = Desk(engine, slack, **changes)
    slack.scopes = frozenset(scopes)
    slack.troubles["chat.postMessage"] = Trouble(slow_s=30)
    desk.put(PASSED)
    desk.deliver(0.5)
    slack.troubles.clear()
    with caplog.at_level(logging.WARNING):
        assert desk.deliver().left == 0
    assert line in caplog.text
    first, second = slack.posts
    assert first.text == PASSED.text
    assert (second.text, shown(second)[-1]) == (f"{PASSED.text} {SENT_AGAIN}", SENT_AGAIN)
    desk.put(BREACHED)
    desk.deliver()
    assert second.text == BREACHED.text
    assert slack.faults == []


@pytest.mark.parametrize("edit", ["deleted", "another token's"])
def test_a_message_that_cannot_be_changed_any_more_is_sent_anew(desk: Desk, slack: SlackService, edit: str) -> None:
    """Deleted by a person, or of a token that was replaced; what follows lies below the new one."""
    desk.put(STARTED, final=False)
    desk.deliver()
    (old,) = slack.posts
    if edit == "deleted":
        slack.delete(old.ts)
    else:
        old.is_others = True
    desk.put(PASSED)
    desk.reply("call", BREACHED)
    assert desk.deliver().left == 0
    new, call = slack.posts[-2:]
    assert (new.text, call.thread_ts) == (PASSED.text, new.ts)
    assert desk.receipt()["ts"] == new.ts != old.ts


def test_a_reply_whose_thread_is_gone_stands_by_itself(desk: Desk, slack: SlackService) -> None:
    """People who are called are to read it all the same."""
    desk.put(PASSED)
    desk.deliver()
    slack.delete(slack.posts[0].ts)
    desk.reply("call", BREACHED)
    assert desk.deliver().left == 0
    assert [(post.text, post.thread_ts) for post in slack.posts] == [(BREACHED.text, None)]


def test_a_reply_to_a_message_that_is_nowhere_stands_by_itself(desk: Desk, slack: SlackService) -> None:
    """Its parent was given up."""
    desk.reply("call", BREACHED)
    assert desk.deliver().left == 0
    assert [(post.text, post.thread_ts) for post in slack.posts] == [(BREACHED.text, None)]


@pytest.mark.parametrize("missing", ["scope", "file", "thread"])
def test_a_plot_that_cannot_be_shared_holds_up_nobody(desk: Desk, slack: SlackService, missing: str) -> None:
    """Its row says why; the reply behind it is delivered. What may still come is tried again."""
    if missing != "thread":
        desk.put(PASSED)
        desk.deliver()
    if missing == "scope":
        slack.scopes = frozenset({"chat:write"})
    if missing == "file":
        desk.files.clear()
    desk.plot()
    desk.reply("call", BREACHED)
    outcome = desk.deliver()
    (failure,) = outcome.failed
    expected = {
        "scope": "the scope files:write",
        "file": "not where the bundle is kept (yet)",
        "thread": "has no thread",
    }
    assert expected[missing] in failure.text
    assert (failure.is_given_up, outcome.left) == ((True, 0) if missing == "scope" else (False, 1))
    assert slack.posts[-1].text == BREACHED.text


def test_a_plot_follows_when_its_bundle_is_where_it_is_kept(desk: Desk, slack: SlackService) -> None:
    """Another process may look before the task that made it has ended; so it may before the message is there."""
    plot = desk.files.pop("plot.png")
    desk.plot()
    assert desk.deliver().left == 1
    desk.put(PASSED)
    assert desk.deliver().left == 1
    desk.files["plot.png"] = plot
    assert desk.deliver().left == 0
    parent, shared = slack.posts
    assert (len(shared.files), shared.thread_ts) == (1, parent.ts)


@pytest.mark.parametrize("method", ["upload", "files.completeUploadExternal"])
def test_a_plot_that_slack_refuses_holds_up_no_call(desk: Desk, slack: SlackService, method: str) -> None:
    """Its lane is its own, and comes after the message's."""
    slack.troubles[method] = Trouble(canned=Canned(500, "oops"), is_done=False)
    desk.put(PASSED)
    desk.reply("call", BREACHED)
    desk.plot()
    assert (desk.deliver().left, slack.posts[-1].text) == (1, BREACHED.text)


def test_a_webhook_gets_the_verdict_and_nothing_else(engine: Engine, slack: SlackService) -> None:
    """A start is not sent; a verdict that changes is sent anew, the same one never again."""
    desk = Desk(engine, slack, token=None, channel=None, webhook_url=slack.webhook_url)
    desk.put(STARTED, final=False)
    desk.deliver()
    assert slack.seen == 0
    desk.put(PASSED)
    desk.deliver()
    outbox.touch(engine, LANE)
    desk.deliver()
    assert seen_once(slack, PASSED)
    desk.put(BREACHED)
    desk.deliver()
    assert [post.text for post in slack.posts] == [PASSED.text, BREACHED.text]
    assert slack.faults == []


def test_a_webhook_whose_answer_was_lost_sends_again_and_says_so(engine: Engine, slack: SlackService) -> None:
    """It cannot look."""
    desk = Desk(engine, slack, token=None, channel=None, webhook_url=slack.webhook_url)
    slack.troubles["webhook"] = Trouble(cut=True)
    desk.put(PASSED)
    desk.deliver()
    slack.troubles.clear()
    assert desk.deliver().left == 0
    assert [post.text for post in slack.posts] == [PASSED.text, f"{PASSED.text} {SENT_AGAIN}"]


def test_what_needs_a_thread_is_given_up_with_a_webhook(engine: Engine, slack: SlackService) -> None:
    """As where the token was taken away while something waited; it says what would help."""
    desk = Desk(engine, slack, token=None, channel=None, webhook_url=slack.webhook_url)
    desk.reply("call", BREACHED)
    desk.plot()
    outcome = desk.deliver()
    assert [failure.text for failure in outcome.failed] == [
        "given up: a webhook has no threads; a bot token and a channel have"
    ] * 2
    assert (outcome.left, slack.seen) == (0, 0)


def test_a_run_that_a_webhook_told_has_no_thread_for_a_token(engine: Engine, slack: SlackService) -> None:
    """The token was set later: replies stand by themselves, and a plot never will."""
    desk = Desk(engine, slack, token=None, channel=None, webhook_url=slack.webhook_url)
    desk.put(PASSED)
    desk.deliver()
    desk = Desk(engine, slack)
    desk.reply("call", BREACHED)
    desk.plot()
    assert desk.deliver().left == 0
    assert slack.posts[-1].thread_ts is None


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(canned=too_many("0"), is_done=False),
        Trouble(canned=Canned(500, ""), is_done=False),
        Trouble(canned=refused("invalid_auth"), is_done=False),
        Trouble(slow_s=30, is_done=False),
    ],
)
def test_after_any_trouble_everything_arrives_once_and_in_order(
    desk: Desk, slack: SlackService, trouble: Trouble
) -> None:
    """Message, call and plot wait behind the one that fails."""
    slack.troubles["*"] = trouble
    desk.put(PASSED)
    desk.plot()
    desk.reply("call", BREACHED)
    assert desk.deliver(0.5).left == 3
    slack.troubles.clear()
    assert desk.deliver().left == 0
    parent, call, plot = slack.posts
    assert (parent.text, len(plot.files), call.text) == (PASSED.text, 1, BREACHED.text)


def test_a_slack_that_was_down_gets_it_once_it_is_up(desk: Desk, slack: SlackService) -> None:
    """Nothing is looked for, since nothing can have arrived."""
    slack.down()
    desk.put(PASSED)
    assert desk.deliver().left == 1
    slack.up()
    assert desk.deliver().left == 0
    assert seen_once(slack, PASSED)
    assert slack.calls == ["chat.postMessage"]


def test_a_message_against_the_rules_is_given_up_and_the_next_goes_on(desk: Desk, slack: SlackService) -> None:
    """A fault of this program is never tried again."""
    desk.put(Message("text", ({"type": "chart"},)))
    desk.reply("call", BREACHED)
    (failure,) = desk.deliver().failed
    assert "invalid_blocks; the message breaks Slack's rules" in failure.text
    assert (failure.is_given_up, [post.text for post in slack.posts]) == (True, [BREACHED.text])


def test_progress_that_was_edited_a_hundred_times_is_one_reply(desk: Desk, slack: SlackService) -> None:
    """Whatever its length."""
    desk.put(PASSED)
    desk.deliver()
    row_moment = outbox.rows_of(desk.engine, RUN)[0].created
    for number in (1, 30, 100):
        desk.reply("progress", progress_message([(row_moment, "x" * 290)] * number))
        desk.deliver()
    assert len(slack.thread(slack.posts[0].ts)) == 1
    assert slack.faults == []


def test_among_too_many_messages_nothing_is_sure(
    desk: Desk, slack: SlackService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In a busy channel it may be older than all that were read: it is sent again, and says so."""
    monkeypatch.setattr(slack_client, "MAX_PAGES", 1)
    monkeypatch.setattr(slack_client, "PAGE_MESSAGES", 2)
    slack.troubles["chat.postMessage"] = Trouble(cut=True)
    desk.put(PASSED)
    desk.deliver()
    slack.troubles.clear()
    for number in range(3):
        SlackClient(desk.settings, Budget(5, 2)).post(notice("chat", str(number), None))
    assert desk.deliver().left == 0
    assert "not among the 2 messages that were read, and there are more" in caplog.text
    assert slack.posts[-1].text == f"{PASSED.text} {SENT_AGAIN}"


@pytest.mark.parametrize("way", ["token", "webhook"])
def test_what_was_sent_without_a_row_is_the_rows_message(engine: Engine, slack: SlackService, way: str) -> None:
    """When the history is back: by a token it is changed to what the row says, a webhook does not say it again."""
    given = {"token": None, "channel": None, "webhook_url": slack.webhook_url} if way == "webhook" else {}
    desk = Desk(engine, slack, **given)
    place = send_once(desk.settings, PASSED.payload() | {"final": True}, Budget(5, 2))
    sent = {"said": text_name(PASSED.text), **place}
    payload = PASSED.payload() | {"issues_of": None, "final": True, "sent": sent}
    outbox.put(engine, Delivery(LANE, "slack", "slack_message", LANE, RUN, payload))
    assert desk.deliver().left == 0
    assert seen_once(slack, PASSED)
    assert desk.receipt() == ({} if way == "webhook" else {"channel": CHANNEL, "ts": slack.posts[0].ts})


@pytest.mark.parametrize("way", ["token", "webhook"])
def test_a_message_without_a_row_is_sent_once(slack: SlackService, way: str) -> None:
    """When the database is away; a failure is told, not repeated."""
    given = {"webhook_url": slack.webhook_url} if way == "webhook" else {"channel": "#load-tests", "token": TOKEN}
    settings = SlackSettings.checked(**given, base_url=slack.base_url)
    send_once(settings, PASSED.payload() | {"final": True}, Budget(5, 2))
    assert seen_once(slack, PASSED)
    slack.token, slack.hook_path = "xoxb-other", "/other"
    with pytest.raises(InfrastructureError, match=r"invalid_auth|no_service"):
        send_once(settings, PASSED.payload(), Budget(5, 2))
    assert slack.seen == 2


@pytest.mark.parametrize("calls", [True, False])
def test_a_message_without_a_row_calls_whom_its_thread_would_have_called(slack: SlackService, calls: bool) -> None:
    """It has no thread."""
    settings = SlackSettings.checked(channel=CHANNEL, token=TOKEN, base_url=slack.base_url, mentions=("U0123456789",))
    send_once(settings, PASSED.payload() | {"final": True, "calls": calls}, Budget(5, 2))
    (post,) = slack.posts
    assert ("<@U0123456789>" in post.text, "<@U0123456789>" in str(post.blocks)) == (calls, calls)


def test_no_secret_is_kept_or_told(desk: Desk, slack: SlackService, caplog: pytest.LogCaptureFixture, url: str) -> None:
    """In the rows of a delivery that went wrong in every way and then well, and in the log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    for canned in (refused("invalid_auth", token=TOKEN), Canned(200, TOKEN), Canned(403, TOKEN)):
        slack.next = [canned]
        desk.put(PASSED)
        desk.deliver()
    desk.plot()
    desk.deliver()
    with transaction(connect(url)) as connection:
        kept = repr(connection.execute(text("SELECT * FROM loadtest.delivery")).all())
    assert "Smoke" in kept
    handlers = slack_handlers(desk.settings, engine=desk.engine, issues_of=lambda _: (), read_file=lambda *_: None)
    assert not [secret for secret in SECRETS if secret in kept + caplog.text + repr(handlers)]
