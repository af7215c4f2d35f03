"""k6's own end-of-test summary as a page of its own: one file, nothing loaded from elsewhere, all text escaped."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile
from include.loadtest.run import K6_HTML
from include.loadtest.runners.generator import exit_meaning

LOG = logging.getLogger("loadtest.runner")
MAX_SUMMARY_BYTES = 8 * 1024 * 1024
_UNIT_OF = {"time": "ms", "data": "bytes", "default": ""}
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2rem}th,td{padding:.3rem .6rem;text-align:right;"
    "border-bottom:1px solid #ccc;vertical-align:top}th:first-child,td:first-child{text-align:left}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}th,td{border-color:#444}}"
)


def write_summary(summary: Path, bundle: Bundle, profile: Profile, exit_code: int) -> None:
    """Write `k6_summary.html` into the bundle; a k6 that was killed leaves no summary, and so no page."""
    try:
        if summary.stat().st_size > MAX_SUMMARY_BYTES:
            raise ValueError("too large")
        content = json.loads(summary.read_text(encoding="utf-8"))
        bundle.write_text(K6_HTML, page(content, bundle.run_id, profile, exit_code))
    except FileNotFoundError:
        LOG.warning("k6 left no summary of its own, so there is no %s; the samples are not concerned", K6_HTML)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        LOG.warning("%s was not written: k6's summary cannot be read (%s)", K6_HTML, type(error).__name__)


def page(summary: Mapping[str, Any], run_id: str, profile: Profile, exit_code: int) -> str:
    """The page. Raises KeyError, TypeError or AttributeError for what is no summary of k6's."""
    metrics: Mapping[str, Mapping[str, Any]] = summary["metrics"]
    duration_s = summary["state"]["testRunDurationMs"] / 1000
    head = f"{escape(profile.title)}: what k6 counted"
    note = (
        "All phases of the load together, times without the users' waiting for the generator. Verdicts come from the "
        "samples of the run, never from this page, its thresholds or an exit code."
    )
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{head}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{head}</h1>",
            f"<p>Run {escape(run_id)}, {duration_s:,.1f} s, {escape(exit_meaning('k6', exit_code))}.</p>",
            f"<p>{note}</p>",
            "<h2>k6's own thresholds</h2>",
            _table(("metric", "threshold", "result"), _threshold_rows(metrics), "The profile gives k6 no threshold."),
            "<h2>Metrics</h2>",
            _table(("metric", "unit", "values"), _metric_rows(metrics), "k6 counted nothing."),
            "</body></html>\n",
        ]
    )


def _threshold_rows(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for name, metric in sorted(metrics.items()):
        for expression, result in metric.get("thresholds", {}).items():
            yield name, expression, "met" if result["ok"] else "crossed"


def _metric_rows(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for name, metric in sorted(metrics.items()):
        values = ", ".join(f"{key} {_number(value)}" for key, value in metric["values"].items())
        yield name, _UNIT_OF.get(metric["contains"], ""), values


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], empty: str) -> str:
    lines = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    if not lines:
        return f"<p>{escape(empty)}</p>"
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
