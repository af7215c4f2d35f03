"""A review as one HTML file for people who decide: four answers first, then decisions, trends and what they rest on.

It asks nobody for anything, and text from anywhere is only text in it. What a table says is written once, for the
Markdown; only the answers, the decisions and the pictures are the page's own.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from include.loadtest.errors import printable
from include.loadtest.reporting.markdown import figure, moment
from include.loadtest.reporting.review import ANSWERED_METRIC
from include.loadtest.reporting.review_chart import trend_chart
from include.loadtest.reporting.review_text import chapters

Row = Mapping[str, Any]

STYLES = ("theme.css", "report.css", "review.css")
SCRIPT = "report.js"
MAX_CHARS = 4096
_NOT_KNOWN = "Not known"


def review_html(review: Row) -> str:
    """The page of a `review_document`."""
    from include.loadtest.reporting.page.render import policy, render

    style, script = _assets()
    return render(
        "review.html.jinja",
        review=review,
        written=moment(review["written"]),
        tiles=_harmless(_tiles(review)),
        decisions=_harmless(review["decisions"]),
        charts=_charts(review),
        chapters=_chapters(review),
        review_style=style,
        review_script=script,
        review_policy=policy(style, [script]),
    )


def _harmless(value: Any) -> Any:
    """Texts without control characters, on one line; the template escapes them."""
    if isinstance(value, str):
        return printable(value, MAX_CHARS)
    if isinstance(value, dict):
        return {key: _harmless(part) for key, part in value.items()}
    return [_harmless(part) for part in value] if isinstance(value, list) else value


@cache
def _assets() -> tuple[Markup, Markup]:
    from include.loadtest.reporting.page.render import asset

    style = Markup("\n".join(asset(name) for name in STYLES))  # noqa: S704 - files of this package
    return style, Markup(asset(SCRIPT))  # noqa: S704 - a file of this package


def _tiles(review: Row) -> list[dict[str, str]]:
    """The four questions, the answer of each in a word or two, and in sentences."""
    answer = review["answer"]
    return [
        {"question": "How many users do we carry?", "short": _carried(review["capacity"]), "text": answer["carries"]},
        {"question": "What to buy?", "short": _bought(review["recommendations"]), "text": answer["buy"]},
        {"question": "What changed?", "short": _moved(review["trends"]), "text": answer["changed"]},
        {"question": "What to decide?", "short": _decided(review), "text": answer["decide"]},
    ]


def _carried(capacity: Row) -> str:
    planned, carried = capacity["planned"]["users"], capacity["carried"]
    users = _NOT_KNOWN if carried is None else f"{carried['users']} users"
    return f"{users} (planned {planned['low']} to {planned['high']})"


def _bought(advice: list[Row]) -> str:
    bought = [entry["component"] for entry in advice if entry["state"] == "recommended"]
    if bought:
        return ", ".join(bought)
    return "Nothing known to be needed" if any(entry["state"] == "not_known" for entry in advice) else "Nothing"


def _moved(trends: Row | None) -> str:
    """The profile whose P95 moved most, and by how much."""
    moves = [
        (series["profile"], metric["change"])
        for series in (trends or {}).get("series", ())
        for metric in series["metrics"]
        if metric["metric"] == ANSWERED_METRIC and metric["change"] is not None
    ]
    if not moves:
        return _NOT_KNOWN
    profile, change = max(moves, key=lambda move: abs(move[1]))
    return f"P95 {100 * change:+.1f} % ({profile})"


def _decided(review: Row) -> str:
    """How many; what nobody could look at may hold more of them."""
    count, is_part = len(review["decisions"]), review["decisions_missing"] is not None
    if is_part and not count:
        return _NOT_KNOWN
    counted = "1 decision" if count == 1 else f"{count or 'No'} decisions"
    return f"At least {counted}" if is_part else counted


def _charts(review: Row) -> list[dict[str, Any]]:
    """A picture and its table for each series with at least two runs."""
    window = review["trends"]
    if window is None:
        return []
    found = []
    for series in review["points"]:
        picture = trend_chart(series, window)
        if picture:
            rows = [
                (moment(one["at"]), figure(one["value"], series["unit"]), one["verdict"], one["run_id"])
                for one in reversed(series["points"])
            ]
            users = "" if series["users"] is None else f", {series['users']} users"
            title = f"{series['profile']}{users}: {series['metric']}"
            found.append({"title": printable(title, MAX_CHARS), "picture": picture, "rows": rows})
    return found


def _chapters(review: Row) -> list[dict[str, Any]]:
    """The Markdown's sections as HTML: id, title, body."""
    from include.loadtest.reporting.page.prose import prose

    return [
        {"id": f"part-{number}", "title": text.partition("\n")[0].removeprefix("## "), "body": prose(text)}
        for number, text in enumerate(filter(None, chapters(review)), start=1)
    ]
