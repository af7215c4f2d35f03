"""The live page of a run: what it does now, what its load shows, and whether its report is there."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from include.loadtest.live.page_state import log_of
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.files import REPORT
from include.loadtest.orchestration.web.links import link
from include.loadtest.orchestration.web.missing import bundle_or_404
from include.loadtest.orchestration.web.progress import progress_of
from include.loadtest.orchestration.web.sources import StoredBundle

_DOCS_PAGE = re.compile(r"docs(/[a-z0-9_-]+)+\.md")

router = APIRouter(dependencies=[READS])


@router.get("/runs/{run_id}/live")
def live(run_id: str, request: Request) -> Response:
    """All that the live page shows, as JSON; 304 where nothing has changed since the ETag that is sent along."""
    found = document(bundle_or_404(run_id), datetime.now(UTC))
    age_s = found["state"].pop("age_s")
    tag = f'"{hashlib.sha256(_json(found)).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "no-store"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    _link_pages(request, found)
    found["state"]["age_s"] = age_s
    return Response(_json(found), media_type="application/json", headers=headers)


def document(bundle: StoredBundle, now: datetime) -> dict[str, Any]:
    """What is known of a run at `now`. `verdict` is not final before `is_over`."""
    found = progress_of(bundle, now)
    return {
        "schema": 1,
        "run_id": bundle.run_id,
        "has_report": found.verdict is not None and bundle.has(REPORT),
        "is_over": found.is_final,
        "verdict": None if found.verdict is None else str(found.verdict["verdict"]),
        "badge": asdict(found.badge),
        "state": asdict(found.state),
        "log": log_of(found.live),
        "load": None if found.live is None else found.live.get("load"),
    }


def _link_pages(request: Request, found: Mapping[str, Any]) -> None:
    """Pages of alerts become addresses of this app."""
    alerts = (found["load"] or {}).get("alerts") or []
    for entry in (*alerts, *found["log"]):
        page = str(entry.get("page") or "")
        entry["page"] = link(request, *page.split("/")) if _DOCS_PAGE.fullmatch(page) else None


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
