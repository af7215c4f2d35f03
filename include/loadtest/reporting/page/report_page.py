"""report.html: verdict, figures, charts and conclusions of a run in one file that asks nobody for anything."""

from collections.abc import Mapping
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.reporting.page.render import render
from include.loadtest.reporting.page.view import page_context

Row = Mapping[str, Any]


def report_html(report: Row, charts: Row | None) -> str:
    """The page. `report`: of `report.build_report`; `charts`: of `chart_data`, None for a run without samples."""
    return render("report.html.jinja", **page_context(report, charts))


def write_report_page(bundle: Bundle, report: Row, charts: Row | None = None) -> Row | None:
    """Write the page of a run into its bundle; returns what it drew, None for a run without samples.

    `charts`: what an earlier call returned, so that the samples are read once only.
    """
    from include.loadtest.reporting.chart_data import chart_data

    drawn = chart_data(bundle) if charts is None else charts
    bundle.write_text(run.REPORT_PAGE, report_html(report, drawn))
    return drawn
