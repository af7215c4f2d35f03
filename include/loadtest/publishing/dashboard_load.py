"""The dashboard of running loads: users, requests, latencies, errors, and the load generator itself."""

from include.loadtest.profile.thresholds import Threshold, Thresholds
from include.loadtest.publishing.dashboard_parts import (
    OF_RUN,
    RATE,
    RUN_PAGE,
    UNITS,
    Link,
    Panel,
    Query,
    Row,
    alert_limit,
    alert_page,
    alerts_panel,
)
from include.loadtest.publishing.dashboard_readings import peaks
from include.loadtest.publishing.expressions import RUN, expression, latency
from include.loadtest.publishing.live_page import DURATION, REQUESTS, USERS

ESTIMATE = "An estimate from the buckets of a histogram: verdicts are judged on the exact samples, in the run's report."
FEW = "Nothing is shown while there are too few requests."
SCENARIO = f"{RUN}, scenario"


def load_rows(thresholds: Thresholds) -> tuple[Row, ...]:
    """What to look at while a load is sent; limits are those of the alerts."""
    live = {threshold.metric: threshold for threshold in thresholds.live}
    window = f"{thresholds.window_s}s"
    return (
        Row("Now", (*_now(live, window), alerts_panel(f"{OF_RUN}", width=24))),
        Row("Requests", (_users(), _rates(), _percentiles(live), _errors(live), _heat(), _outcomes())),
        Row("Scenarios", (_scenario_latency(), _scenario_rate(), _totals())),
        Row("Load generator", _generator()),
    )


def per_minute(by: str, *matchers: str, window: str = RATE) -> str:
    """Requests that ended, a minute."""
    return f"60 * sum by ({by}) (rate({REQUESTS}{{{','.join((*matchers, OF_RUN))}}}[{window}]))"


def in_words(window: str) -> str:
    """A window of PromQL as people write it: `60s` is 60 s."""
    return f"{window[:-1]} {window[-1]}"


def _now(live: dict[str, Threshold], window: str) -> tuple[Panel, ...]:
    return (
        Panel(
            "Users now",
            "Users that the load generators run at this moment, by run. No data: no load is being sent, or the "
            "exporter is not scraped.",
            "suffix: users",
            (Query(f"sum by ({RUN}) ({USERS}{{{OF_RUN}}})", "{{run_id}}"),),
            *("number", 6, 5),
            links=(RUN_PAGE,),
        ),
        Panel(
            "Good answers a minute now",
            f"Answers without a fault that ended in the last {in_words(window)}, a minute of it. Far below the "
            "profile's throughput limit: look at latency and errors first.",
            "reqpm",
            (Query(per_minute(RUN, 'outcome="ok"', window=window), "{{run_id}}"),),
            *("number", 6, 5),
            links=(RUN_PAGE,),
        ),
        _judged_now("P95 latency now", "latency_p95_ms", live, window, ESTIMATE),
        _judged_now(
            "Error rate now", "error_rate", live, window, "Not ok, of all requests but those that the end cut."
        ),
    )


def _judged_now(title: str, metric: str, live: dict[str, Threshold], window: str, note: str) -> Panel:
    threshold = live.get(metric)
    return Panel(
        title,
        f"Of the requests that ended in the last {in_words(window)}, the figure that the alert looks at. {note} {FEW}",
        UNITS["ms" if metric.endswith("_ms") else "ratio"],
        (Query(expression(metric, window, OF_RUN), "{{run_id}}"),),
        *("number", 6, 5),
        limit=alert_limit(threshold) if threshold else None,
        links=_links(threshold),
    )


def _links(threshold: Threshold | None) -> tuple[Link, ...]:
    return (RUN_PAGE, alert_page(threshold)) if threshold else (RUN_PAGE,)


def _users() -> Panel:
    return Panel(
        "Users",
        "Users that the load generators run, as they say themselves. A fall before the end of the hold: a generator "
        "has died, and the run will be INCONCLUSIVE.",
        "suffix: users",
        (Query(f"sum by ({RUN}) ({USERS}{{{OF_RUN}}})", "{{run_id}}"),),
        links=(RUN_PAGE,),
    )


def _rates() -> Panel:
    return Panel(
        "Requests that ended, a minute",
        "Good answers, and all that failed in any way. Good answers fall while users stay: answers become slower or "
        "fail.",
        "reqpm",
        (
            Query(per_minute(RUN, 'outcome="ok"'), "good {{run_id}}"),
            Query(per_minute(RUN, 'outcome!~"ok|censored"'), "failed {{run_id}}"),
        ),
        links=(RUN_PAGE,),
    )


def _percentiles(live: dict[str, Threshold]) -> Panel:
    names = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
    threshold = live.get("latency_p95_ms")
    return Panel(
        "Latency: P50, P95, P99",
        f"{ESTIMATE} A request that was given up counts with the time waited; beyond the last bucket its end is shown, "
        f"so the truth is higher. {FEW} When it rises, look at the target's dashboard at the same time.",
        UNITS["ms"],
        tuple(Query(latency(name, RATE, OF_RUN), f"{name.split('_')[1].upper()} {{{{run_id}}}}") for name in names),
        limit=alert_limit(threshold) if threshold else None,
        links=_links(threshold),
    )


def _errors(live: dict[str, Threshold]) -> Panel:
    threshold = live.get("error_rate")
    return Panel(
        "Error rate",
        f"Requests that were not ok, of all but those that the end of the load cut. {FEW} Which ones: see the panel of "
        "failures by kind, and the fingerprints in the run's report.",
        UNITS["ratio"],
        (Query(expression("error_rate", RATE, OF_RUN), "{{run_id}}"),),
        limit=alert_limit(threshold) if threshold else None,
        links=_links(threshold),
    )


def _heat() -> Panel:
    return Panel(
        "Latency: requests a second by bucket",
        "All runs that are chosen above together. Two bands instead of one: some requests take another way, such as a "
        "cache miss. The buckets are coarse; the exact distribution is in the run's report.",
        "reqps",
        (Query(f"sum by (le) (rate({DURATION}_bucket{{{OF_RUN}}}[{RATE}]))", "{{le}}"),),
        "heat",
    )


def _outcomes() -> Panel:
    return Panel(
        "Failures a minute by kind",
        "http_error: a status of 4xx or 5xx; timeout: given up; connection_error: none or a broken connection; "
        "wrong_answer: a good status with a wrong content; rejected: refused by the target; dropped: no user was free "
        "in time. A line at 0 is a count of 0.",
        "reqpm",
        (Query(per_minute(f"{RUN}, outcome", 'outcome!~"ok|censored"'), "{{outcome}} {{run_id}}"),),
        links=(RUN_PAGE,),
    )


def _scenario_latency() -> Panel:
    return Panel(
        "P95 latency by scenario",
        f"{ESTIMATE} {FEW} One scenario alone is slow: look for what only it uses (documents, search, the LLM).",
        UNITS["ms"],
        (Query(latency("latency_p95_ms", RATE, OF_RUN, SCENARIO), "{{scenario}} {{run_id}}"),),
        links=(RUN_PAGE,),
    )


def _scenario_rate() -> Panel:
    return Panel(
        "Requests that ended, a minute by scenario",
        "Whatever became of them. Shares of started iterations are the profile's; requests of slow scenarios end "
        "later.",
        "reqpm",
        (Query(per_minute(SCENARIO), "{{scenario}} {{run_id}}"),),
        links=(RUN_PAGE,),
    )


def _totals() -> Panel:
    totals = f"max by (run_id, scenario, outcome) (max_over_time({REQUESTS}{{{OF_RUN}}}[$__range])) > 0"
    return Panel(
        "Requests of the whole load by scenario and outcome",
        "Counts since the start of each run that is in the chosen time, as of the last scrape: what ended in the last "
        "seconds of a load is missing. The report has all of them.",
        "none",
        (Query(totals),),
        *("table", 24),
        columns={"run_id": Link("Run in Airflow", "${airflow}/loadtest/runs/${__value.raw}"), "scenario": None}
        | {"outcome": None},
        value="requests",
    )


def _generator() -> tuple[Panel, ...]:
    note = "Of the generator and its machine, never of the target."
    starved = "A starved generator measures itself: the run will be INCONCLUSIVE."
    return (
        Panel(
            "CPU of the load generator",
            f"{note} Of each worker the share of one core; where the target runs on another machine, the generator's "
            f"machine stands here, too. {starved} Give it more workers.",
            UNITS["%"],
            (peaks("generator", "cpu_pct", "{{server}} {{run_id}}"),),
            links=(RUN_PAGE,),
        ),
        Panel(
            "Lateness of the load generator",
            f"{note} By how much its event loop wakes up late; k6 has no such figure. {starved}",
            UNITS["ms"],
            (peaks("generator", "loop_lag_ms", "{{server}} {{run_id}}"),),
            links=(RUN_PAGE,),
        ),
    )
