"""The alarm self-test against a local Slack and GitHub: green, and with each link broken, red with just that named."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from sqlalchemy import text

from experiments.claims import Claim, Say
from experiments.environment import uninterrupted
from include.embedded.airflow import HISTORY_DATABASE
from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.loadtest.history.database import connect, transaction
from include.loadtest.orchestration.selftest import recordings
from include.loadtest.orchestration.selftest.judging import Bench
from include.loadtest.orchestration.selftest.links import Link
from include.loadtest.orchestration.selftest.outcome import try_all
from include.loadtest.orchestration.selftest.trial import Trial
from include.loadtest.profile import find_profile
from include.loadtest.publishing import github, slack
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.ticket_text import TEST_LABEL
from include.loadtest.reasons import REASON_CODES, ReasonCode
from tests.helpers.github_service import REPOSITORY, GitHubService, github_service
from tests.helpers.github_service import TOKEN as GITHUB_TOKEN
from tests.helpers.github_service import Trouble as GitHubTrouble
from tests.helpers.slack_service import CHANNEL, Canned, SlackService, slack_service
from tests.helpers.slack_service import TOKEN as SLACK_TOKEN
from tests.helpers.slack_service import Trouble as SlackTrouble

NAME = "selftest"
LIMIT_S = 120.0
WRONG = "not-the-right-one"
NOBODY_SERVES = "http://127.0.0.1:1"
LOOSE = {"latency_p95_ms": 1.2, "latency_p99_ms": 1.2, "error_rate": 4.0, "throughput_rpm": 0.8}
"""Each limit of `smoke`, moved by so much to its bad side: the recorded run would pass it."""
CHANGE_RULES: dict[str, dict[str, Any]] = {
    "relevant_change raised to 50 %": {"relevant_change": 0.5},
    "suspicion_rate lowered to 1 in 10^12": {"suspicion_rate": 1e-12},
    "false_alarm_rate lowered to 1 in 10^15": {"false_alarm_rate": 1e-15},
    "min_runs raised to 20": {"min_runs": 20},
}


@dataclass
class Chain:
    """The servers of one self-test, and how often it was tried."""

    folder: Path
    history_url: str
    slack: SlackService
    github: GitHubService
    tried: int = 0

    def services(self, *, slack_token: str = SLACK_TOKEN, github_token: str = GITHUB_TOKEN) -> Services:
        """Both, with these credentials."""
        return Services(
            slack.SlackSettings.checked(channel=CHANNEL, token=slack_token, base_url=self.slack.base_url),
            github.GitHubSettings.checked(github_token, REPOSITORY, base_url=self.github.url),
        )

    def webhook(self, url: str) -> Services:
        """Slack by a webhook, and GitHub."""
        return Services(slack.SlackSettings.checked(webhook_url=url), self.services().github)

    def broken(self, services: Services, **changes: Any) -> tuple[set[Link], str, float]:
        """Try the chain; the links that broke, what is said of the first of them, and the seconds that it took."""
        self.tried += 1
        bench = Bench(self.folder / f"trial{self.tried}", changes.get("recordings", recordings.FOLDER))
        trial = Trial.of(
            bench,
            services,
            changes.get("history_url", self.history_url),
            began=datetime.now(UTC),
            owner=f"prove/{self.tried}",
            link="http://127.0.0.1:8080/dags/load_test_alarm_selftest/runs/prove",
        )
        began_s = time.monotonic()
        outcomes = try_all(trial)
        found = {name: outcome.text for name, outcome in outcomes.items() if outcome and outcome.state == "broken"}
        return set(found), next(iter(found.values()), "every link holds"), time.monotonic() - began_s


def claims(say: Say) -> Iterator[Claim]:
    """Green, then every link broken in turn, then green again with what that has left."""
    with _chain() as chain:
        yield from _green(chain)
        for what, link_broken, plant in _plants(chain):
            say(f"  {what}")
            yield _named(what, link_broken, plant)
        yield _green_again(chain)
        yield _history_claim(chain)


@contextmanager
def _chain() -> Iterator[Chain]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="loadtest-prove-")))
        history = start_postgres(folder / "history", settings={"fsync": "off"})
        opened.callback(_stop, history)
        ensure_database(history, HISTORY_DATABASE)
        slack_there, github_there = opened.enter_context(slack_service()), opened.enter_context(github_service())
        yield Chain(folder, history.url(HISTORY_DATABASE), slack_there, github_there)


def _stop(history: Any) -> None:
    with uninterrupted():
        stop_postgres(history)


def _green(chain: Chain) -> Iterator[Claim]:
    links, said, seconds = chain.broken(chain.services())
    issues = list(chain.github.issues.issues.values())
    shown = [f"{post.text[:40]} (changed {post.edits}x)" for post in chain.slack.posts]
    states = [f"#{issue['number']} {issue['state']}: {issue['title']}" for issue in issues]
    rules = [*chain.slack.faults, *chain.github.faults]
    ok = not links and not rules and len(issues) == len(shown) == 2
    ok &= all(issue["state"] == "closed" and _labels(issue) == [TEST_LABEL] for issue in issues)
    ok &= all(post.text.startswith("[TEST] ✅ Alarm self-test passed") for post in chain.slack.posts)
    expected = "every link holds; 2 messages that end as passed, 2 test issues closed, no broken rule"
    yield Claim(NAME, "a bot token and GitHub", expected, f"{said}; {shown}; {states}; {rules}", ok)
    claim = f"{seconds:.1f} s without Airflow's own time"
    yield Claim(NAME, "how long it takes", f"at most {LIMIT_S:g} s", claim, seconds <= LIMIT_S)
    links, said, _ = chain.broken(chain.webhook(chain.slack.webhook_url))
    yield Claim(NAME, "a webhook and GitHub", "every link holds", said, not links)
    links, said, _ = chain.broken(Services(None, chain.services().github))
    yield Claim(NAME, "GitHub without Slack", "every link holds", said, not links)


def _labels(issue: dict[str, Any]) -> list[str]:
    return [label["name"] for label in issue["labels"]]


Plant = Callable[[], tuple[set[Link], str, float]]


def _plants(chain: Chain) -> Iterator[tuple[str, Link, Plant]]:
    """What is broken, the link that has to be named, and the trial."""
    yield from _broken_services(chain)
    for metric, factor in LOOSE.items():
        yield f"the limit of {metric} loosened", Link.VALIDATION, partial(_loosened, chain, metric, factor)
    for what, rules in CHANGE_RULES.items():
        yield what, Link.CHANGE_TEST, partial(_with_profile, chain, {"change_test": rules})
    yield "a missed limit is only a warning", Link.VERDICT, lambda: _toothless(chain)
    yield "a recorded sample file is damaged", Link.RECORDING, lambda: _damaged(chain)
    yield (
        "no history database",
        Link.OUTBOX,
        lambda: chain.broken(chain.services(), history_url="postgresql://nobody@127.0.0.1:1/history"),
    )


def _broken_services(chain: Chain) -> Iterator[tuple[str, Link, Plant]]:
    wrong = f"{chain.slack.url}/services/T00000000/B00000000/another"
    yield "a wrong webhook", Link.SLACK, lambda: chain.broken(chain.webhook(wrong))
    yield "an unreachable webhook", Link.SLACK, lambda: chain.broken(chain.webhook(f"{NOBODY_SERVES}/services/T/B/X"))
    yield "a wrong Slack token", Link.SLACK, lambda: chain.broken(chain.services(slack_token=WRONG))
    yield "Slack takes messages and shows none", Link.SLACK, lambda: _hidden(chain)
    yield "a wrong GitHub token", Link.ISSUE, lambda: chain.broken(chain.services(github_token=WRONG))
    yield "GitHub is away", Link.ISSUE, lambda: _away(chain)
    yield "GitHub answers 500", Link.ISSUE, lambda: _troubled(chain, "*", GitHubTrouble(status=500))
    yield "GitHub never closes", Link.CLOSING, lambda: _never_closes(chain)


def _named(what: str, link_broken: Link, plant: Plant) -> Claim:
    links, said, seconds = plant()
    measured = f"{', '.join(sorted(links)) or 'none'}: {said} ({seconds:.0f} s)"
    return Claim(NAME, what, f"red, {link_broken} alone is named", measured, links == {link_broken})


def _hidden(chain: Chain) -> tuple[set[Link], str, float]:
    empty = Canned(200, '{"ok": true, "messages": [], "has_more": false}')
    with patch.dict(chain.slack.troubles, {"conversations.history": SlackTrouble(canned=empty)}):
        return chain.broken(chain.services())


def _away(chain: Chain) -> tuple[set[Link], str, float]:
    chain.github.stop()
    try:
        return chain.broken(chain.services())
    finally:
        chain.github.start()


def _troubled(chain: Chain, operation: str, trouble: GitHubTrouble) -> tuple[set[Link], str, float]:
    with patch.dict(chain.github.troubles, {operation: trouble}):
        return chain.broken(chain.services())


def _never_closes(chain: Chain) -> tuple[set[Link], str, float]:
    """It takes the request to close, and leaves the issue open."""
    store, change = chain.github.issues, chain.github.issues.change_issue

    def stay_open(number: int, body: Any) -> Any:
        return change(number, {name: value for name, value in body.items() if name not in ("state", "state_reason")})

    with patch.object(store, "change_issue", stay_open):
        return chain.broken(chain.services())


def _loosened(chain: Chain, metric: str, factor: float) -> tuple[set[Link], str, float]:
    data = _profile()
    for slo in data["slos"]:
        slo["limit"] *= factor if slo["metric"] == metric else 1
    return _with_profile(chain, {"slos": data["slos"]})


def _with_profile(chain: Chain, changes: dict[str, Any]) -> tuple[set[Link], str, float]:
    """A trial with the committed profile as somebody might change it."""
    changed = chain.folder / f"{recordings.PROFILE}.yaml"
    changed.write_text(yaml.safe_dump(_profile() | changes, sort_keys=False, allow_unicode=True), encoding="utf-8")
    with patch.object(recordings, "find_profile", lambda _name: changed):
        return chain.broken(chain.services())


def _profile() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(find_profile(recordings.PROFILE).read_text(encoding="utf-8"))
    return data


def _toothless(chain: Chain) -> tuple[set[Link], str, float]:
    mild = ReasonCode("slo_missed", "warning", "a limit was missed", "nothing")
    with patch.dict(REASON_CODES, {"slo_missed": mild}):
        return chain.broken(chain.services())


def _damaged(chain: Chain) -> tuple[set[Link], str, float]:
    copy = chain.folder / "damaged"
    shutil.copytree(recordings.FOLDER, copy)
    samples = copy / recordings.BAD / recordings.SAMPLES
    samples.write_bytes(samples.read_bytes()[:-100])
    return chain.broken(chain.services(), recordings=copy)


def _green_again(chain: Chain) -> Claim:
    """Issues that broken trials have left open are closed by the next one."""
    links, said, _ = chain.broken(chain.services())
    still_open = [number for number, issue in chain.github.issues.issues.items() if issue["state"] == "open"]
    return Claim(
        NAME,
        "all repaired, with what the broken trials have left",
        "every link holds, no test issue is open",
        f"{said}; open: {still_open or 'none'}",
        not links and not still_open,
    )


def _history_claim(chain: Chain) -> Claim:
    with transaction(connect(chain.history_url)) as connection:
        rows = [connection.scalar(text(f"SELECT count(*) FROM loadtest.{table}")) for table in ("run", "metric")]  # noqa: S608 - two names
    return Claim(NAME, f"runs and metrics in the history after {chain.tried} trials", "none", f"{rows}", rows == [0, 0])
