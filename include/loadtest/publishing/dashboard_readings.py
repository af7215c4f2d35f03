"""Panels of what collectors read of servers: the figures of alerts, peaks of levels, growth of counters."""

from include.loadtest.live.readings import LEVELS
from include.loadtest.profile.thresholds import Thresholds
from include.loadtest.profile.vocabulary import METRICS
from include.loadtest.publishing.dashboard_parts import (
    OF_RUN,
    RATE,
    RUN_PAGE,
    UNITS,
    Panel,
    Query,
    alert_limit,
    alert_page,
)
from include.loadtest.publishing.expressions import expression, matching
from include.loadtest.publishing.live_page import READING

PEAK = "Of each step the highest reading, so that no peak is lost."
BETWEEN = "No data between loads: the collectors read only while one is sent."
ABSENT = "No data while a load is sent: the target does not expose it, or it may not be read (see the run's log)."


def peaks(sources: str, metric: str, legend: str = "{{metric}} {{server}} {{run_id}}") -> Query:
    """Of each step the highest readings; `sources`, `metric`: one or several, as a regular expression."""
    series = READING + matching(f'source=~"{sources}"', f'metric=~"{metric}"', OF_RUN)
    return Query(f"max by (run_id, source, server, metric) (max_over_time({series}[{RATE}]))", legend)


def a_minute(sources: str, metric: str, legend: str) -> Query:
    """The growth of a server's counter a minute; `legend` stands before the server and the run."""
    return Query(f"60 * {growth(sources, metric)}", f"{legend} {{{{server}}}} {{{{run_id}}}}")


def growth(sources: str, metric: str) -> str:
    """PromQL of the growth a second of a server's counter; a restart counts from 0."""
    series = READING + matching(f'source=~"{sources}"', f'metric="{metric}"', OF_RUN)
    return f"sum by (run_id, source, server) (rate({series}[{RATE}]))"


def mean_ms(sources: str, name: str) -> str:
    """PromQL of the mean of a time that servers sum up in seconds; absent while nothing was counted."""
    total, count = (growth(sources, f"{name}_{part}") for part in ("sum", "count"))
    return f"1000 * {total} / ({count} > 0)"


def alerted(metric: str, title: str, text: str, thresholds: Thresholds, *further: Query) -> Panel:
    """The figure that an alert looks at with its limit, and what else belongs beside it."""
    threshold = next((own for own in thresholds.live if own.metric == metric), None)
    legend = "mean {{server}} {{run_id}}" if metric in LEVELS else "{{run_id}}"
    return Panel(
        title,
        text,
        UNITS[METRICS[metric].unit],
        (Query(expression(metric, RATE, OF_RUN), legend), *further),
        limit=alert_limit(threshold) if threshold else None,
        links=(RUN_PAGE, alert_page(threshold)) if threshold else (RUN_PAGE,),
    )


def plain(title: str, text: str, unit: str, *queries: Query) -> Panel:
    """Lines without a limit, that lead to their run."""
    return Panel(title, text, unit, queries, links=(RUN_PAGE,))
