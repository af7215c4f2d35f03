"""Files of bundles: the report as a page in a sandbox, the others as downloads, by an allow-list of names."""

import re

from fastapi import APIRouter, HTTPException, Response

from include.loadtest import run
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.missing import bundle_or_404
from include.loadtest.reporting.review import FILE as REVIEW_FILE
from include.loadtest.reporting.suite import FILE as SUITE_FILE

REPORT = "report.html"
REVIEW = re.compile(r"load_test_review_\d{8}_\d{6}\.html")
SANDBOX = "allow-scripts allow-popups allow-popups-to-escape-sandbox allow-modals"
"""What a stored page may do: nothing as the user, as it has an origin of its own.

A page that it links opens in a tab of its own, outside of the sandbox, as the user would open it: without the sandbox's
origin, so that pages of the documentation have their styles, and can be read after a login.
"""
STORED_PAGE = (
    f"sandbox {SANDBOX}; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The policy of a stored page: it brings all that it needs, and asks nothing of anybody."""
_DOWNLOADS = frozenset(
    {
        *(
            run.MANIFEST,
            run.METRICS,
            run.VALIDATION,
            run.COMPARISON,
            run.DIAGNOSIS,
            run.VERDICT,
            run.ALERTS,
            run.CHECKS,
        ),
        *(run.ERRORS, run.PLOT, run.LOCUST_HTML, run.K6_HTML, REPORT, SUITE_FILE, REVIEW_FILE),
        *("performance_snapshots.json", "performance_baseline.json", "generator.log", "collectors.log"),
    }
)
_STAMPED = re.compile(r"load_test_(report|summary|review)_\d{8}_\d{6}\.(json|md|html)")

router = APIRouter(dependencies=[READS])


def is_download(name: str) -> bool:
    """Whether a file of a bundle is given out: what says something about the run, no samples and nothing else."""
    return name in _DOWNLOADS or _STAMPED.fullmatch(name) is not None


@router.get("/runs/{run_id}/report")
def report(run_id: str) -> Response:
    """The run's report, as it was written."""
    return _stored_page(run_id, REPORT)


@router.get("/suites/{run_id}/review")
def review(run_id: str) -> Response:
    """The newest review of a suite, as it was written."""
    name = latest_review(bundle_or_404(run_id).names())
    return _stored_page(run_id, name or "review")


def latest_review(names: list[str]) -> str | None:
    """The newest review page among a bundle's files."""
    return max((name for name in names if REVIEW.fullmatch(name)), default=None)


def _stored_page(run_id: str, name: str) -> Response:
    content = bundle_or_404(run_id).read(name)
    if content is None:
        raise HTTPException(404, f"{run_id} has no {name}")
    headers = {"Content-Security-Policy": STORED_PAGE}
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/runs/{run_id}/files/{name}")
def download(run_id: str, name: str) -> Response:
    """One file of a bundle of a run or a suite, to keep; never shown as a page."""
    bundle = bundle_or_404(run_id)
    content = bundle.read(name) if is_download(name) else None
    if content is None:
        raise HTTPException(404, f"{run_id} has no such file to download")
    headers = {
        "Content-Disposition": f'attachment; filename="{run_id}-{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)
