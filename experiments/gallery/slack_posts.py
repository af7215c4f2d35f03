"""The Slack pictures: each message of the product, made of what real runs concluded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from experiments.gallery.real_alarms import fault, self_test
from experiments.gallery.runs import Told, suites
from experiments.gallery.slack_html import STYLE, posts, thread
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.publishing import message as messages
from include.loadtest.publishing.message import Message
from include.loadtest.publishing.message_parts import with_issues

WIDTH_PX = 732
MENTIONS = ("S012PERFOPS",)
"""A made id: Slack shows a group's name in its place."""
ISSUE = (1, "https://github.com/your-org/your-app/issues/1")


@dataclass(frozen=True)
class Page:
    """One picture to be: its file's stem, what it shows, its HTML and width; at most `height_px` of it."""

    name: str
    text: str
    html: str
    width_px: int
    height_px: int = 4000


def link_of(run_id: str) -> str:
    """Where a run stands in Airflow, as on one's own machine."""
    return f"http://127.0.0.1:8080/dags/load_test_manual/runs/{run_id}"


def report_of(run_id: str) -> str:
    """Where a published report is read."""
    return f"https://your-org.github.io/your-app/{run_id}/"


def bundle_uri(run_id: str) -> str:
    """Where a bundle lies by default."""
    return f"load_test_results/{run_id}"


def verdict_message(told: Told) -> Message:
    """The message about a run."""
    run_id = told.bundle.run_id
    return messages.run_message(
        told.verdict,
        told.read(run.METRICS),
        told.diagnosis,
        told.comparison,
        title=told.profile.title,
        link=link_of(run_id),
        bundle_uri=bundle_uri(run_id),
        target=told.target,
        report=report_of(run_id),
    )


def _page(name: str, text: str, *shown: Message, in_thread: Sequence[Message | str] = ()) -> Page:
    html = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{posts(shown)}{thread(in_thread)}"
    return Page(name, text, html, WIDTH_PX)


def slack_pages(
    runs: Sequence[Told], by_verdict: dict[str, Told], folders: Sequence[Path], folder: Path, plot: str | None
) -> Iterator[Page]:
    """What there is a run for; `folder`: for scratch, `plot`: address of the picture of the SLA_BREACH run."""
    breach = by_verdict.get("SLA_BREACH")
    if breach is not None:
        yield from _breach_pages(breach, plot)
    for word in ("PASS", "WARN", "REGRESSION", "ABORTED", "INCONCLUSIVE"):
        if word in by_verdict:
            text = f"A run's message with the verdict {word}"
            yield _page(f"slack-{word.lower()}", text, verdict_message(by_verdict[word]))
    alerted = next((one for one in runs if one.alerts), None)
    if alerted is not None:
        yield _page("slack-alert", "A threshold was crossed while the load was sent", _alert(alerted))
    yield _page("slack-fault", "A task failed: visibly no verdict", fault())
    tested = with_issues(self_test(folder / "self-test"), [ISSUE])
    yield _page("slack-self-test", "The weekly self-test: marked as one", tested)
    suite = max(suites(folders), key=lambda one: (len(one[1]["runs"]), one[1]["verdict"] != "PASS"), default=None)
    if suite is not None:
        yield _page("slack-digest", "A suite's message", _digest(*suite, runs))


def _breach_pages(breach: Told, plot: str | None) -> Iterator[Page]:
    """The life of one message: started, then its verdict with the whole thread."""
    yield _page("slack-started", "A run has begun; the same message becomes its verdict", _started(breach))
    call = messages.mention_message(
        breach.verdict, breach.diagnosis, title=breach.profile.title, target=breach.target, mentions=MENTIONS
    )
    replies: list[Message | str | None] = [
        _progress(breach),
        _alert(breach) if breach.alerts else None,
        plot,
        messages.bottleneck_message(breach.diagnosis) if breach.diagnosis and breach.cause else None,
        call,
    ]
    message = with_issues(verdict_message(breach), [ISSUE])
    yield _page("slack-sla-breach", "The verdict in the place of the start", message)
    shown = [reply for reply in replies if reply is not None]
    yield _page(
        "slack-thread", "Its thread: progress, alert, plot, what saturates, the call to people", in_thread=shown
    )


def _started(told: Told) -> Message:
    began = datetime.fromisoformat(told.manifest["started"])
    return messages.started_message(
        title=told.profile.title,
        profile=told.profile.name,
        run_id=told.bundle.run_id,
        target=told.target,
        users=told.profile.users,
        planned_s=told.profile.load_s,
        planned_end=began + timedelta(seconds=told.profile.load_s),
        link=link_of(told.bundle.run_id),
        reason=told.manifest["parameters"]["reason"],
    )


def _progress(told: Told) -> Message:
    """What the run told; a run without a thread told nothing, so then its load's begin and end."""
    lines = [(datetime.fromisoformat(one["at"]), one["text"]) for one in told.manifest.get("progress") or ()]
    load = told.manifest["load"]
    began, ended = (datetime.fromisoformat(load[end]).astimezone(UTC) for end in ("started", "ended"))
    begins = f"load begins: up to {told.profile.users} users, until about {ended:%H:%M:%S}"
    return messages.progress_message(lines or [(began, begins), (ended, "load ended")])


def _alert(told: Told) -> Message:
    run_id = told.bundle.run_id
    return messages.alert_message(told.alerts[0], run_id=run_id, target=told.target, link=link_of(run_id))


def _digest(bundle: Bundle, document: Mapping[str, Any], runs: Sequence[Told]) -> Message:
    own = {entry["run_id"] for entry in document["runs"]}
    verdicts = {one.bundle.run_id: one.verdict for one in runs if one.bundle.run_id in own}
    target = next((one.target for one in runs if one.bundle.run_id in own), "demo")
    return messages.digest_message(
        document,
        verdicts,
        title=f"Suite {document['suite']}",
        target=target,
        link=link_of(bundle.run_id),
        bundle_uri=bundle_uri(bundle.run_id),
        report=report_of(bundle.run_id),
    )
