"""The reports of a run, wherever they are written: JSON, Markdown, and the page for people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.loadtest import run
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.deliveries import harmless
from include.loadtest.reporting.page.report_page import write_report_page
from include.loadtest.reporting.report import write_reports

Charts = Mapping[str, Any]


def write_run_reports(context: RunContext, now: datetime, charts: Charts | None = None) -> Charts | None:
    """Write all reports; what goes wrong with the page costs only the page. Returns what the page draws.

    An earlier page is removed first: it may have another verdict, and none is better than a wrong one. `charts`: what
    an earlier call returned: to write the same reports again reads no sample again.
    """
    (context.bundle.path / run.REPORT_PAGE).unlink(missing_ok=True)
    report = write_reports(context.bundle, now, context.not_configured)
    with harmless("there is no report.html"):
        return write_report_page(context.bundle, report, charts)
    return charts
