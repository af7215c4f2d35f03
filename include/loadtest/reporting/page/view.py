"""All that the template of the report shows, chosen from the report and the charts. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from include.loadtest.doc_pages import page_address, page_path
from include.loadtest.errors import printable
from include.loadtest.reporting.advised import recommendations_section
from include.loadtest.reporting.alerts import alerts_section
from include.loadtest.reporting.carried import capacity_section
from include.loadtest.reporting.change import change_section
from include.loadtest.reporting.conditions import changes_section, environment_section, gaps_section, sizes_section
from include.loadtest.reporting.deliveries import deliveries_section
from include.loadtest.reporting.diagnosis import diagnosis_section
from include.loadtest.reporting.key_phase import key_phase
from include.loadtest.reporting.llm import llm_section
from include.loadtest.reporting.page.answers import answers
from include.loadtest.reporting.page.drawn import missing_groups, not_drawn, pictures, script_data
from include.loadtest.reporting.page.limit_rows import limit_rows, tiles
from include.loadtest.reporting.page.prose import prose
from include.loadtest.reporting.page.render import embedded_json
from include.loadtest.reporting.page.svg import interval_bar
from include.loadtest.reporting.steps import steps_section
from include.loadtest.reporting.summary import (
    baseline_section,
    comparison_section,
    hits_text,
    meaning_section,
    resources_section,
    scenarios_section,
    throughput_target,
    timed,
)
from include.loadtest.reporting.waiting import waiting_section
from include.loadtest.verdict import figure, verdict_mark

Row = Mapping[str, Any]

MAX_CHARS = 500
"""Of a foreign text, such as an error's; the page has a bound whatever the target answers."""
MAX_ERRORS, MAX_SLOWEST, MAX_PARTS = 200, 20, 50


@dataclass(frozen=True)
class Moment:
    """A time: the text in UTC, and the machine's form that the script turns into the viewer's own time."""

    iso: str
    text: str


@dataclass(frozen=True)
class Sent:
    """Whether load was sent, from when to when; None where the generator did not come to say it."""

    is_any: bool
    started: Moment | None
    ended: Moment | None


def moment_of(text: str | None) -> Moment | None:
    """A time of a bundle; None for none, and for a text that is no time."""
    try:
        at = datetime.fromisoformat(text or "").astimezone(UTC)
    except ValueError:
        return None
    return Moment(at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), f"{at:%Y-%m-%d %H:%M:%S} UTC")


def shown_text(value: Any, limit: int = MAX_CHARS) -> str:
    """Foreign text of a bounded length, on one line, without control characters; the cut shows."""
    text = printable(str(value), limit + 1)
    return text if len(text) <= limit else text[:limit] + "…"


def page_context(report: Row, charts: Row | None) -> dict[str, Any]:
    """The values of `report.html.jinja`."""
    manifest: Row = report["manifest"] or {}
    texts = _prose(report, manifest)
    drawn = None if charts is None else script_data(report, charts)
    return {
        "report": report,
        "mark": verdict_mark(report["verdict"]),
        "title": shown_text((manifest.get("profile") or {}).get("title") or report["run_id"], 120),
        "answers": answers(report, manifest, report["diagnosis"]),
        "facts": _facts(report, manifest),
        "sent": _sent(report, manifest, charts),
        "notes": [shown_text(note) for note in (manifest.get("profile") or {}).get("notes") or ()],
        "reasons": [_reason(reason, manifest.get("dag_run")) for reason in report["reasons"]],
        "key_phase": key_phase(report["metrics"]),
        "tiles": tiles(report, charts),
        "limits": limit_rows(report),
        "limit_notes": _limit_notes(report, manifest),
        "charts": charts,
        "chart_json": None if drawn is None else embedded_json(drawn),
        "diagnosis_parts": _split(texts["diagnosis"]),
        "has_evidence": drawn is not None and drawn["evidence"] is not None,
        "missing_groups": missing_groups(charts),
        "not_drawn": not_drawn(charts),
        "pictures": pictures(report, charts),
        "nothing_sent": nothing_sent(report, manifest),
        "differences": _differences(report["comparison"]),
        "errors": _errors(report["errors"]),
        "slowest": _slowest(charts),
        "prose": texts,
    }


def nothing_sent(report: Row, manifest: Row) -> str:
    """Why there is nothing over time, in one sentence."""
    if has_sent(report, manifest, None):
        return "The load left no samples that can be read, so there is nothing to show here."
    return "No load was sent in this run, so nothing was measured."


def has_sent(report: Row, manifest: Row, charts: Row | None) -> bool:
    """Whether the run sent load: its generator says so, or it left samples, even such as nobody can read."""
    is_told = bool((manifest.get("load") or {}).get("started"))
    return is_told or charts is not None or bool((report["errors"] or {}).get("unreadable_parts"))


def _facts(report: Row, manifest: Row) -> list[tuple[str, str]]:
    profile, target = manifest.get("profile") or {}, manifest.get("target") or {}
    said = {
        "run": report["run_id"],
        "target": target.get("name"),
        "plan": f"{profile.get('users')} users, {profile.get('duration_s')} s {timed(profile)}" if profile else None,
        "engine": profile.get("engine"),
        "app": (manifest.get("environment") or {}).get("app_version"),
    }
    return [(name, shown_text(value, 100)) for name, value in said.items() if value is not None]


def _sent(report: Row, manifest: Row, charts: Row | None) -> Sent:
    load = manifest.get("load") or {}
    return Sent(has_sent(report, manifest, charts), moment_of(load.get("started")), moment_of(load.get("ended")))


def _reason(reason: Row, dag_run: str | None) -> dict[str, Any]:
    page = reason.get("page")
    return {
        "code": reason["code"],
        "text": shown_text(reason["text"]),
        "action": reason["action"],
        "page": None if page is None else page_path(page),
        "address": None if page is None else page_address(dag_run, page),
    }


def _limit_notes(report: Row, manifest: Row) -> list[str]:
    measured = {(row["metric"], row["scope"], row["phase"]): row for row in report["metrics"]}
    return [note for note in (throughput_target(measured, manifest), hits_text(report["metrics"])) if note]


def _differences(comparison: Row | None) -> list[dict[str, Any]]:
    """What the change test found, each with a picture of its interval; all pictures have the same scale."""
    document = (comparison or {}).get("change_test") or {}
    found = [one for entry in (document.get("against") or {}).values() for one in entry["findings"]]
    reach = max((abs(100 * one[end]) for one in found for end in ("change", "ci_low", "ci_high")), default=0.0)
    return [
        {
            "scope": shown_text(one["scope"].removeprefix("endpoint:"), 100),
            "bar": interval_bar(100 * one["ci_low"], 100 * one["change"], 100 * one["ci_high"], reach),
            "measure": one["measure"],
            "text": f"{100 * one['change']:+.1f} %",
        }
        for one in found
    ]


def _errors(errors: Row | None) -> dict[str, Any] | None:
    """Fingerprints with their exact counts and earliest request; None where nobody counted."""
    if errors is None:
        return None
    rows = [
        {
            "count": f"{error['count']:,}",
            "fingerprint": shown_text(error["fingerprint"]),
            "outcome": error["outcome"],
            "scenario": error.get("scenario"),
            "endpoint": error["endpoint"],
            "status": error.get("status"),
            "first": moment_of(error.get("first_seen")),
        }
        for error in errors["errors"][:MAX_ERRORS]
    ]
    beyond = errors["errors"][MAX_ERRORS:]
    unreadable = errors.get("unreadable_parts") or ()
    other = errors.get("other") or {"fingerprints": 0, "count": 0}
    counts = (
        other["fingerprints"] + len(beyond),
        other["count"] + sum(error["count"] for error in beyond),
    )
    return {
        "rows": rows,
        "total": f"{sum(error['count'] for error in errors['errors']) + other['count']:,}",
        "other": counts if counts[0] else None,
        "unreadable": [shown_text(part, 100) for part in unreadable[:MAX_PARTS]],
        "unreadable_beyond": max(len(unreadable) - MAX_PARTS, 0),
    }


def _slowest(charts: Row | None) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "at": moment_of(row["start"]),
            "latency": ("≥ " if row["is_bound"] else "") + figure(row["latency_ms"], "ms"),
        }
        for row in ((charts or {}).get("slowest") or ())[:MAX_SLOWEST]
    ]


def _prose(report: Row, manifest: Row) -> dict[str, Markup | None]:
    """Sections that say the same as the Markdown summary, by their name in the template; None where there is none."""
    metrics, comparison = report["metrics"], report["comparison"]
    engine = (manifest.get("profile") or {}).get("engine")
    made: dict[str, Callable[[], str]] = {
        "meaning": lambda: meaning_section(report["meaning"]),
        "diagnosis": lambda: diagnosis_section(report["diagnosis"], manifest.get("dag_run")),
        "recommendations": lambda: recommendations_section(report),
        "steps": lambda: steps_section(report),
        "capacity": lambda: capacity_section(report),
        "scenarios": lambda: scenarios_section(metrics, engine),
        "waiting": lambda: waiting_section(report),
        "alerts": lambda: alerts_section(report),
        "llm": lambda: llm_section(report),
        "resources": lambda: resources_section(metrics),
        "baseline": lambda: baseline_section(report["baseline"]),
        "change": lambda: change_section(comparison),
        "comparison": lambda: comparison_section(comparison),
        "deliveries": lambda: deliveries_section(report),
        "gaps": lambda: gaps_section(report),
        "target_changes": lambda: changes_section(manifest),
        "sizes": lambda: sizes_section(manifest),
        "environment": lambda: environment_section(manifest),
    }
    return {name: prose(section()) for name, section in made.items()}


def _split(body: Markup | None) -> tuple[Markup, Markup]:
    """The first paragraph, and what follows: a picture may stand between."""
    lead, end, rest = (body or Markup("")).partition("</p>")
    return lead + end, rest
