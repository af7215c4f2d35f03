"""What a trial comes to: each link's outcome in one line, the whole in one sentence, and Slack told how it ended."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from include.loadtest.orchestration.deliveries import harmless, tell
from include.loadtest.orchestration.selftest.issue_arrival import check_closing, check_issue, file_closing
from include.loadtest.orchestration.selftest.judging import (
    check_change_test,
    check_recordings,
    check_validation,
    check_verdict,
)
from include.loadtest.orchestration.selftest.links import AFTER, BrokenLinkError, Link
from include.loadtest.orchestration.selftest.outbox_probe import check_outbox
from include.loadtest.orchestration.selftest.slack_arrival import alarm_row, check_slack
from include.loadtest.orchestration.selftest.trial import ALARMS, Trial
from include.loadtest.publishing import GITHUB_CONNECTION, SLACK_CONNECTION
from include.loadtest.publishing.message import notice, self_test_message

LOG = logging.getLogger("loadtest")
State = Literal["ok", "broken", "not_configured"]
CHECKS: Mapping[Link, Callable[[Trial], str]] = {
    Link.RECORDING: lambda trial: check_recordings(trial.bench),
    Link.VALIDATION: lambda trial: check_validation(trial.bench),
    Link.CHANGE_TEST: lambda trial: check_change_test(trial.bench),
    Link.VERDICT: lambda trial: check_verdict(trial.bench),
    Link.OUTBOX: check_outbox,
    Link.SLACK: check_slack,
    Link.ISSUE: check_issue,
    Link.CLOSING: check_closing,
}
NOBODY = (
    "no alarm would reach anybody, since neither Slack nor GitHub is set up. What to do: set connection "
    f"{SLACK_CONNECTION} or {GITHUB_CONNECTION} (docs/operating.md)"
)


@dataclass(frozen=True)
class Outcome:
    """How a link ended, and the line that says so."""

    state: State
    text: str


def outcome_of(trial: Trial, name: Link) -> Outcome:
    """Test a link; a service that is not set up is not tested, and said to be so."""
    if name is Link.SLACK and trial.services.slack is None:
        return Outcome("not_configured", f"Slack is not tested: there is no connection {SLACK_CONNECTION}")
    if name in (Link.ISSUE, Link.CLOSING) and trial.services.github is None:
        return Outcome("not_configured", f"{name} is not tested: there is no connection {GITHUB_CONNECTION}")
    try:
        return Outcome("ok", CHECKS[name](trial))
    except BrokenLinkError as error:
        return Outcome("broken", str(error))


def try_all(trial: Trial) -> dict[Link, Outcome | None]:
    """Test every link in order, then tell how it ended; None: not tested, as what it needs is broken."""
    outcomes: dict[Link, Outcome | None] = {}
    for name in Link:
        before = outcomes.get(AFTER[name]) if name in AFTER else None
        is_reached = name not in AFTER or (before is not None and before.state == "ok")
        outcomes[name] = outcome_of(trial, name) if is_reached else None
    conclude(trial, outcomes)
    return outcomes


def summary(outcomes: Mapping[Link, Outcome | None]) -> tuple[bool, str]:
    """Whether the chain holds, and in which words."""
    found = {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    broken = [outcome.text for outcome in found.values() if outcome.state == "broken"]
    absent = [outcome.text for outcome in found.values() if outcome.state == "not_configured"]
    if {name for name in (Link.SLACK, Link.ISSUE) if name in found and found[name].text in absent} == _SERVICES:
        broken.append(NOBODY)
    untested = [str(name) for name in outcomes if name not in found and not _is_absent(name, found)]
    if untested:
        broken.append(f"Not tested, or without a result: {', '.join(untested)}")
    return (False, ". ".join(broken)) if broken else (True, ". ".join(["every link that was tested holds", *absent]))


_SERVICES = {Link.SLACK, Link.ISSUE}


def _is_absent(name: Link, found: Mapping[Link, Outcome]) -> bool:
    """Whether a link needs one that is not set up."""
    before = found.get(AFTER[name]) if name in AFTER else None
    return before is not None and before.state == "not_configured"


def conclude(trial: Trial, outcomes: Mapping[Link, Outcome | None]) -> tuple[bool, str]:
    """Tell how the trial ended, and have its issues closed; what `summary` says. Nothing here breaks a link."""
    is_whole, text = summary(outcomes)
    closing = outcomes.get(Link.CLOSING)
    if trial.services.github is not None and (closing is None or closing.state == "broken"):
        with harmless("test issues may stay open until the next self-test"):
            file_closing(trial)  # for an issue that arrives later
    slack = trial.services.slack_settings
    if slack is not None and not (slack.is_webhook and is_whole):  # a webhook can change no message
        with harmless("Slack is not told how the self-test ended"):
            mark, word = ("✅", "passed") if is_whole else ("❌", "failed")
            message = self_test_message(notice(f"Alarm self-test {word}", text, trial.link, mark))
            for name in ALARMS[:1] if slack.is_webhook else ALARMS:
                tell(lambda: trial.history_url, trial.services, alarm_row(trial.run_id_of(name), message))
    LOG.info("alarm self-test %s: %s", "passed" if is_whole else "failed", text)
    return is_whole, text
