"""From a template and its values to HTML. Every value is escaped; a value that a template misses is an error."""

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from include.loadtest.reporting.page.svg import meter, sparkline

HERE = Path(__file__).parent
STYLES = ("uPlot.min.css", "theme.css", "report.css")
SCRIPTS = ("uPlot.iife.min.js", "charts.js", "report.js")
_DIGITS = 5
"""Significant digits of a value in a chart; tables have their figures from the report."""


def render(template: str, **context: Any) -> str:
    """The text of a template. Raises jinja2.UndefinedError for a value that it misses."""
    return environment().get_template(template).render(**context)


@cache
def environment() -> Environment:
    """With autoescape, whatever a template is called."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["styles"], made.globals["scripts"] = style(), scripts()
    made.globals["policy"] = policy(style(), scripts())
    made.globals["sparkline"], made.globals["meter"] = sparkline, meter
    return made


@cache
def style() -> Markup:
    """All styles of the page, one text."""
    return Markup("\n".join(asset(name) for name in STYLES))  # noqa: S704 - files of this package


@cache
def scripts() -> tuple[Markup, ...]:
    """The scripts of the page in their order."""
    return tuple(Markup(asset(name)) for name in SCRIPTS)  # noqa: S704 - files of this package


def policy(style_text: str, script_texts: Iterable[str]) -> str:
    """A Content-Security-Policy that lets exactly these texts run and style the page, and nothing be fetched."""
    script_hashes = " ".join(_source(text) for text in script_texts)
    return (
        f"default-src 'none'; img-src data:; script-src {script_hashes}; style-src {_source(style_text)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def asset(name: str) -> str:
    """A file of the folder `assets`."""
    return (HERE / "assets" / name).read_text(encoding="utf-8")


def embedded_json(content: Any) -> Markup:
    """JSON for a script element that is no script: nothing in it can end the element, floats are rounded."""
    text = json.dumps(_rounded(content), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704 - escaped


def _rounded(content: Any) -> Any:
    if isinstance(content, float):
        return round(content, 3) if abs(content) >= 1e5 else float(f"{content:.{_DIGITS}g}")
    if isinstance(content, dict):
        return {key: _rounded(value) for key, value in content.items()}
    return [_rounded(item) for item in content] if isinstance(content, list | tuple) else content
