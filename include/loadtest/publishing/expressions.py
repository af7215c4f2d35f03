"""PromQL of the figures that alerts and dashboards are about: one text for both, so that they show the same. Pure."""

from include.loadtest.live.readings import HITS, LEVELS, MIN_LOOKUPS, MISSES, SLOW_QUERIES, Kind
from include.loadtest.live.requests import MIN_REQUESTS
from include.loadtest.live.watch import HOST_PREFIX
from include.loadtest.profile.thresholds import SILENCE
from include.loadtest.profile.vocabulary import PERCENTILES
from include.loadtest.publishing.history_page import SILENCE_START
from include.loadtest.publishing.live_page import DURATION, READING, REQUESTS

RUN = "run_id, profile, target"
SERVER = "server"
"""Label of the series that name the server which was read, and of the alerts about it."""
REMEMBERED = "14d"
"""For so long the weekly silence is counted from what the exporter said last; Prometheus keeps 15 days by default."""


def expression(metric: str, window: str, of: str = "", level: str = "avg_over_time") -> str:
    """PromQL of a metric's figure; labels run_id, profile, target, of a server also `server`.

    `window`: of how much time, such as `60s`. `of`: matchers of the series that count, none: all. `level`: what is made
    of a server's readings in the window. It answers the live watch's question with what Prometheus has, so the figure
    is near the watch's, not the same: it sees what a scrape saw; a P95 is interpolated within a bucket (limits are ends
    of buckets, so its side of a limit is exact); growth is extrapolated to the window, and a restarted counter counts
    from 0; each server has an alert of its own, where the live watch takes the highest; where a figure is missing the
    alert ends.
    """
    if metric in LEVELS:
        # The first kind that a run has, as in the live watch.
        return f" or on ({RUN}) ".join(_level(kind, metric, window, of, level) for kind in LEVELS[metric])
    if metric in PERCENTILES:
        return latency(metric, window, of)
    return {
        "error_rate": _error_rate,
        "cache_hit_rate": _hit_rate,
        "slow_queries_per_min": _slow_per_min,
        SILENCE: _silence_days,
    }[metric](window, of)


def latency(metric: str, window: str, of: str = "", by: str = RUN) -> str:
    """A percentile of `vocabulary.PERCENTILES` in ms, estimated from buckets; absent where requests are too few."""
    share, least = PERCENTILES[metric]
    buckets = f"sum by ({by}, le) (rate({DURATION}_bucket{matching(of)}[{window}]))"
    enough = f"sum by ({by}) (increase({DURATION}_count{matching(of)}[{window}])) >= {least}"
    return f"1000 * histogram_quantile({share}, {buckets}) and {enough}"


def matching(*matchers: str) -> str:
    """A selector's matchers in braces, those that are not empty.

    >>> matching('a="1"', ""), matching("")
    ('{a="1"}', '')
    """
    text = ",".join(matcher for matcher in matchers if matcher)
    return f"{{{text}}}" if text else ""


def _level(kind: Kind, metric: str, window: str, of: str, level: str) -> str:
    labels = f"{RUN}, {SERVER}, shared_host" if metric.startswith(HOST_PREFIX) else f"{RUN}, {SERVER}"
    return f"max by ({labels}) ({level}({_reading(kind, of)}[{window}]))"


def _reading(kind: Kind, of: str) -> str:
    source, metric = kind
    return READING + matching(f'source="{source}"', f'metric="{metric}"', of)


def _error_rate(window: str, of: str) -> str:
    matchers = ('outcome!~"ok|censored"', 'outcome!="censored"')
    failed, judged = (f"sum by ({RUN}) (increase({REQUESTS}{matching(own, of)}[{window}]))" for own in matchers)
    return f"{failed} / {judged} and {judged} >= {MIN_REQUESTS}"


def _hit_rate(window: str, of: str) -> str:
    hits, misses = (f"sum by ({RUN}) (increase({_reading(kind, of)}[{window}]))" for kind in (HITS, MISSES))
    return f"{hits} / ({hits} + {misses}) and {hits} + {misses} >= {MIN_LOOKUPS}"


def _slow_per_min(window: str, of: str) -> str:
    return f"60 * sum by ({RUN}) (rate({_reading(SLOW_QUERIES, of)}[{window}]))"


def _silence_days(_window: str, of: str) -> str:
    """From a moment, which is remembered: silence grows on, and can cross its limit, while nobody tells of it."""
    start = f"{SILENCE_START}{matching(of)}"
    last = f"max by (target) (last_over_time({start}[{REMEMBERED}])) unless on () {SILENCE_START}"
    return f"(time() - (max by (target) ({start}) or ({last}))) / 86400"
