"""A Slack and a GitHub that misbehave at will, with a history of their own; and what a reader finds there."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from include.loadtest.history import outbox
from include.loadtest.orchestration.deliveries import courier_of, outbox_engine
from include.loadtest.orchestration.outstanding import CALL_S, WITHIN_S
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.pages_branch import SITE
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.publishing.slack_delivery import SENT_AGAIN
from tests.helpers.github_issues import User
from tests.helpers.github_service import REPOSITORY, GitHubService, github_service
from tests.helpers.github_service import TOKEN as GITHUB_TOKEN
from tests.helpers.github_service import Trouble as GitHubTrouble
from tests.helpers.slack_service import CHANNEL, Canned, SlackService, refused, slack_service, too_many
from tests.helpers.slack_service import TOKEN as SLACK_TOKEN
from tests.helpers.slack_service import Trouble as SlackTrouble

DOWN = "down"
SLOW_S, RETRY_AFTER_S = 60.0, 20
BRANCH = "gh-pages"
PERSON = "U0123456789"
ROUNDS = 6
"""More than any row needs once its service is mended."""


@dataclass(frozen=True)
class Kind:
    """One kind of trouble, as each service shows it; None: it takes no connections."""

    name: str
    slack: SlackTrouble | None
    github: GitHubTrouble | None
    webhook: SlackTrouble | None


def _of_status(name: str, status: int, *, is_done: bool) -> Kind:
    slack = SlackTrouble(canned=Canned(status, ""), is_done=is_done)
    return Kind(name, slack, GitHubTrouble(status, is_processed=is_done), slack)


_SLOW = SlackTrouble(slow_s=SLOW_S, is_late=True)
_TOO_MANY = SlackTrouble(canned=too_many(str(RETRY_AFTER_S)), is_done=False)
KINDS = (
    Kind(DOWN, None, None, None),
    Kind(f"{SLOW_S:.0f} s slow, then done", _SLOW, GitHubTrouble(slow_s=SLOW_S), _SLOW),
    Kind("429", _TOO_MANY, GitHubTrouble(429, {"Retry-After": str(RETRY_AFTER_S)}), _TOO_MANY),
    _of_status("500", 500, is_done=False),
    _of_status("500, though done", 500, is_done=True),
    Kind(
        "wrong token",
        SlackTrouble(canned=refused("invalid_auth"), is_done=False),
        GitHubTrouble(401, content='{"message": "Bad credentials"}'),
        SlackTrouble(canned=Canned(404, "no_service"), is_done=False),
    ),
)


@dataclass
class Stand:
    """Both services with an empty history.

    asked      the moments of all requests, by service
    is_struck  whether the trouble at a single call has come
    late_s     until when something may still be done that was asked long ago
    """

    slack: SlackService
    github: GitHubService
    history_url: str
    pull_request: int
    by_webhook: bool = False
    asked: dict[str, list[float]] = field(default_factory=lambda: {"Slack": [], "GitHub": []})
    is_struck: bool = False
    late_s: float = 0.0
    is_mended: bool = False

    def services(self) -> Services:
        """As a healthy installation has them."""
        token = {"channel": CHANNEL, "token": SLACK_TOKEN, "base_url": self.slack.base_url, "mentions": (PERSON,)}
        way = {"webhook_url": self.slack.webhook_url} if self.by_webhook else token
        return Services(
            SlackSettings.checked(**way),
            GitHubSettings.checked(GITHUB_TOKEN, REPOSITORY, self.github.url, BRANCH, "http://127.0.0.1/pages"),
        )

    def break_all(self, kind: Kind) -> None:
        """That trouble with every call of both services, until it is mended."""
        if kind.slack is None or kind.github is None:
            self.slack.down()
            self.github.stop()
            return
        self.slack.troubles["*"], self.github.troubles["*"] = kind.slack, kind.github

    def break_call(self, service: str, number: int, kind: Kind) -> None:
        """That trouble with one call of one service; down: from that call on, until it is mended."""
        is_slack = service == "Slack"
        one: Any = self.slack if is_slack else self.github
        trouble = (kind.webhook if self.by_webhook else kind.slack) if is_slack else kind.github
        look_up, count = one.trouble, itertools.count(1)

        def stop() -> None:
            self.is_struck = True
            (self.slack.down if is_slack else self.github.stop)()

        def found(name: str) -> Any:
            this = next(count)
            if trouble is None and this == number - 1:
                stop()
            if trouble is None or this != number or self.is_mended:
                return look_up(name)
            self.is_struck = True
            look_up(name)  # it counts as asked
            return self.noted(trouble)

        one.trouble = found
        if trouble is None and number == 1:
            stop()

    def noted(self, trouble: Any) -> Any:
        """The same trouble; what is slow is done late."""
        if trouble.slow_s:
            self.late_s = time.monotonic() + trouble.slow_s + 2
        return trouble

    def await_late(self) -> None:
        """Until all is done that was asked."""
        time.sleep(max(0.0, self.late_s - time.monotonic()))

    def mend(self) -> None:
        """All is well again, and what was to come late has come."""
        self.is_mended = True
        self.await_late()
        self.slack.troubles.clear()
        self.github.troubles.clear()
        if not self.slack.is_up:
            self.slack.up()
        if not self.github.is_up:
            self.github.start()

    def deliver_late(self) -> None:
        """Back-offs and Retry-After have passed, by the table; then as the DAG of deliveries does it."""
        for _ in range(ROUNDS):
            self._let_pass()
            courier_of(self.history_url, self.services()).deliver(within_s=WITHIN_S, call_s=CALL_S)
            if not outbox.waiting(outbox_engine(self.history_url)):
                return

    def _let_pass(self) -> None:
        connection = psycopg2.connect(self.history_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("UPDATE loadtest.delivery SET next_attempt = now(), not_before = NULL")
        finally:
            connection.close()

    def seen(self, verdict: str) -> Counter[str]:
        """What a reader finds: messages, replies, issues, pages, each thing with how often it is there."""
        found: Counter[str] = Counter()
        for post in self.slack.posts:
            found[_post(post.thread_ts is None, post.text, post.metadata, bool(post.files), verdict)] += 1
        found["message with the note that it is sent again"] = sum(SENT_AGAIN in str(one) for one in self.slack.posts)
        found |= self._seen_at_github()
        found["broken rules"] = len(self.slack.faults) + len(self.github.faults)
        states = Counter(row.state for row in outbox.rows_of(outbox_engine(self.history_url), self._subject()))
        found["rows not delivered"] = states["waiting"] + states["given_up"]
        return +found

    def _subject(self) -> str:
        connection = psycopg2.connect(self.history_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT min(subject), count(DISTINCT subject) FROM loadtest.delivery")
                subject, subjects = cursor.fetchone() or ("", 0)
        finally:
            connection.close()
        if subjects != 1:
            raise RuntimeError(f"{subjects} runs have told something where one should have")
        return str(subject)

    def _seen_at_github(self) -> Counter[str]:
        store, found = self.github.issues, Counter[str]()
        for number, issue in store.issues.items():
            is_pull = number in store.pulls
            found["issue"] += not is_pull
            found["comment of the pull request" if is_pull else "comment of the issue"] += len(store.of_issue(number))
            found["labels of the issue"] += 0 if is_pull else len(issue["labels"])
        newest = {status["context"]: status["state"] for status in self.github.api.statuses}
        found.update(f"status {name}: {state}" for name, state in newest.items())
        found["check run"] = len(self.github.api.checks)
        if f"heads/{BRANCH}" in self.github.git.refs:
            content = self.github.git.content(BRANCH)
            found["line of the list of pages"] = len(json.loads(content[f"{SITE}/index.json"])["runs"])
            found["file of the page"] = sum(path.count("/") == 2 for path in content)
        return found


def named(found: Counter[str]) -> str:
    """For a claim's line."""
    return "; ".join(f"{number} x {what}" for what, number in sorted(found.items())) or "nothing"


def _post(is_message: bool, text: str, metadata: dict[str, Any] | None, has_files: bool, verdict: str) -> str:
    if is_message:
        return "message with its verdict" if verdict in text else "message without a verdict"
    key = str(((metadata or {}).get("event_payload") or {}).get("key", ""))
    return "plot" if has_files else f"reply {key.rpartition('/')[2]}"


@contextmanager
def stand(history_url: str, *, by_webhook: bool = False) -> Iterator[Stand]:
    """Both services for the length of a block, with a copy of the empty history, which stays."""
    with slack_service() as slack, github_service() as github:
        pull = github.issues.add_pull(User("somebody"), "A change", github.api.head)
        found = Stand(slack, github, _copied(history_url), pull["number"], by_webhook)
        for name, service in (("Slack", slack), ("GitHub", github)):
            _watch(found, name, service)
        yield found


def _watch(at: Stand, service: str, one: Any) -> None:
    look_up = one.trouble

    def found(name: str) -> Any:
        at.asked[service].append(time.monotonic())
        return at.noted(look_up(name))

    one.trouble = found


_NUMBERS = itertools.count(1)


def _copied(history_url: str) -> str:
    """Another database of the same content, on the same server."""
    template = urlsplit(history_url).path.strip("/")
    name = f"{template}_{next(_NUMBERS)}"
    connection = psycopg2.connect(history_url.replace(f"/{template}?", "/postgres?", 1))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        connection.close()
    return history_url.replace(f"/{template}?", f"/{name}?", 1)
