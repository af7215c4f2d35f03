"""Whether an alarm becomes an issue that says what it has to, and whether runs without the problem close it.

Test issues are new ones each time: closed as they are at once, reopening one for years would only make it long.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.loadtest import run
from include.loadtest.history import outbox
from include.loadtest.history.tickets import KIND, issues_of
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link, link
from include.loadtest.orchestration.selftest.recordings import CLEAN, PROFILE, TARGET
from include.loadtest.orchestration.selftest.trial import ALARMS, ARRIVES_WITHIN_S, CALL_S, Trial, deliver, usable
from include.loadtest.profile.tickets import TicketRules, load_ticket_rules
from include.loadtest.publishing import GITHUB_CONNECTION
from include.loadtest.publishing.delivery import Budget
from include.loadtest.publishing.github import GitHubSettings, github_errors, repository
from include.loadtest.publishing.ticket_delivery import ticket_handlers
from include.loadtest.publishing.ticket_text import TEST_LABEL, TEST_PREFIX, TITLE
from include.loadtest.publishing.tickets import TicketRun, file_tickets

if TYPE_CHECKING:
    from github.Issue import Issue

LOG = logging.getLogger("loadtest")
ACTION = f"repair what it says (connection {GITHUB_CONNECTION}; docs/github.md), then clear this task"


def check_issue(trial: Trial) -> str:
    """Each alarm has an open issue with its title, label and text. Raises BrokenLinkError; returns a line."""
    with link(Link.ISSUE, ACTION):
        settings = usable(trial.services.github, Link.ISSUE, ACTION)
        if not _is_filed(trial):
            _close_left_over(trial, settings)
            for name in ALARMS:
                _file(trial, name, trial.run_id_of(name))
        numbers = [_arrived(trial, settings, name) for name in ALARMS]
    return f"issues {', '.join(f'#{number}' for number in numbers)} are open, and say what they have to"


def check_closing(trial: Trial) -> str:
    """The clean run, repeated as often as the rules ask, closes the issues. Raises BrokenLinkError; returns a line."""
    with link(Link.CLOSING, ACTION):
        settings = usable(trial.services.github, Link.CLOSING, ACTION)
        last = file_closing(trial)
        deliver(trial, last, ticket_handlers(settings, engine=trial.engine), Link.CLOSING, ACTION)
        numbers = [number for name in ALARMS for number, _ in issues_of(trial.engine, trial.run_id_of(name))]
        still_open = [f"#{number}" for number in numbers if _issue(settings, number).state != "closed"]
        if still_open:
            text = f"{load_ticket_rules().close_after_clean_runs} clean runs did not close {', '.join(still_open)}"
            raise BrokenLinkError(Link.CLOSING, text, ACTION)
    return f"{', '.join(f'#{number}' for number in numbers)} are closed by clean runs"


def file_closing(trial: Trial) -> str:
    """File the clean runs that close the trial's issues, also those that arrive later; the last one's id."""
    return _file_clean_runs(trial, "clean")


def _is_filed(trial: Trial) -> bool:
    """Whether an earlier try of this trial has filed its alarms."""
    return any(row.kind == KIND for name in ALARMS for row in outbox.rows_of(trial.engine, trial.run_id_of(name)))


def _close_left_over(trial: Trial, settings: GitHubSettings) -> None:
    """Close what earlier trials have left open: for the history, and at GitHub, whose answer it may not have had."""
    _file_clean_runs(trial, "before")
    with github_errors():
        there = repository(settings, Budget(ARRIVES_WITHIN_S, CALL_S))
        for issue in there.get_issues(state="open", labels=[TEST_LABEL]):
            if issue.title.startswith(TEST_PREFIX):
                issue.edit(state="closed")
                LOG.info("issue #%d of an earlier self-test is closed", issue.number)


def _file_clean_runs(trial: Trial, what: str) -> str:
    rules = load_ticket_rules()
    ids = [trial.run_id_of(f"{what}{number}") for number in range(1, rules.close_after_clean_runs + 1)]
    for run_id in ids:
        _file(trial, CLEAN, run_id)
    return ids[-1]


def _file(trial: Trial, name: str, run_id: str) -> None:
    """What publishing a run files; a breach with several causes is one issue here."""
    found = trial.conclusion(name, run_id)
    rules: TicketRules = load_ticket_rules().model_copy(update={"max_issues_a_run": 1, "reopen_within_days": 0})
    about = TicketRun(
        run_id=run_id,
        profile=PROFILE,
        target=TARGET,
        parameters={"profile": PROFILE},
        started=run.utc_text(datetime.now(UTC)),
        link=trial.link,
        report_url=None,
        bundle_uri=trial.bundle_uri(name),
        is_test=True,
    )
    lines = file_tickets(
        trial.engine,
        about,
        verdict=found.verdict,
        metrics=found.metrics,
        comparison=found.comparison,
        diagnosis=None,
        rules=rules,
    )
    for line in lines:
        LOG.info("%s: %s", run_id, line)


def _arrived(trial: Trial, settings: GitHubSettings, name: str) -> int:
    """The number of an alarm's issue, read back."""
    run_id = trial.run_id_of(name)
    deliver(trial, run_id, ticket_handlers(settings, engine=trial.engine), Link.ISSUE, ACTION)
    found = issues_of(trial.engine, run_id)
    if not found:
        raise BrokenLinkError(Link.ISSUE, f"no issue was filed for the {name} run", ACTION)
    number = found[0][0]
    wrong = list(_faults(_issue(settings, number), run_id))
    if wrong:
        raise BrokenLinkError(Link.ISSUE, f"issue #{number} {', '.join(wrong)}", ACTION)
    LOG.info("%s: issue #%d was read back", run_id, number)
    return number


def _issue(settings: GitHubSettings, number: int) -> "Issue":
    with github_errors():
        return repository(settings, Budget(ARRIVES_WITHIN_S, CALL_S)).get_issue(number)


def _faults(issue: "Issue", run_id: str) -> Iterator[str]:
    if issue.state != "open":
        yield f"is {issue.state}"
    if not issue.title.startswith(f"{TEST_PREFIX}{TITLE}"):
        yield "has another title"
    if TEST_LABEL not in {label.name for label in issue.labels}:
        yield f"has no label {TEST_LABEL}: the token has to be allowed to set labels"
    if run_id not in (issue.body or ""):
        yield "does not name the run"
