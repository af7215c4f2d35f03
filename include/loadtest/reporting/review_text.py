"""A review as Markdown for people who decide: the answer first, then the tables behind it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.reporting.advice import observed_text
from include.loadtest.reporting.advised import review_changes_section
from include.loadtest.reporting.baseline_review import baselines_section
from include.loadtest.reporting.carried import outlook_section
from include.loadtest.reporting.markdown import (
    NOT_MEASURED,
    bullets,
    code,
    figure,
    moment,
    plain,
    plain_words,
    section,
    table,
)
from include.loadtest.reporting.summary import verdict_title

Row = Mapping[str, Any]

_STATES = {
    "recommended": "**buy**",
    "no_cause": "nothing to buy now",
    "beyond_plan": "not for the planned users",
    "not_needed": "not needed",
    "not_known": "not known",
}
_TRIGGERS = {
    "crossed": "crossed",
    "crossed_without_cause": "crossed, and no diagnosis names a bottleneck that this removes",
    "crossed_beyond_plan": "crossed with more users than planned",
    "not_crossed": "not crossed",
    "not_measured": NOT_MEASURED,
    "not_judged": "shown, not judged: the target shares its host with the generator",
    "too_few_users": "not crossed, but with fewer users than planned",
}
_LIMITS = {"met": "✅ all met", "missed": "❌ missed", "not_known": "⚪ not known"}
_ASSUMPTION = (
    "Parts, prices and gains are those of the load-testing document (include/profiles/costs.yaml). "
    "Its gains are assumptions of that document, not measured and no prediction."
)
_IN_POINTS = ("ratio", "%")


def review_markdown(review: Row) -> str:
    """The Markdown of a `review_document`."""
    answer = review["answer"]
    sections = [
        f"# Load test review: {plain(review['title'])}",
        f"**How many users.** {plain_words(answer['carries'])}",
        f"**What to buy.** {plain_words(answer['buy'])}",
        f"**What changed.** {plain_words(answer['changed'])}",
        f"**What to decide.** {plain_words(answer['decide'])}",
        f"Suite {code(review['suite'])} · {code(review['suite_run_id'])} · target {code(review['target'])} · "
        f"{moment(review['written'])}",
        decisions_section(review),
        *chapters(review),
        _runs(review["runs"]),
    ]
    return "\n\n".join(part for part in sections if part) + "\n"


def decisions_section(review: Row) -> str:
    """What has to be decided, each with its figures and options; says so where it is nothing."""
    found = review["decisions"]
    return section(
        "Decisions to take", *(map(_decision, found) if found else [plain_words(review["answer"]["decide"])])
    )


def _decision(one: Row) -> str:
    by = "no date is stated" if one["by"] is None else plain_words(one["by"])
    return "\n".join(
        [
            f"### {plain_words(one['question'])}",
            "",
            f"Decided by {plain(one['who'])}. By when: {by}.",
            "",
            "Because:",
            "",
            bullets(plain_words(text) for text in one["evidence"]),
            "",
            "Options:",
            "",
            bullets(plain_words(text) for text in one["options"]),
        ]
    )


def _runs(runs: Sequence[Row]) -> str:
    """The suite's runs, with a link to the page of those that lie beside it."""
    rows = ((plain(row["profile"]), verdict_title(row["verdict"]), _link(row)) for row in runs)
    return section("Runs", table(("profile", "verdict", "report"), rows))


def _link(row: Row) -> str:
    return code(row["run_id"]) if row["report"] is None else f"[{plain(row['run_id'])}]({row['report']})"


def chapters(review: Row) -> tuple[str, ...]:
    """What the answers rest on, a section each; empty where the review has nothing of it."""
    return (
        capacity_section(review),
        outlook_section(review["capacity"]["stepped"]),
        purchases_section(review["recommendations"]),
        review_changes_section(review),
        trends_section(review),
        baselines_section(review["baselines"]),
        plan_section(review["infrastructure_plan"]),
    )


def capacity_section(review: Row) -> str:
    """Steady loads and loads in steps, and the runs that do not count."""
    capacity: Row = review["capacity"]
    left_out: Sequence[Row] = review["left_out"]
    steady = (
        (
            plain(row["profile"]),
            f"{row['users']}",
            f"{row['hold_s'] / 60:.3g} min",
            verdict_title(row["verdict"]),
            _LIMITS[row["limits"]],
            plain(", ".join(dict.fromkeys(row["not_judged"]))) or "–",
        )
        for row in sorted(capacity["steady"], key=lambda row: row["users"])
    )
    return section(
        "Capacity",
        table(("steady load", "users", "planned hold", "verdict", "required limits", "not judged"), steady),
        table(
            ("load in steps", "verdict", "last step within", "saturated from", "breaks at", "a step's limits"),
            (_stepped(row) for row in capacity["stepped"]),
        ),
        bullets(
            f"{plain(row['profile'])} ({row['verdict']}) is left out of the recommendations: not a whole valid test."
            for row in left_out
        ),
    )


def _stepped(row: Row) -> tuple[str, ...]:
    limits = row["limits"] or {}
    p95, errors = limits.get("p95_limit_ms"), limits.get("error_rate_limit")
    within = row["largest_users_within"]
    return (
        plain(row["profile"]),
        verdict_title(row["verdict"]),
        "not known" if within is None else f"{within} users",
        _step(row["saturation_users"]),
        _step(row["breaking_point_users"]),
        "–" if p95 is None else f"P95 < {figure(p95, 'ms')}, ungraceful errors ≤ {figure(errors, 'ratio')}",
    )


def _step(step: Row) -> str:
    if step["users"] is not None:
        return f"{step['users']} users"
    return "not known" if step["looked_up_to"] is None else f"not up to {step['looked_up_to']} users"


def purchases_section(advice: Sequence[Row]) -> str:
    """Each part of the cost file with its triggers."""
    parts = (
        (
            plain(row["component"]),
            _STATES[row["state"]],
            f"{plain(row['current'])} → {plain(row['recommended'])}",
            f"EUR {row['cost_eur_a_month']['low']}–{row['cost_eur_a_month']['high']} a month",
            row["priority"],
            row["effort"],
            plain(row["documents_assumption"]),
        )
        for row in advice
    )
    triggers = (
        (plain(row["component"]), plain(trigger["metric"]), plain(observed_text(trigger)), _TRIGGERS[trigger["state"]])
        for row in advice
        for trigger in row["triggers"]
    )
    header = ("part", "result", "the document's change", "cost", "priority", "effort", "the document's assumption")
    return section(
        "Recommendations",
        _ASSUMPTION,
        table(header, parts),
        table(("part", "trigger", "mean over the hold", "state"), triggers),
    )


def trends_section(review: Row) -> str:
    """Medians of both windows; says so where the history gave no answer."""
    trends = review["trends"]
    if trends is None:
        return section("Trends", f"Not known: {plain(review['trends_missing'] or '')}")
    rows = [row for series in trends["series"] for row in _series(series)]
    last, before = trends["last"], trends["before"]
    return section(
        "Trends",
        f"Median of the valid comparable runs from {moment(last['from'])} to {moment(last['to'])}, against those from "
        f"{moment(before['from'])} on. Shown, not judged: whether something got slower is what the change test of each "
        "run says.",
        table(("profile", "users", "load", "metric", "before (runs)", "now (runs)", "change"), rows)
        or "No valid run in either window.",
    )


def _series(series: Row) -> Iterator[tuple[str, ...]]:
    """A row for each metric; a single one where no window pair has enough runs."""
    load_s = series["load_s"]
    head = (plain(series["profile"]), f"{series['users']}", "–" if load_s is None else f"{load_s / 60:.3g} min")
    shown = [metric for metric in series["metrics"] if metric["note"] is None]
    for metric in shown:
        windows = (metric["before"], metric["last"])
        medians = (f"{figure(window['median'], metric['unit'])} ({window['n']})" for window in windows)
        yield (*head, metric["metric"], *medians, _change(metric))
    if not shown:
        most = [max((metric[name]["n"] for metric in series["metrics"]), default=0) for name in ("before", "last")]
        yield (*head, "all", f"({most[0]})", f"({most[1]})", "too few runs")


def _change(metric: Row) -> str:
    """Relative; of shares the difference in points, since a relative one of a small share misleads."""
    now, then = metric["last"]["median"], metric["before"]["median"]
    if metric["unit"] in _IN_POINTS:
        return f"{(now - then) * (100 if metric['unit'] == 'ratio' else 1):+.2f} points"
    return "–" if metric["change"] is None else f"{100 * metric['change']:+.1f} %"


def plan_section(plan: Row | None) -> str:
    """The infrastructure plan; empty for a review of less than a quarter."""
    if plan is None:
        return ""
    data = (
        (
            plain(row["profile"]),
            figure(row["before_bytes"], "bytes"),
            figure(row["after_load_bytes"], "bytes"),
            NOT_MEASURED if row["grown_bytes"] is None else f"{row['grown_bytes'] / 2**20:+,.1f} MiB",
        )
        for row in plan["data"]
    )
    disks = (
        (
            plain(disk["purpose"]),
            code(disk["path"]),
            figure(disk["needed_bytes"], "bytes"),
            figure(disk["free_bytes"], "bytes"),
        )
        for disk in plan["disks"]
    )
    return section(
        "Infrastructure plan",
        "What to buy stands under Recommendations. Growth of the target's database by each load:",
        table(("profile", "before", "after the load", "growth"), data),
        table(("expected to be written by this suite", "disk of", "needed", "free before"), disks),
        bullets(plain(note) for note in plan["notes"]),
        "Not exposed by the target:" if plan["not_exposed"] else "",
        bullets(plain(text) for text in plan["not_exposed"]),
        "Not measured or not judged, so no part of this plan:" if plan["not_measured"] else "",
        bullets(plain(text) for text in plan["not_measured"]),
    )
