"""From a template and its values to a page. Every value is escaped; a value that a template misses is an error."""

from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from include.loadtest.orchestration.web.links import airflow_link, link
from include.loadtest.orchestration.web.static_files import has_static, static_link
from include.loadtest.verdict import verdict_mark

TEMPLATES = Path(__file__).parent / "templates"
REPORT_TEMPLATES = Path(__file__).parents[2] / "reporting" / "page" / "templates"
"""The report's own parts, as `report/NAME`: what both show, they show alike."""


def render(request: Request, template: str, *, status: int = 200, active: str = "", **context: Any) -> HTMLResponse:
    """A page. `active`: which entry of the navigation it belongs to (overview, trends, compare, docs).

    Templates have `link(*parts, **query)`, `airflow_link(*parts)` and `static(name)` for addresses.
    """
    addresses = {
        "link": partial(link, request),
        "airflow_link": partial(airflow_link, request),
        "static": partial(static_link, request),
        "has_static": has_static,
    }
    text = _environment().get_template(template).render(**addresses, active=active, **context)
    return HTMLResponse(text, status_code=status)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            [FileSystemLoader(TEMPLATES), PrefixLoader({"report": FileSystemLoader(REPORT_TEMPLATES)})]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"mark": verdict_mark, "moment": _moment, "utc": _utc}
    return environment


def _moment(value: datetime | str) -> str:
    """A time for people, in UTC."""
    moment = _read(value)
    return str(value) if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def _utc(value: datetime | str) -> str:
    """A time for programs."""
    moment = _read(value)
    return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _read(value: datetime | str) -> datetime | None:
    """Files of a bundle have times as texts; what is none is shown as it is."""
    try:
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    except ValueError:
        return None
