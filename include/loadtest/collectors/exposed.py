"""What applications expose, under the names that they give it: the one table from their names to readings.

Names differ from one application to the next and follow the libraries that they use; of several spellings the first
that the pages have counts.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from include.loadtest.collectors.reader import labelled
from include.loadtest.errors import printable
from include.loadtest.exposition import Series, series_of

LOG = logging.getLogger("loadtest.collectors")
ByName = Mapping[str, Sequence[Series]]
STATUS_LABELS = ("status", "status_code", "code", "http_status", "http_response_status_code", "outcome", "result")
_COUNTERS = re.compile(r"^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]{0,99}) counter$", re.MULTILINE | re.ASCII)
ENDPOINT_LABELS = ("path_template", "route", "http_route", "handler", "endpoint", "path")
MAX_ENDPOINTS = 60
MAX_WORDS, MAX_WORD_CHARS = 5, 40
FOR_MONITORS = re.compile(r'[/"](metrics|monitoring_metrics|health|api_health|healthz|livez|readyz)"')
"""Labels of requests that no user sent."""
SERVER_ERROR, CLIENT_ERROR = r"5(\d\d|xx)", r"4(\d\d|xx)"
REFUSED = r"429|rate[_-]?limit(ed|[_-]exceeded|[_-]error)?|refused|throttled|too[_-]many[_-]requests"
FAILED = (
    r"5(\d\d|xx)|4(?!29)\d\d|unavailable|overloaded|crashed|"
    r"((api|client|connection|http|internal|llm|network|provider|server|upstream)[_-])*"
    r"(err(or)?s?|fail(ed|ures?)?|time(d[_-]?|[_-])?out|exceptions?)"
)
"""Neither an answer nor a refusal: those have a reading of their own."""
ANSWERED = r"[23](\d\d|xx)|ok|success(ful)?|succeeded|completed?|answered|done"
NOT_CLOSED = r"(?!closed$).+"


@dataclass(frozen=True)
class Spelling:
    """A metric of a page. `labels`: the first of these that a series has; `values`: those of it that count.

    A series without the label does not count; where none has it, the metric says nothing about this. `others`: values
    that do not count; where it is given, any further value is unknown, and the metric says nothing about this either.
    """

    name: str
    labels: tuple[str, ...] = ()
    values: str = ""
    others: str | None = None


@dataclass(frozen=True)
class Exposed:
    """A reading, its spellings, how several series make one value, and what turns its unit into the reading's."""

    reading: str
    spellings: tuple[Spelling, ...]
    combine: Literal["sum", "max", "any"] = "sum"
    factor: float = 1.0


def _plain(*names: str) -> tuple[Spelling, ...]:
    return tuple(Spelling(name) for name in names)


def _by_status(values: str, *names: str, others: str | None = None) -> tuple[Spelling, ...]:
    return tuple(Spelling(name, STATUS_LABELS, values, others) for name in names)


def _timed(reading: str, *names: str) -> tuple[Exposed, ...]:
    """Sum and count of a histogram or summary of seconds."""
    return tuple(
        Exposed(f"{reading}_{part}", _plain(*(f"{name}_{part}" for name in names))) for part in ("sum", "count")
    )


_LLM_CALLS = (
    "llm_requests_total",
    "llm_calls_total",
    "llm_api_calls_total",
    "litellm_proxy_total_requests_metric_total",
)
_LLM_TIMES = (
    "llm_request_duration_seconds",
    "llm_call_duration_seconds",
    "llm_api_duration_seconds",
    "llm_latency_seconds",
    "litellm_llm_api_latency_metric",
    "vllm:e2e_request_latency_seconds",
)
LLM: tuple[Exposed, ...] = (
    Exposed("llm_calls", _plain(*_LLM_CALLS, *(f"{name}_count" for name in _LLM_TIMES))),
    Exposed(
        "llm_errors",
        _by_status(FAILED, *_LLM_CALLS, others=rf"{ANSWERED}|{REFUSED}")
        + _plain("llm_errors_total", "llm_request_errors_total", "litellm_proxy_failed_requests_metric_total"),
    ),
    Exposed(
        "llm_refusals",
        _by_status(REFUSED, *_LLM_CALLS, others=rf"{ANSWERED}|{FAILED}")
        + _plain("llm_rate_limited_total", "llm_refusals_total"),
    ),
    *_timed("llm_wait_seconds", *_LLM_TIMES),
)
LLM_SERVER: tuple[Exposed, ...] = (
    *LLM,
    Exposed("llm_in_progress", _plain("llm_requests_in_progress", "llm_in_progress", "vllm:num_requests_running")),
)
"""Of the LLM's own page, or its gateway's."""

RESPONSES = ("starlette_responses_total", "http_responses_total", "http_requests_total", "http_server_requests_total")
REQUEST_TIMES = (
    "http_request_duration_seconds",
    "http_server_request_duration_seconds",
    "http_server_requests_seconds",
    "starlette_requests_processing_time_seconds",
)
"""Histograms of requests, those of whole answers before the one that ends with an answer's first byte."""
APPLICATION: tuple[Exposed, ...] = (
    *LLM,
    Exposed("llm_retries", _plain("llm_retries_total", "llm_retry_total", "llm_retry_attempts_total")),
    Exposed(
        "circuit_breaker_open",
        (
            Spelling("circuit_breaker_state", ("state",), NOT_CLOSED),
            *_plain("circuit_breaker_state", "circuit_breaker_open", "circuitbreaker_state"),
        ),
        combine="any",
    ),
    Exposed("db_pool_size", _plain("db_pool_size", "database_pool_size", "sqlalchemy_pool_size", "asyncpg_pool_size")),
    Exposed(
        "db_pool_used",
        _plain("db_pool_checked_out", "db_pool_used", "db_pool_in_use", "database_pool_checked_out")
        + _plain("sqlalchemy_pool_checked_out", "sqlalchemy_pool_checkedout"),
    ),
    Exposed(
        "db_pool_waiting", _plain("db_pool_waiting", "db_pool_waiters", "db_pool_pending", "database_pool_waiting")
    ),
    *_timed("db_pool_wait_seconds", "db_pool_wait_seconds", "db_pool_acquire_seconds", "database_pool_wait_seconds"),
    *_timed("db_pool_held_seconds", "db_pool_held_seconds", "db_pool_use_seconds", "database_pool_held_seconds"),
    Exposed(
        "event_loop_lag_ms",
        _plain("event_loop_lag_seconds", "asyncio_event_loop_lag_seconds", "event_loop_latency_seconds"),
        combine="max",
        factor=1e3,
    ),
    Exposed("thread_pool_size", _plain("thread_pool_size", "thread_pool_max_workers", "threadpool_size")),
    Exposed("thread_pool_busy", _plain("thread_pool_busy", "thread_pool_active", "threadpool_busy")),
    Exposed("thread_pool_queue", _plain("thread_pool_queue_size", "thread_pool_queue", "thread_pool_pending")),
    Exposed("document_queue", _plain("document_queue_size", "document_queue", "document_processing_queue_size")),
    Exposed("responses_5xx", _by_status(SERVER_ERROR, *RESPONSES)),
    Exposed("responses_4xx", _by_status(CLIENT_ERROR, *RESPONSES)),
)


def names_of(table: Iterable[Exposed]) -> frozenset[str]:
    """All metrics' names that a table knows."""
    return frozenset(spelling.name for entry in table for spelling in entry.spellings)


def parsed(pages: Iterable[str], wanted: frozenset[str], pattern: re.Pattern[str] | None = None) -> ByName:
    """The series by name, of the names that are wanted or match; of a name that two pages have, the first page's.

    A counter that has not counted anything yet may have no series: its type says that it is there.
    """
    found: dict[str, list[Series]] = {}

    @lru_cache(maxsize=4096)
    def is_wanted(name: str) -> bool:
        return name in wanted or (pattern is not None and pattern.search(name) is not None)

    for page in pages:
        own: dict[str, list[Series]] = {name: [] for name in _COUNTERS.findall(page) if name in wanted}
        for entry in series_of(page, is_wanted):
            own.setdefault(entry.name, []).append(entry)
        found = own | {name: entries for name, entries in found.items() if entries or name not in own}
    return found


def readings_of(series: ByName, table: Iterable[Exposed]) -> dict[str, float]:
    """The readings that a page's series give; one of which a series has no number is left out."""
    values = {}
    for entry in table:
        value = next(
            (value for spelling in entry.spellings if (value := _value(series, spelling, entry)) is not None), None
        )
        if value is not None:
            values[entry.reading] = value * entry.factor
    return values


def _value(series: ByName, spelling: Spelling, entry: Exposed) -> float | None:
    entries = series.get(spelling.name)
    if not entries:
        return None if entries is None else 0.0
    if spelling.labels:
        labelled_series = [(each, label_of(each, spelling.labels)) for each in entries]
        if all(label is None for _, label in labelled_series) or _unknown_values(entries, spelling):
            return None
        chosen = [each for each, label in labelled_series if label is not None and _is(label, spelling.values)]
        return _combined(chosen, entry) if chosen else 0.0
    return _combined(entries, entry)


def _is(label: str, values: str) -> bool:
    return re.fullmatch(values, label, re.IGNORECASE) is not None


def _unknown_values(entries: Iterable[Series], spelling: Spelling) -> list[str]:
    if spelling.others is None:
        return []
    known = rf"{spelling.values}|{spelling.others}"
    labels = dict.fromkeys(label for each in entries if (label := label_of(each, spelling.labels)) is not None)
    return [label for label in labels if not _is(label, known)]


class Unknown:
    """Says once of each reading which words of a page keep it from being read."""

    def __init__(self, source: str, table: Iterable[Exposed]) -> None:
        self._source, self._table = source, tuple(table)
        self._told: set[str] = set()

    def tell(self, series: ByName) -> Set[str]:
        """Tell what is new; the readings that were ever told of."""
        for entry in self._table:
            words = [
                word
                for spelling in entry.spellings
                for word in _unknown_values(series.get(spelling.name, ()), spelling)
            ]
            if words and entry.reading not in self._told and entry.reading not in readings_of(series, (entry,)):
                self._told.add(entry.reading)
                shown = ", ".join(printable(word, MAX_WORD_CHARS) for word in words[:MAX_WORDS])
                LOG.info("%s: %s is not read, as nobody knows what this is: %s", self._source, entry.reading, shown)
        return self._told


def _combined(entries: Sequence[Series], entry: Exposed) -> float | None:
    numbers = [each.value for each in entries if each.value is not None]
    if len(numbers) < len(entries):
        return None
    if entry.combine == "sum":
        return sum(numbers)
    return max(numbers) if entry.combine == "max" else float(any(numbers))


def label_of(entry: Series, names: Sequence[str]) -> str | None:
    """The value of the first of these labels that a series has."""
    values = entry.label_values
    return next((values[name] for name in names if name in values), None)


def errors_by_endpoint(series: ByName) -> dict[str, float]:
    """`errors{endpoint="…"}`: answers with status 5xx of each endpoint that has answered, by its path's template."""
    name = next((name for name in RESPONSES if name in series), None)
    counts: dict[str, float] = {}
    for entry in series[name] if name else ():
        endpoint, status = label_of(entry, ENDPOINT_LABELS), label_of(entry, STATUS_LABELS)
        if endpoint is None or status is None or entry.value is None:
            continue
        if endpoint in counts or len(counts) < MAX_ENDPOINTS:
            failed = entry.value if re.fullmatch(SERVER_ERROR, status) else 0.0
            counts[endpoint] = counts.get(endpoint, 0.0) + failed
    return {labelled("errors", "endpoint", endpoint): count for endpoint, count in counts.items()}
