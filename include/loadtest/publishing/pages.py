"""Reports on GitHub Pages: which files of a bundle are published, and the row that says so. Samples never are."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine

from include.loadtest import run
from include.loadtest.history import outbox
from include.loadtest.publishing import GITHUB_CONNECTION
from include.loadtest.publishing.delivery import Budget, DeliveryError, Handler
from include.loadtest.publishing.github import GitHubSettings, github_errors, repository
from include.loadtest.publishing.pages_branch import INDEX_PAGE, SITE, Publication, publish
from include.loadtest.publishing.pages_index import IndexEntry
from include.loadtest.publishing.pages_site import run_page
from include.loadtest.reporting import suite
from include.loadtest.target.urls import without_passwords

PAGE = "page"
MAX_FILE_BYTES = 10_000_000
MAX_FILES_BYTES = 20_000_000
"""A larger file stays in the bundle and is not named on the page; so do the largest where all together are more."""
SUMMARY = re.compile(r"load_test_summary_\d{8}_\d{6}\.md")
_REPORT = re.compile(r"load_test_report_\d{8}_\d{6}\.json")
_TEXTS = (run.REPORT_PAGE, run.LOCUST_HTML, run.K6_HTML, run.VERDICT, suite.FILE)

ReadFile = Callable[[str, str], bytes | None]
ListFiles = Callable[[str], list[str]]


def put_page(engine: Engine, *, run_id: str, bundle_uri: str, entry: IndexEntry) -> None:
    """Ask for the publication of a run's or a suite's report; asked again it is published anew, in the same place."""
    key, payload = f"github/page/{run_id}", {"bundle_uri": bundle_uri, "run_id": run_id, "entry": asdict(entry)}
    outbox.put(
        engine,
        outbox.Delivery(
            key=key,
            service="github",
            kind=PAGE,
            lane=key,  # what fails holds up no other page; publishing bears others who write to the branch
            subject=run_id,
            payload=payload,
        ),
    )
    outbox.touch(engine, key)  # the line may be the same where the report is another


def page_url(settings: GitHubSettings, run_id: str) -> str | None:
    """Where the report will be read, known before it is published; None where that is not set."""
    if settings.pages_branch is None or settings.pages_url is None:
        return None
    return f"{settings.pages_url.rstrip('/')}/{SITE}/{run_id}/"


def page_handlers(settings: GitHubSettings, *, read_file: ReadFile, list_files: ListFiles) -> dict[str, Handler]:
    """Who publishes a row of the kind `page`. Its receipt: {"url": where it is read, null if not known, "kept": bool}.

    `read_file` gives a file of a bundle (None where it is not there), `list_files` the names of a bundle's files.
    """

    def handle(row: outbox.Row, budget: Budget) -> Mapping[str, Any]:
        entry = IndexEntry.checked(row.payload["entry"])
        if entry is None:
            raise DeliveryError("a page without the id of a run: a fault of this program", is_permanent=True)
        uri = str(row.payload["bundle_uri"])
        publication = publication_of(entry, list_files(uri), lambda name: read_file(uri, name))
        return publish_page(settings, publication, budget)

    return {PAGE: handle}


def publish_page(settings: GitHubSettings, publication: Publication, budget: Budget) -> dict[str, Any]:
    """Publish now. Returns the receipt; raises DeliveryError and OutOfTime."""
    if settings.pages_branch is None:
        text = f"set pages_branch in the extra of connection {GITHUB_CONNECTION}, or nothing is published"
        raise DeliveryError(text, is_service_wide=False)
    with github_errors():
        is_kept = publish(repository(settings, budget), settings.pages_branch, publication)
    return {"url": page_url(settings, publication.entry.run_id) if is_kept else None, "kept": is_kept}


def publication_of(entry: IndexEntry, names: Iterable[str], read: Callable[[str], bytes | None]) -> Publication:
    """What is published of a bundle with the files `names`. Raises DeliveryError where there is no summary to show.

    It may come: a task's bundle is copied to where it is kept only when the task ends.
    """
    there = sorted(names)
    if (summary := _text(_latest(SUMMARY, there), read)) is None:
        missing = f"there is no summary of {entry.run_id} to publish where its bundle is kept (yet)"
        raise DeliveryError(missing, is_service_wide=False)
    files: dict[str, str | bytes] = {}
    for name in (*(name for name in _TEXTS if name in there), _latest(_REPORT, there)):
        if name is not None and (text := _text(name, read)) is not None:
            files[name] = text
    plot = _content(run.PLOT if run.PLOT in there else None, read)
    if plot is not None:
        files[run.PLOT] = plot
    files = _bounded(files)
    page = run_page(entry, without_passwords(summary), list(files), run.PLOT if run.PLOT in files else None)
    return Publication(entry, {INDEX_PAGE: page} | files)


def _bounded(files: Mapping[str, str | bytes]) -> dict[str, str | bytes]:
    """The files without the largest, until all together are small enough."""
    sizes = {name: len(content.encode() if isinstance(content, str) else content) for name, content in files.items()}
    while sum(sizes.values()) > MAX_FILES_BYTES:
        del sizes[max(sizes, key=sizes.__getitem__)]
    return {name: files[name] for name in sizes}


def _latest(pattern: re.Pattern[str], names: Iterable[str]) -> str | None:
    return max((name for name in names if pattern.fullmatch(name)), default=None)


def _text(name: str | None, read: Callable[[str], bytes | None]) -> str | None:
    content = _content(name, read)
    return None if content is None else without_passwords(content.decode("utf-8", errors="replace"))


def _content(name: str | None, read: Callable[[str], bytes | None]) -> bytes | None:
    content = None if name is None else read(name)
    return None if content is None or len(content) > MAX_FILE_BYTES else content
