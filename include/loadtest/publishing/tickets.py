"""From what a run concluded to its issues: filed, updated or closed in the history and the outbox; asks no service."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine

from include.loadtest.history.tickets import Decision, Filing, filing
from include.loadtest.profile.tickets import TicketRules
from include.loadtest.publishing.ticket_findings import (
    CHANGES,
    Finding,
    capped,
    findings_of,
    groups_of,
    is_disproved,
    shown_by,
)
from include.loadtest.publishing.ticket_text import Account, TicketRun, payload_of
from include.loadtest.verdict import GREEN

__all__ = ["TicketRun", "file_tickets"]
_DONE = {
    "opened": "a new issue",
    "updated": "the open issue is updated",
    "reopened": "the issue is opened again",
    "closed": "the issue is closed, the problem is gone",
    "disproved": "the issue is closed, the repeats do not show it",
}


def file_tickets(
    engine: Engine,
    run: TicketRun,
    *,
    verdict: Mapping[str, Any],
    metrics: Mapping[str, Any] | None,
    comparison: Mapping[str, Any] | None,
    diagnosis: Mapping[str, Any] | None,
    rules: TicketRules,
) -> list[str]:
    """File what the run says: a problem becomes one issue, a problem that is gone is closed. Returns lines for the log.

    The documents are those of the bundle, None where the run has none; the verdict has to be final. An inconclusive
    run, one that a person ended and one that cost too much say nothing; neither does one, published again, that is
    older than the last bad run of a ticket. After a run whose load was stopped by a rule all open tickets of its
    profile and target count their clean runs anew. Filing a run twice changes nothing; where its verdict has changed
    since, the new finding is filed. Raises InfrastructureError where the database fails.
    """
    account = Account(run, verdict, comparison, diagnosis, rules)
    found = findings_of(verdict, metrics, comparison, run.target)
    if not found and verdict["verdict"] not in GREEN:
        return []
    with filing(engine, run.run_id, run.profile, run.target, datetime.fromisoformat(run.started)) as book:
        decisions = _file_bad(book, account, found) if found else _file_good(book, account)
    return [_line(decision) for decision in decisions]


def _file_bad(book: Filing, account: Account, found: list[Finding]) -> list[Decision]:
    days = account.rules.reopen_within_days
    together: dict[str, list[Finding]] = {}
    for group in groups_of(found, account.diagnosis):
        together.setdefault(book.ticket_for(_fingerprints(group), days), []).extend(group)
    decisions = []
    for group in capped(list(together.values()), account.rules.max_issues_a_run):
        problems = list(dict.fromkeys(one.problem for one in group))
        ticket = book.ticket_for(_fingerprints(group), days)
        decision = book.bad(ticket, problems, days, partial(payload_of, account, group))
        decisions += [decision] if decision else []
    book.spoil(None if account.verdict["verdict"] == "ABORTED" else _fingerprints(found))
    return decisions


def _file_good(book: Filing, account: Account) -> list[Decision]:
    shown = shown_by(account.verdict, account.comparison, account.run.target)
    render = partial(payload_of, account, [])
    disproved = book.disprove(CHANGES, render) if is_disproved(account.verdict) else []
    return disproved + book.clean(shown.fine, shown.unknown, account.rules.close_after_clean_runs, render)


def _fingerprints(findings: list[Finding]) -> list[str]:
    return [one.problem.fingerprint for one in findings]


def _line(decision: Decision) -> str:
    ticket = decision.ticket
    name = f"ticket {ticket.fingerprint} ({ticket.problem.metric} of {ticket.problem.scope})"
    number = "" if ticket.number is None else f", issue {ticket.number}"
    return f"{name}{number}: {_DONE[decision.kind]}"
