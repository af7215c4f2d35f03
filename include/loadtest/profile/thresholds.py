"""When somebody is told of a figure: the one file of thresholds, for live watch, Prometheus and housekeeping."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile.loading import PROFILES_DIR
from include.loadtest.profile.shape import Finite, Frozen
from include.loadtest.profile.vocabulary import METRICS, Comparator
from include.loadtest.profile.yaml_source import model_of, read_yaml

THRESHOLDS_FILE = PROFILES_DIR / "thresholds.yaml"
EXAMPLE = "include/profiles/thresholds.yaml"
SILENCE, SILENCE_UNIT = "weekly_silence_days", "days"
"""Days without a verdict of the weekly suite that was due: a figure of the history, of no run."""
LEAST_SILENCE_DAYS = 8
LIVE_METRICS: tuple[str, ...] = (
    *("host_cpu_pct", "host_memory_pct", "postgres_connections", "redis_memory_bytes"),
    *("cache_hit_rate", "slow_queries_per_min", "latency_p95_ms", "error_rate"),
)
"""Metrics that are known while a load runs."""

Severity = Literal["critical", "warning"]
_OVER: dict[Comparator, Callable[[float, float], bool]] = {
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
}


class Threshold(Frozen):
    """Told where `metric` has been `comparator limit` for `for_s` seconds; `page` says what to do then."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    metric: str
    comparator: Comparator
    limit: Annotated[Finite, Field(ge=0)]
    unit: str
    for_s: Annotated[int, Field(ge=0, le=86_400)]
    severity: Severity
    page: Annotated[str, Field(pattern=r"^docs/alerts/[a-z0-9_]+\.md$")]

    @field_validator("metric")
    @classmethod
    def _known(cls, name: str) -> str:
        watched = (*LIVE_METRICS, SILENCE)
        if name not in watched:
            raise ValueError(f"nothing watches this metric; {nearest(name, watched)}")
        return name

    @field_validator("limit")
    @classmethod
    def _leaves_the_suite_its_night(cls, limit: float, info: ValidationInfo) -> float:
        if info.data.get("metric") == SILENCE and limit < LEAST_SILENCE_DAYS:
            raise ValueError(f"the suite runs every 7 days and needs its night: {LEAST_SILENCE_DAYS} or more")
        return limit

    @field_validator("unit")
    @classmethod
    def _is_the_metrics(cls, unit: str, info: ValidationInfo) -> str:
        metric = info.data.get("metric")
        if metric is None:  # unknown, which is the error that counts
            return unit
        own = SILENCE_UNIT if metric == SILENCE else METRICS[metric].unit
        if unit != own:
            raise ValueError(f"{metric} is in {own}: write its limit in that unit")
        return unit

    def is_crossed(self, value: float) -> bool:
        """Whether a value is on the wrong side of the limit."""
        return _OVER[self.comparator](value, self.limit)


class Thresholds(Frozen):
    """The content of thresholds.yaml; `window_s`: of how many seconds each figure of a running load is."""

    window_s: Annotated[int, Field(ge=10, le=600)]
    thresholds: Annotated[tuple[Threshold, ...], Field(min_length=1)]

    @field_validator("thresholds")
    @classmethod
    def _each_once(cls, thresholds: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
        names = [threshold.id for threshold in thresholds]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"{twice} stands twice; keep one")
        return thresholds

    @property
    def live(self) -> tuple[Threshold, ...]:
        """Those of a running load."""
        return tuple(threshold for threshold in self.thresholds if threshold.metric in LIVE_METRICS)

    @property
    def silence_days(self) -> float:
        """After how many days without a weekly verdict somebody is told. Raises ConfigError where none is set."""
        limits = [threshold.limit for threshold in self.thresholds if threshold.metric == SILENCE]
        if not limits:
            raise ConfigError(f"{EXAMPLE}: no threshold for {SILENCE}: the dead man's switch needs it")
        return min(limits)


def load_thresholds(path: Path = THRESHOLDS_FILE) -> Thresholds:
    """Read and check a file of thresholds. Raises ConfigError with `file:line` of what is wrong in it."""
    return model_of(read_yaml(path), Thresholds, {"thresholds": Threshold}, EXAMPLE)
