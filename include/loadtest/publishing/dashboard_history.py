"""The dashboard of what the history says of the last runs: verdicts, their age, figures against their limits."""

from collections.abc import Iterable, Mapping

from include.loadtest.profile.model import Profile
from include.loadtest.profile.thresholds import SILENCE, Thresholds
from include.loadtest.profile.vocabulary import METRICS, SCOPE_ALL
from include.loadtest.publishing.alert_rules import GUARDS, Guard
from include.loadtest.publishing.dashboard_parts import (
    GREEN,
    OF_PROFILE,
    OF_TARGET,
    RED,
    TRENDS,
    UNITS,
    Limit,
    Panel,
    Query,
    Row,
    alert_limit,
    alert_page,
    alerts_panel,
)
from include.loadtest.publishing.expressions import expression, matching
from include.loadtest.publishing.history_page import CONFIGURATION_OK, HISTORY_UP, METRIC, VERDICT, VERDICT_TIME
from include.loadtest.verdict import Verdict

BY = "profile, target"
COLOURS = {
    Verdict.PASS: GREEN,
    Verdict.WARN: "yellow",
    Verdict.SLA_BREACH: RED,
    Verdict.REGRESSION: "orange",
    Verdict.ABORTED: "purple",
    Verdict.INCONCLUSIVE: "text",
}
WITHOUT_FIGURES = f"{Verdict.INCONCLUSIVE}|{Verdict.ABORTED}"
"""Of a run that was not valid, or was cut, the figures are not those of the profile's load."""
LAST = "The last run of each profile, until the next one; exact, from all samples of the hold."
GAP = f"A gap: the last run is {Verdict.INCONCLUSIVE} or {Verdict.ABORTED}, or has no such figure."
MOST = 10
"""So many times a limit is the top of the panel of limits."""
OVER_LIMITS = ("latency_p95_ms", "latency_p99_ms", "error_rate", "throughput_rpm", "cache_hit_rate")


_OF_NO_RUN = 'run_id="",target=~"$target|"'


def history_rows(thresholds: Thresholds, profiles: Iterable[Profile]) -> tuple[Row, ...]:
    """`profiles`: those whose critical limits the figures are held against, as their files are now."""
    return (
        Row("Is anything known", (*_known(), _silence(thresholds), alerts_panel(_OF_NO_RUN, width=24))),
        Row("Verdicts", (_verdicts(), _ages(), _course())),
        Row("Figures of the last runs", (_limits(profiles), *_figures())),
    )


def _known() -> tuple[Panel, ...]:
    away, faulty = GUARDS
    return (
        _yes_or_no(
            "History answers",
            "Whether the exporter could ask the history. No: what stands below is from before, or absent. No data: the "
            "exporter is not scraped.",
            *(HISTORY_UP, away),
        ),
        _yes_or_no(
            "Calendar and target file are in order",
            "Without them nobody knows when a weekly verdict is due.",
            *(CONFIGURATION_OK, faulty),
        ),
    )


def _yes_or_no(title: str, text: str, name: str, guard: Guard) -> Panel:
    words = {"1": ("yes", GREEN), "0": ("no", RED)}
    query = Query(f"min({name})", title)
    description = f"{text} What to do: {guard.page}."
    return Panel(title, description, "none", (query,), "number", 6, 5, links=(alert_page(guard),), words=words)


def _silence(thresholds: Thresholds) -> Panel:
    threshold = next((own for own in thresholds.thresholds if own.metric == SILENCE), None)
    return Panel(
        "Days without a weekly verdict",
        "Days since one was due; nights that the calendar skips do not count. It counts on while the history is away.",
        UNITS["days"],
        (Query(expression(SILENCE, "60s", OF_TARGET), "{{target}}"),),
        *("number", 12, 5),
        limit=alert_limit(threshold) if threshold else None,
        links=(alert_page(threshold),) if threshold else (),
    )


def _verdicts() -> Panel:
    return Panel(
        "Last verdict",
        "Of each profile on each target; repeats do not count. What a verdict means: docs/verdicts.md.",
        "none",
        (Query(f"max by ({BY}, verdict) ({VERDICT}{{{OF_PROFILE}}})"),),
        *("table", 12, 9),
        words={str(verdict): (str(verdict), colour) for verdict, colour in COLOURS.items()},
        columns={"profile": None, "target": None, "verdict": None},
    )


def _ages() -> Panel:
    return Panel(
        "Age of the last verdict",
        "By profile, target and suite, none for a run by hand. A suite that should run weekly and is older: see the "
        "calendar and the DAG's runs in Airflow.",
        "dtdurations",
        (Query(f"time() - max by ({BY}, suite) ({VERDICT_TIME}{{{OF_PROFILE}}})"),),
        *("table", 12, 9),
        columns={"profile": None, "target": None, "suite": None},
        value="age",
    )


def _course() -> Panel:
    numbers = {str(place): (str(verdict), COLOURS[verdict]) for place, verdict in enumerate(Verdict, 1)}
    parts = (
        f'{place} * max by ({BY}) ({VERDICT}{{verdict="{verdict}",{OF_PROFILE}}})'
        for place, verdict in enumerate(Verdict, 1)
    )
    return Panel(
        "Verdicts over time",
        "The last verdict of each profile at each moment. A gap: the history was away, or the exporter was not "
        "scraped.",
        "none",
        (Query(" or ".join(parts), "{{profile}} on {{target}}"),),
        *("states", 24, 9),
        links=(TRENDS,),
        words=numbers,
    )


def figure_of(metric: str, *matchers: str) -> str:
    """PromQL of a figure of the last runs, where those were valid."""
    own = matching(f'metric="{metric}"', *matchers, OF_PROFILE)
    return f'max by ({BY}) ({METRIC}{own}) unless on ({BY}) {VERDICT}{{verdict=~"{WITHOUT_FIGURES}"}}'


def _limits(profiles: Iterable[Profile]) -> Panel:
    own = tuple(profiles)
    queries = ((name, _share_of_limit(name, limits_of(own, name))) for name in OVER_LIMITS)
    return Panel(
        "Share of the critical limits that is used up",
        f"{LAST} 100 % is the limit of the run's own profile, as its file was when this dashboard was generated: "
        f"generate it anew when a limit has changed. Cut off at {MOST} times a limit. {GAP} A profile of your own that "
        "is not in include/profiles is absent.",
        UNITS["ratio"],
        tuple(Query(expr, f"{name} {{{{profile}}}} on {{{{target}}}}") for name, expr in queries if expr),
        *("lines", 24, 10),
        limit=Limit(1.0, ">", "Above the line a critical limit is missed: the verdict is SLA_BREACH."),
        links=(TRENDS,),
    )


def limits_of(profiles: Iterable[Profile], metric: str) -> dict[float, list[str]]:
    """Profiles by their critical limit of a metric of the whole hold; a limit of 0 has no share."""
    found: dict[float, list[str]] = {}
    for profile in profiles:
        for slo in profile.slos:
            judged = (slo.metric, slo.scope, slo.phase, slo.level)
            if judged == (metric, SCOPE_ALL, "hold", "critical") and slo.limit > 0:
                found.setdefault(slo.limit, []).append(profile.name)
    return found


def _share_of_limit(metric: str, limits: Mapping[float, list[str]]) -> str:
    parts = []
    for limit, names in sorted(limits.items()):
        those = "|".join(sorted(names))
        value = "(" + figure_of(metric, f'profile=~"{those}"') + ")"
        share = f"{value} / {limit:g}" if METRICS[metric].direction == "lower" else f"{limit:g} / {value}"
        parts.append(f"clamp_max({share}, {MOST})")
    return " or ".join(parts)


def _figures() -> tuple[Panel, ...]:
    def panel(title: str, text: str, unit: str, *names: str) -> Panel:
        queries = tuple(Query(figure_of(name), f"{name} {{{{profile}}}} on {{{{target}}}}") for name in names)
        return Panel(title, f"{text} {LAST} {GAP}", unit, queries, links=(TRENDS,))

    return (
        panel("Latency", "Percentiles as they were judged, no estimates.", UNITS["ms"], *_LATENCIES),
        panel("Error rate", "Not ok, of all requests but those that the end cut.", UNITS["ratio"], "error_rate"),
        panel("Throughput", "Good answers a minute of the hold.", "reqpm", "throughput_rpm"),
        panel("Hit rate of the cache", "Lookups found, of all in the hold.", UNITS["ratio"], "cache_hit_rate"),
        panel("Longest stall", "Longest time with users waiting and nothing finished.", "s", "longest_stall_s"),
        panel(
            "Cost of the LLM",
            "Calls times the price of a call (llm_price_eur_a_call of the target's file); no price, no figure.",
            "currencyEUR",
            "llm_cost_eur",
        ),
    )


_LATENCIES = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
