"""The review after a suite's runs: from their bundles and the history to review.json and its Markdown."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from include.loadtest import run
from include.loadtest.errors import LoadTestError, printable
from include.loadtest.orchestration.context import SuiteContext
from include.loadtest.profile.costs import load_costs
from include.loadtest.profile.optimisations import load_optimisations
from include.loadtest.reporting.review import FILE, ReviewHead, Trends, review_document
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
    """Write review.json and `load_test_review_<UTC>.md` into the suite's bundle, and log the answer.

    The trends compare the last `days` days with the `days` before. A history that does not answer costs the trends
    only: the review says so. Raises ConfigError for an error in the files of costs or optimisations.
    """
    suite = context.suite
    head = ReviewHead(context.bundle.run_id, suite.name, suite.title, context.target_name, days, now)
    runs = [ReviewedRun(entry, read(entry, run.METRICS), read(entry, run.DIAGNOSIS)) for entry in entries]
    trends, by_hand = _trends(context, now, days), load_optimisations().for_manual_review
    document = review_document(head, runs, load_costs(), trends, context.manifest(), manual_review=by_hand)
    context.bundle.write(FILE, document)
    name = f"load_test_review_{run.report_stamp(now)}.md"
    context.bundle.write_text(name, review_markdown(document))
    for sentence in document["answer"].values():
        LOG.info("review: %s", printable(sentence, MAX_LINE_CHARS))
    LOG.info("review: %s in the suite's bundle", name)


def _trends(context: SuiteContext, now: datetime, days: int) -> Trends:
    from include.loadtest.history.database import connect
    from include.loadtest.history.trends import read_trends

    try:
        return Trends(read_trends(connect(context.history_url), context.target_name, now, days))
    except LoadTestError as error:
        LOG.warning("review: no trends: %s", error)
        return Trends(None, f"the history gave no answer ({error})")
