"""The figures that samples give, as types: what is computed from them, and what rows are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from include.loadtest.profile.vocabulary import CORRECTED_METRICS

Cell = tuple[str, str]
"""Phase and scope (or stage, see `stage_cell`)."""


@dataclass(frozen=True)
class Percentile:
    """A percentile's exact rows, in microseconds; None where there is no such row.

    `at_most_us`, of stages only: a row that the percentile does not exceed, however long the lower bounds really took.
    """

    value_us: int | None
    low_us: int | None
    high_us: int | None
    low_95_us: int | None
    at_most_us: int | None = None


@dataclass(frozen=True)
class Distribution:
    """Rows of one measure in one cell; `least_bound_us` is the smallest latency that is a lower bound only."""

    rows: int
    max_us: int
    least_bound_us: int | None
    percentiles: Mapping[str, Percentile]


@dataclass(frozen=True)
class Answers:
    """Ok answers by their end: all of a phase, and those of its worst full minute (None: it has no full minute)."""

    count: int
    worst_minute: int | None
    full_minutes: int


@dataclass(frozen=True)
class SampleFigures:
    """All figures of the samples; a cell without rows is absent from `distributions`, `outcomes` and `refused`.

    `scopes` has no stages, but the mappings have those that were asked for: of their distributions the P95 only, and
    their answers without minutes. `refused` are the quick refusals among the outcomes: see `sample_figures`.
    """

    scopes: Sequence[str]
    phases: Sequence[str]
    distributions: Mapping[tuple[str, Cell], Distribution] = field(default_factory=dict)
    outcomes: Mapping[Cell, Mapping[str, int]] = field(default_factory=dict)
    refused: Mapping[Cell, int] = field(default_factory=dict)
    answers: Mapping[Cell, Answers] = field(default_factory=dict)


def stage_cell(phase: str, stage: str) -> Cell:
    """Where `SampleFigures` has the figures of a stage: its rows name the stage and its phase."""
    return phase, f"stage:{stage}"


def measure_of(metric: str) -> str:
    """What a percentile metric is computed from: `latency`, `ttft`, or `corrected` latencies."""
    if metric in CORRECTED_METRICS:
        return "corrected"
    return "ttft" if metric.startswith("ttft_") else "latency"
