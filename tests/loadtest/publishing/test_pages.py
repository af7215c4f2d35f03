import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from include.loadtest.history import outbox
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.delivery import Budget, DeliveryError, OutOfTime
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.pages import (
    MAX_FILE_BYTES,
    page_handlers,
    page_url,
    publication_of,
    publish_page,
    put_page,
)
from include.loadtest.publishing.pages_branch import Publication
from include.loadtest.publishing.pages_index import IndexEntry
from tests.helpers.github_service import REPOSITORY, TOKEN, GitHubService, Trouble, github_service

pytestmark = pytest.mark.integration
RUN, BRANCH, URL = "smoke-20260105-060000-abc123", "gh-pages", "https://example.github.io/assistant"
ENTRY = IndexEntry(RUN, "PASS", "smoke", None, "demo", "2026-01-05T06:00:00.000000Z")
SECRET = "s3cretPassw0rd"
ADDRESS = f"postgresql://app:{SECRET}@db.example:5432/app?sslmode=require&password={SECRET}"
SUMMARY, REPORT = "load_test_summary_20260105_060200.md", "load_test_report_20260105_060200.json"
FILES = {
    SUMMARY: f"# ✅ PASS: Smoke\n\nDatabase `{ADDRESS}`\n\n## Limits\n".encode(),
    "load_test_summary_20260105_060100.md": b"# old\n",
    REPORT: json.dumps({"address": ADDRESS}).encode(),
    "load_test_report_20260105_060100.json": b"{}",
    "verdict.json": b'{"verdict": "PASS"}',
    "locust_results.html": f"<p>{ADDRESS.replace('&', '&amp;')}</p>".encode(),
    "load_test_plot.png": b"\x89PNG",
    "manifest.json": ADDRESS.encode(),
    "generator.log": ADDRESS.encode(),
    "metrics.json": b"{}",
}
SHOWN = {"index.html", "locust_results.html", "verdict.json", REPORT, "load_test_plot.png"}


@pytest.fixture
def github() -> Iterator[GitHubService]:
    with github_service() as service:
        yield service
    assert service.faults == []


@pytest.fixture
def settings(github: GitHubService) -> GitHubSettings:
    return GitHubSettings.checked(TOKEN, REPOSITORY, github.url, BRANCH, f"{URL}/")


def made(files: dict[str, bytes] | None = None) -> Publication:
    there = FILES if files is None else files
    return publication_of(ENTRY, list(there), there.get)


def test_a_row_is_published_where_its_url_says(engine: Engine, github: GitHubService, settings: GitHubSettings) -> None:
    """Through the outbox; the receipt has the address that was known before."""
    put_page(engine, run_id=RUN, bundle_uri="s3://results/smoke", entry=ENTRY)
    asked: list[tuple[str, str]] = []

    def read(uri: str, name: str) -> bytes | None:
        asked.append((uri, name))
        return FILES.get(name)

    handlers = page_handlers(settings, read_file=read, list_files=lambda _: sorted(FILES))
    outcome = Courier(engine, handlers).deliver(within_s=20.0, call_s=5.0)
    assert (outcome.delivered, outcome.failed, outcome.left) == (1, (), 0)
    [row] = outbox.rows_of(engine, RUN)
    assert row.receipt == {"url": page_url(settings, RUN), "kept": True}
    assert page_url(settings, RUN) == f"{URL}/load-tests/{RUN}/"
    paths = {path for path in github.git.content(BRANCH) if RUN in path}
    assert paths == {f"load-tests/{RUN}/{name}" for name in SHOWN}
    assert {uri for uri, _ in asked} == {"s3://results/smoke"}


def test_a_page_that_is_asked_for_again_is_published_anew(
    engine: Engine, github: GitHubService, settings: GitHubSettings
) -> None:
    """The report may have changed though the line in the list has not."""
    entry, files = IndexEntry("quick-1", "PASS"), {SUMMARY: b"# first\n"}
    handlers = page_handlers(settings, read_file=lambda _, name: files.get(name), list_files=lambda _: list(files))
    for text in (b"# first\n", b"# second\n"):
        files[SUMMARY] = text
        put_page(engine, run_id="quick-1", bundle_uri="/results/quick-1", entry=entry)
        assert Courier(engine, handlers).deliver(within_s=20.0, call_s=5.0).delivered == 1
    assert b"<h1>second</h1>" in github.git.content(BRANCH)["load-tests/quick-1/index.html"]
    assert len(github.git.history(BRANCH)) == 2


def test_only_named_files_are_published_the_latest_of_each() -> None:
    """Neither manifest nor logs nor samples; the summary is the page itself."""
    one = made()
    assert set(one.files) == SHOWN
    assert one.files["load_test_plot.png"] == b"\x89PNG"
    page = str(one.files["index.html"])
    assert "<h1>✅ PASS: Smoke</h1>" in page
    assert [name for name in SHOWN - {"index.html", "load_test_plot.png"} if f'href="{name}"' not in page] == []


def test_no_address_has_its_password_on_the_page() -> None:
    """In the page, in JSON and in HTML alike; the rest of the address stays."""
    texts = [text for text in made().files.values() if isinstance(text, str)]
    assert not any(SECRET in text for text in texts)
    assert sum("app:***@db.example:5432/app?sslmode=require" in text for text in texts) == 3


def test_a_bundle_without_a_summary_is_not_published() -> None:
    """It may come, since a task's bundle is copied to where it is kept only at its end; no other page waits for it."""
    with pytest.raises(DeliveryError, match="there is no summary of smoke") as caught:
        made({"verdict.json": b"{}"})
    assert (caught.value.is_permanent, caught.value.is_service_wide) == (False, False)


def test_a_page_whose_bundle_is_not_there_yet_holds_up_no_other(
    engine: Engine, github: GitHubService, settings: GitHubSettings
) -> None:
    """It has a lane of its own, and is published once the bundle is there."""
    folders: dict[str, dict[str, bytes]] = {"late": {}, "there": FILES}
    handlers = page_handlers(
        settings, read_file=lambda uri, name: folders[uri].get(name), list_files=lambda uri: list(folders[uri])
    )
    for run_id, uri in (("late-1", "late"), ("there-1", "there")):
        put_page(engine, run_id=run_id, bundle_uri=uri, entry=IndexEntry(run_id, "PASS"))
    outcome = Courier(engine, handlers).deliver(within_s=20.0, call_s=5.0)
    assert (outcome.delivered, outcome.left) == (1, 1)
    folders["late"] = FILES
    outcome = Courier(engine, handlers).deliver(within_s=20.0, call_s=5.0, force=True)
    assert (outcome.delivered, outcome.left) == (1, 0)
    assert {"load-tests/late-1/index.html", "load-tests/there-1/index.html"} <= github.git.content(BRANCH).keys()


def test_a_file_that_is_too_large_stays_in_the_bundle() -> None:
    """And is not linked."""
    one = made({SUMMARY: b"# x\n", "locust_results.html": b"x" * (MAX_FILE_BYTES + 1)})
    assert set(one.files) == {"index.html"}
    assert "locust_results" not in str(one.files["index.html"])


def test_a_bundle_that_is_too_large_loses_its_largest_files() -> None:
    """What is left out is not linked; the small files, and a picture that fits, are there."""
    most = MAX_FILE_BYTES
    large = {"report.html": b"r" * (most - 1), "locust_results.html": b"l" * most, "k6_summary.html": b"k" * 1000}
    one = made({SUMMARY: b"# x\n", "verdict.json": b"{}", "load_test_plot.png": b"p" * 1000, **large})
    assert set(one.files) == {"index.html", "report.html", "k6_summary.html", "verdict.json", "load_test_plot.png"}
    page = str(one.files["index.html"])
    assert "locust_results" not in page
    assert 'src="load_test_plot.png"' in page


def test_a_suite_has_its_own_files() -> None:
    """suite.json instead of verdict.json."""
    assert set(made({SUMMARY: b"# x\n", "suite.json": b"{}"}).files) == {"index.html", "suite.json"}


def test_without_a_branch_nothing_is_published(github: GitHubService) -> None:
    """Pages may be public, so somebody has to ask for them."""
    settings = GitHubSettings.checked(TOKEN, REPOSITORY, github.url)
    assert page_url(settings, RUN) is None
    with pytest.raises(DeliveryError, match="set pages_branch in the extra") as caught:
        publish_page(settings, made(), Budget(10.0, 5.0))
    assert not caught.value.is_service_wide
    assert github.seen == []


def test_a_run_that_is_too_old_for_the_list_has_no_address(
    github: GitHubService, settings: GitHubSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery that waited for days does not push out newer runs."""
    monkeypatch.setattr("include.loadtest.publishing.pages_index.MOST_RUNS", 1)
    later = Publication(IndexEntry("smoke-2", time="2026-01-06T06:00:00.000000Z"), {"index.html": "x"})
    publish_page(settings, later, Budget(10.0, 5.0))
    assert publish_page(settings, made(), Budget(10.0, 5.0)) == {"url": None, "kept": False}
    assert len(github.git.history(BRANCH)) == 1


@pytest.mark.parametrize(
    ("trouble", "text"),
    [
        (Trouble(status=500), "GitHub has failed: HTTP 500"),
        (Trouble(slow_s=60), "GitHub has not answered within 1.0 s"),
        (Trouble(is_cut=True), "GitHub cannot be reached"),
    ],
)
def test_a_github_that_fails_is_told_and_tried_again(
    github: GitHubService, settings: GitHubSettings, trouble: Trouble, text: str
) -> None:
    """At the last call as at the first; the next attempt completes what is missing."""
    github.troubles["git/create-ref"] = trouble
    with pytest.raises(DeliveryError, match=text) as caught:
        publish_page(settings, made(), Budget(10.0, 1.0))
    assert not caught.value.is_permanent
    github.troubles.clear()
    assert publish_page(settings, made(), Budget(10.0, 5.0))["kept"]


def test_without_time_left_no_call_is_begun(github: GitHubService, settings: GitHubSettings) -> None:
    """The row keeps its place."""
    with pytest.raises(OutOfTime):
        publish_page(settings, made(), Budget(0.1, 5.0))
    assert github.seen == []


def test_a_row_that_names_no_run_is_refused(settings: GitHubSettings) -> None:
    """Its id would become a path."""
    moment = datetime.now(UTC)
    payload = {"bundle_uri": "x", "entry": asdict(ENTRY) | {"run_id": ".."}}
    row = outbox.Row(
        *(1, "k", "github", "page", "github/pages", RUN, payload, 1, 0, {}, 0, False),
        **{"next_attempt": moment, "expires": None, "last_error": None, "created": moment, "updated": moment},
        delivered_at=None,
        given_up_at=None,
    )
    handlers = page_handlers(settings, read_file=lambda *_: None, list_files=lambda _: [])
    with pytest.raises(DeliveryError, match="without the id of a run"):
        handlers["page"](row, Budget(10.0, 5.0))
