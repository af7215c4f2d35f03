"""The review after a suite's runs: from their bundles and the history to review.json, its Markdown and its page."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from include.loadtest import run
from include.loadtest.calendar import load_calendar
from include.loadtest.errors import LoadTestError, printable
from include.loadtest.orchestration.context import SuiteContext
from include.loadtest.profile.costs import load_costs
from include.loadtest.profile.optimisations import load_optimisations
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.reporting.decision import Standing
from include.loadtest.reporting.review import FILE, ReviewHead, Trends, review_document
from include.loadtest.reporting.review_page import review_html
from include.loadtest.reporting.review_text import review_markdown
from include.loadtest.reporting.reviewed_run import ReviewedRun
from include.loadtest.reporting.suite import SuiteEntry

LOG = logging.getLogger("loadtest")
MAX_LINE_CHARS = 1_000

ReadDocument = Callable[[SuiteEntry, str], Mapping[str, Any] | None]
"""The content of a JSON file of a run; None where it left none."""


def write_review(
    context: SuiteContext, entries: Sequence[SuiteEntry], read: ReadDocument, days: int, now: datetime
) -> None:
    """Write review.json, `load_test_review_<UTC>.md` and `.html` into the suite's bundle, and log the answer.

    The trends compare the last `days` days with the `days` before. A history that does not answer costs the trends, and
    what is open in it: the review says so. Raises ConfigError for an error in the files of costs or optimisations.
    """
    suite = context.suite
    uri = context.bundle_uri
    head = ReviewHead(context.bundle.run_id, suite.name, suite.title, context.target_name, days, now, uri)
    runs = [ReviewedRun(entry, read(entry, run.METRICS), read(entry, run.DIAGNOSIS)) for entry in entries]
    trends, standing = _trends(context, now, days), _standing(context, now)
    by_hand = load_optimisations().for_manual_review
    document = review_document(
        head, runs, load_costs(), trends, context.manifest(), standing=standing, manual_review=by_hand
    )
    context.bundle.write(FILE, document)
    name = f"load_test_review_{run.report_stamp(now)}"
    context.bundle.write_text(f"{name}.md", review_markdown(document))
    context.bundle.write_text(f"{name}.html", review_html(document))
    for sentence in document["answer"].values():
        LOG.info("review: %s", printable(sentence, MAX_LINE_CHARS))
    LOG.info("review: %s.html and .md in the suite's bundle", name)


def _trends(context: SuiteContext, now: datetime, days: int) -> Trends:
    from include.loadtest.history.database import connect
    from include.loadtest.history.trends import read_points, read_trends

    try:
        engine, target = connect(context.history_url), context.target_name
        points = read_points(engine, target, now, days)
        return Trends(read_trends(engine, target, now, days), points=points)
    except LoadTestError as error:
        LOG.warning("review: no trends: %s", error)
        return Trends(None, f"the history gave no answer ({error})")


def _standing(context: SuiteContext, now: datetime) -> Standing:
    from include.loadtest.history.database import connect
    from include.loadtest.history.standing import read_standing

    deadline = _next_deadline(context, now)
    try:
        document = read_standing(connect(context.history_url), context.target_name, now)
    except LoadTestError as error:
        LOG.warning("review: what is open in the history is not known: %s", error)
        return Standing(None, f"the history gave no answer ({error})", deadline)
    try:
        return Standing(document, next_deadline=deadline, silence=_silence(context, now))
    except LoadTestError as error:
        LOG.warning("review: whether the weekly suite is silent is not known: %s", error)
        return Standing(document, next_deadline=deadline, silence_missing=str(error))


def _silence(context: SuiteContext, now: datetime) -> str | None:
    """What the dead man's switch would say now; None where it is content, and for a target that it does not watch."""
    from include.loadtest.history.database import connect
    from include.loadtest.history.upkeep import installed_at, last_suite_verdict
    from include.loadtest.orchestration import settings
    from include.loadtest.orchestration.housekeeping_switch import SUITE, Nights, judge_silence

    if context.target_name != settings.default_target():
        return None
    engine, nights = connect(context.history_url), Nights(load_calendar(), context.has_blackouts)
    last, since = last_suite_verdict(engine, SUITE, context.target_name), installed_at(engine)
    finding = judge_silence(last, since, load_thresholds().silence_days, now, nights)
    return finding.text if finding.alarm else None


def _next_deadline(context: SuiteContext, now: datetime) -> str | None:
    """The next day on which the product's users are many, as the calendar has it; None for a target without them."""
    if not context.has_blackouts:
        return None
    found = load_calendar().next_deadline(now.date())
    return None if found is None else found.text()
