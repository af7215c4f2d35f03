"""The GitHub pictures: an issue from its opening to its closing, a pull request's comment and check, the pages."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from experiments.gallery.github_html import MARKS, STYLE, box, check_run, issue
from experiments.gallery.runs import Told
from experiments.gallery.slack_posts import Page, bundle_uri, link_of, report_of
from include.loadtest import run
from include.loadtest.history import outbox
from include.loadtest.profile.tickets import load_ticket_rules
from include.loadtest.publishing.pages import publication_of
from include.loadtest.publishing.pages_index import entry_of
from include.loadtest.publishing.pages_site import index_page
from include.loadtest.publishing.pull_request import CHECK_NAME, check_of
from include.loadtest.publishing.pull_request_text import pull_request_text
from include.loadtest.publishing.tickets import TicketRun, file_tickets

WIDTH_PX = 890
PAGE_HEIGHT_PX = 1000
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _page(name: str, text: str, content: str) -> Page:
    return Page(name, text, f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{content}", WIDTH_PX)


def issue_pages(engine: Engine, bad: Sequence[Told], clean: Sequence[Told]) -> Iterator[Page]:
    """The issue of the first bad run, the comment of the second, and that of the last clean one."""
    payloads = [payload for told in (*bad, *clean) if (payload := _filed(engine, told)) is not None]
    texts = {
        "opened": ("github-issue", "A new issue"),
        "updated": ("github-comment-updated", "The comment of the next bad run"),
        "closed": ("github-comment-closed", "The comment that closes it"),
    }
    for payload in payloads:
        if payload["kind"] in texts:
            name, text = texts.pop(payload["kind"])
            content = issue(1, payload, state="open") if payload["body"] and not payload["comment"] else ""
            yield _page(name, text, content or box(payload["comment"]))


def _filed(engine: Engine, told: Told) -> Mapping[str, Any] | None:
    """What the run has to tell at its issue; None for nothing."""
    run_id = told.bundle.run_id
    about = TicketRun(
        run_id=run_id,
        profile=told.profile.name,
        target=told.target,
        parameters=told.manifest["parameters"],
        started=told.manifest["started"],
        link=link_of(run_id),
        report_url=report_of(run_id),
        bundle_uri=bundle_uri(run_id),
    )
    file_tickets(
        engine,
        about,
        verdict=told.verdict,
        metrics=told.read(run.METRICS),
        comparison=told.comparison,
        diagnosis=told.diagnosis,
        rules=load_ticket_rules(),
    )
    rows = outbox.rows_of(engine, run_id)
    return rows[0].payload if rows else None


def pull_request_pages(told: Told) -> Iterator[Page]:
    """The one comment of a pull request, and the check of its commit."""
    text = pull_request_text(
        verdict=told.verdict,
        metrics=told.read(run.METRICS),
        comparison=told.comparison,
        diagnosis=told.diagnosis,
        link_to_run=link_of(told.bundle.run_id),
        report_url=report_of(told.bundle.run_id),
        commit=COMMIT,
    )
    word = told.verdict["verdict"]
    stem = str(word).lower().replace("_", "-")
    yield _page(f"github-pull-request-{stem}", f"A pull request's comment with the verdict {word}", box(text))
    check = check_of(told.verdict, COMMIT, text, report_of(told.bundle.run_id))
    title = f"{CHECK_NAME}: {check.title}"
    yield _page(f"github-check-{stem}", "The check of its commit", check_run(title, check.conclusion, [check.summary]))


def site_pages(runs: Sequence[Told], shown: Told, folder: Path) -> Iterator[Page]:
    """The published list and one report; the files that the report shows are put into `folder`."""
    entries = [entry_of(told.verdict, told.manifest) for told in runs]
    latest = sorted(entries, key=lambda entry: (entry.began, entry.run_id), reverse=True)
    yield Page("pages-index", "The published list of runs", _with_marks(index_page(latest[:12])), WIDTH_PX)
    names = [path.name for path in shown.bundle.path.iterdir() if path.is_file()]
    publication = publication_of(
        entry_of(shown.verdict, shown.manifest), names, lambda name: (shown.bundle.path / name).read_bytes()
    )
    for name, content in publication.files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
    html = _with_marks(str(publication.files["index.html"]))
    yield Page("pages-report", "A published report (its beginning)", html, WIDTH_PX, PAGE_HEIGHT_PX)


def _with_marks(html: str) -> str:
    """The same with coloured marks, as a reader's own machine shows them."""
    return html.replace("<style>", f"<style>{MARKS}", 1).replace("system-ui", "Marks,system-ui", 1)
