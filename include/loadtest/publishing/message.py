"""Slack's messages by what they are about. Each is within Slack's limits, whatever text is put into it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from include.loadtest.doc_pages import page_address
from include.loadtest.publishing.foreign_text import cut
from include.loadtest.publishing.message_parts import (
    BUNDLE_CHARS,
    HEADER_CHARS,
    SECTION_CHARS,
    Message,
    assembled,
    called,
    clock,
    code,
    escaped,
    links,
    listed,
    section,
    small_print,
)
from include.loadtest.publishing.run_message import (
    CALLING,
    bottleneck_message,
    mention_message,
    run_message,
)
from include.loadtest.publishing.told_reasons import deciding_reason
from include.loadtest.reporting.markdown import moment
from include.loadtest.reporting.report import SENTENCES
from include.loadtest.reporting.suite import NO_VERDICT
from include.loadtest.verdict import verdict_mark

if TYPE_CHECKING:
    from slack_sdk.models.blocks import Block

__all__ = [
    "Message",
    "alert_message",
    "bottleneck_message",
    "digest_message",
    "fault_message",
    "mention_message",
    "notice",
    "progress_message",
    "run_message",
    "self_test_message",
    "started_message",
    "suite_started_message",
]
FAULT_ACTION = "Read the task's log; when the cause is mended, start the run again: a repeat is a new run."

Row = Mapping[str, Any]


def started_message(
    *,
    title: str,
    profile: str,
    run_id: str,
    target: str,
    users: int,
    planned_s: float,
    planned_end: datetime,
    link: str | None,
    reason: str,
) -> Message:
    """A run has begun, and is to end at `planned_end`; the same message becomes its verdict.

    `planned_s`: seconds from now to the load's end; `reason`: who wanted it, and why; `link`: as in `run_message`.
    """
    what = f"Profile *{escaped(profile, 100)}*, {users} users, target *{escaped(target, 100)}*"
    body = _begun(what, _until(planned_s, planned_end), reason, _begun_where(link, "run", run_id))
    return _started(f"{title[:200]} on {target[:100]}", title, _until(planned_s, planned_end), body)


def suite_started_message(
    *,
    title: str,
    suite_run_id: str,
    target: str,
    profiles: Sequence[str],
    planned_s: float,
    planned_end: datetime,
    link: str | None,
    reason: str,
) -> Message:
    """The same of a suite with the runs of `profiles`, in their order."""
    names = escaped(", ".join(one[:100] for one in profiles[:30]), 600)
    what = f"{len(profiles)} runs: {names}; target *{escaped(target, 100)}*"
    body = _begun(what, _until(planned_s, planned_end), reason, _begun_where(link, "suite", suite_run_id))
    return _started(f"{title[:200]} on {target[:100]}", title, _until(planned_s, planned_end), body)


def _started(subject: str, title: str, until: str, body: list["Block"]) -> Message:
    return assembled(f"⏳ Started: {title}", body, f"⏳ Started: {subject}, {until}")


def _until(planned_s: float, planned_end: datetime) -> str:
    return f"about {planned_s / 60:.0f} min, until {moment(planned_end.isoformat())}"


def _begun(what: str, until: str, reason: str, where: Iterator[str]) -> list["Block"]:
    why = f"Why: {escaped(reason, 600) or 'no reason was given'}"
    return [section(f"{what}\nPlanned: {until}\n{why}"), *small_print(where)]


def _begun_where(link: str | None, kind: str, run_id: str) -> Iterator[str]:
    yield from links(("Open the run", link))
    yield f"{kind} {code(run_id, 150)}"


def digest_message(
    suite: Row,
    verdicts: Mapping[str, Row | None],
    *,
    title: str,
    target: str,
    link: str | None,
    bundle_uri: str,
    report: str | None = None,
    mentions: Sequence[str] = (),
) -> Message:
    """A suite's message: its verdict, and a line a run with its verdict and the reason that decided it.

    `suite`: the content of suite.json; `verdicts`: by run_id, the content of each run's verdict.json (None or absent:
    the run left none). The rest as in `run_message`.
    """
    word, runs = str(suite["verdict"]), suite["runs"]
    lines = [_run_line(run, verdicts.get(run["run_id"])) for run in runs]
    body: list[Block] = [
        section(f"The worst of {len(runs)} runs is *{escaped(word, 40)}*. Target: *{escaped(target, 100)}*"),
        *(listed("*Runs*", lines) if lines else []),
        *small_print(_digest_where(suite, link, report, bundle_uri)),
    ]
    worst = (verdicts.get(run["run_id"]) or {} for run in runs if run["verdict"] == word)
    first = next((line for verdict in worst if (line := deciding_reason(verdict))), None)
    text = f"{verdict_mark(word)} {word}: {title[:200]} on {target[:100]}. {first or SENTENCES.get(word, '')}"
    message = assembled(f"{verdict_mark(word)} {word}: {title}", body, text)
    return called(message, mentions) if word in CALLING else message


def _run_line(run: Row, verdict: Row | None) -> str:
    word = str(run["verdict"])
    why = NO_VERDICT if verdict is None else deciding_reason(verdict)
    line = f"{verdict_mark(word)} *{escaped(word, 40)}* {escaped(run['profile'], 100)}"
    return f"{line}: {escaped(why, 250)}" if why else line


def _digest_where(suite: Row, link: str | None, report: str | None, bundle_uri: str) -> Iterator[str]:
    yield from links(("Open the run", link), ("Read the report", report))
    yield f"suite {code(suite.get('suite_run_id') or '', 150)}"
    yield f"bundle {code(bundle_uri, BUNDLE_CHARS)}"


def progress_message(lines: Sequence[tuple[datetime, str]]) -> Message:
    """A reply that grows with the run: what happened when. Where it grows too long, its latest lines are kept."""
    told = [f"{clock(at)} {escaped(text, 300)}" for at, text in lines]
    latest = escaped(f"{clock(lines[-1][0])} UTC {lines[-1][1]}", 600) if lines else "nothing yet"
    return Message(
        f"Progress: {latest}",
        tuple(block.to_dict() for block in listed("*Progress* (times are UTC)", told, keep_last=True)),
    )


def alert_message(entry: Row, *, run_id: str, target: str, link: str | None) -> Message:
    """A threshold was crossed during the load, or holds again; with the moment, since it may be read late.

    `entry`: one of alerts.json; with `until` null the alert has begun, else it is over.
    """
    name, said = str(entry["id"]), str(entry["text"])
    if entry["until"] is None:
        mark, what = "🔔", f"since {moment(entry['since'])}: {said}; what to do: {entry['page']}"
    else:
        lasted = datetime.fromisoformat(entry["until"]) - datetime.fromisoformat(entry["since"])
        mark = "✅"
        what = f"over at {moment(entry['until'])} after {lasted.total_seconds():.0f} s; worst: {said}"
    return notice(
        f"{name[:100]}: {run_id[:200]} on {target}", f"alert {name[:100]} {what}", link, mark, _page(link, entry)
    )


def _page(link: str | None, entry: Row) -> str | None:
    """Where Airflow shows what to do about an alert that has begun."""
    return page_address(link, str(entry["page"])) if entry["until"] is None else None


def fault_message(
    *, subject: str, task: str, error: str, log: str | None, at: datetime, action: str = FAULT_ACTION
) -> Message:
    """A task failed for a reason of its own: there is no verdict, and the message cannot be taken for one.

    `subject`: whom it happened to, such as `run smoke-1`; `error`: what was raised; `log`: address of the task's log.
    """
    when = moment(at.isoformat())
    body: list[Block] = [
        section(
            f"Task *{escaped(task, 200)}* failed at {when}. This says nothing about the target.\n"
            f"{code(error, 1600)}\n      → {escaped(action, 400)}"
        ),
        *small_print(links(("Open the task's log", log))),
    ]
    head = f"🔧 Infrastructure fault, not a verdict: {subject}"
    return assembled(head, body, f"{head[:300]}: task {task[:200]} failed at {when}: {error}")


def notice(title: str, text: str, link: str | None, mark: str = "❌", page: str | None = None) -> Message:
    """A message that is no verdict: what a person has to look at. `link`: the DAG run; `page`: what to do about it."""
    named = links(("Open the run", link), ("What to do", page))
    body: list[Block] = [section(escaped(text, SECTION_CHARS)), *small_print(named)]
    return assembled(f"{mark} {title}", body, f"{mark} {title[:200]}. {text}")


TEST_MARK = "[TEST]"
_TEST_NOTE = "This is the self-test of the alarms, with recorded data: nothing is wrong with any target."


def self_test_message(message: Message) -> Message:
    """Any message that has a headline, marked as a test in it, in the notification and at its end."""
    head, *body = message.blocks
    title = cut(list(f"{TEST_MARK} {head['text']['text']}"), HEADER_CHARS)
    note = [block.to_dict() for block in small_print([_TEST_NOTE])]
    marked = head | {"text": head["text"] | {"text": title}}
    return Message(f"{TEST_MARK} {message.text}", (marked, *body, *note))
