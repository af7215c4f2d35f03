"""Pictures of all messages: `python -m experiments.gallery RESULTS [RESULTS …]` (folders of bundles)."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from experiments.gallery.browser import photograph, served
from experiments.gallery.github_posts import issue_pages, pull_request_pages, site_pages
from experiments.gallery.runs import Told, told_runs
from experiments.gallery.slack_posts import Page, slack_pages
from include.embedded.airflow import HISTORY_DATABASE
from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.history.database import connect, upgrade
from include.loadtest.orchestration.selftest import judging, recordings
from include.loadtest.profile.tickets import load_ticket_rules
from include.loadtest.reporting.plot import write_plot
from include.loadtest.reporting.report import write_reports
from include.loadtest.verdict import GREEN, Verdict

PICTURES = Path(__file__).parents[2] / "docs" / "pictures" / "messages"


def main(folders: Sequence[Path]) -> int:
    """Make the pictures of what the runs in the folders can show, and name what no run shows."""
    runs = told_runs(folders)
    by_verdict = {word: found[0] for word in Verdict if (found := [one for one in runs if _has(one, word)])}
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="loadtest-gallery-") as name, served(Path(name)) as address:
        folder = Path(name)
        if Verdict.REGRESSION not in by_verdict and (recorded := _recorded_regression(folder)) is not None:
            by_verdict[Verdict.REGRESSION] = recorded
        for word in (word for word in Verdict if word not in by_verdict):
            print(f"no run has the verdict {word}: its picture stays as it is")
        for page in _pages(runs, {str(word): told for word, told in by_verdict.items()}, folders, folder):
            (folder / f"{page.name}.html").write_text(page.html, encoding="utf-8")
            picture = PICTURES / f"{page.name}.png"
            photograph(f"{address}/{page.name}.html", picture, page.width_px, page.height_px)
            print(f"{picture.name}: {page.text} ({picture.stat().st_size / 1000:.0f} kB)")
    return 0


def _has(told: Told, word: str) -> bool:
    return bool(told.verdict["verdict"] == word)


def _pages(runs: Sequence[Told], by_verdict: dict[str, Told], folders: Sequence[Path], folder: Path) -> Iterator[Page]:
    breach = by_verdict.get("SLA_BREACH")
    plot = None
    if breach is not None:
        breach = _reported(breach, folder)
        by_verdict["SLA_BREACH"] = breach
        plot = run.PLOT if breach.bundle.has(run.PLOT) else None
        if plot:
            shutil.copy(breach.bundle.path / plot, folder / plot)
    yield from slack_pages(runs, by_verdict, folders, folder, plot)
    if breach is not None:
        with _history(folder) as engine:
            yield from issue_pages(engine, *_story(runs, breach))
        yield from site_pages(runs, breach, folder)
    for told in (one for one in runs if one.profile.name == "smoke" and _has(one, "PASS")):
        yield from pull_request_pages(told)
        break
    if breach is not None:
        yield from pull_request_pages(breach)


def _recorded_regression(folder: Path) -> Told | None:
    """The regression that the alarm's self-test has recorded: a real one takes many runs."""
    if not (recordings.FOLDER / judging.SUSPECT).is_dir():
        return None
    bench = judging.Bench(folder / "recorded")
    concluded = judging.conclusion_of(bench, judging.SUSPECT)
    bundle = bench.opened(judging.SUSPECT)
    bundle.write(run.COMPARISON, concluded.comparison or {})
    return Told(bundle)


def _reported(told: Told, folder: Path) -> Told:
    """A copy of the run, with the reports and the plot of today."""
    copy = Bundle(folder / "bundles" / told.bundle.run_id)
    shutil.copytree(told.bundle.path, copy.path)
    copy.write(run.VERDICT, told.verdict)
    if told.comparison is not None:
        copy.write(run.COMPARISON, told.comparison)
    write_plot(copy, told.profile)
    write_reports(copy, datetime.now(UTC))
    return Told(copy)


def _story(runs: Sequence[Told], breach: Told) -> tuple[list[Told], list[Told]]:
    """The run and another bad one of the same cause, then as many clean ones as close an issue."""
    like = [one for one in runs if (one.profile.name, one.target) == (breach.profile.name, breach.target)]
    again = [one for one in like if _has(one, "SLA_BREACH") and one.cause == breach.cause]
    other = [one for one in again if one.bundle.run_id != breach.bundle.run_id][:1]
    clean = [one for one in like if one.verdict["verdict"] in GREEN and one.cause is None]
    closing = clean[: load_ticket_rules().close_after_clean_runs]
    return [breach, *other], sorted(closing, key=lambda one: str(one.manifest["started"]))


@contextmanager
def _history(folder: Path) -> Iterator[Engine]:
    server = start_postgres(folder / "history", settings={"fsync": "off"})
    try:
        ensure_database(server, HISTORY_DATABASE)
        upgrade(server.url(HISTORY_DATABASE))
        yield connect(server.url(HISTORY_DATABASE))
    finally:
        stop_postgres(server)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("python -m experiments.gallery RESULTS [RESULTS …]: name folders of bundles, as load_test_results")
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
