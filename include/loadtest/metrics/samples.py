"""What the samples say, by phase and scope or stage: exact figures, from what one reading of the samples counted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from include.loadtest.metrics.corrected import cycles_of, fills
from include.loadtest.metrics.figures import (
    Answers,
    Cell,
    Distribution,
    Percentile,
    SampleFigures,
    measure_of,
    stage_cell,
)
from include.loadtest.metrics.histogram import FILL, LATENCY, TTFT, Rows, Selection, exact_values
from include.loadtest.metrics.reading import Reading
from include.loadtest.metrics.statistics import percentile_interval_ranks, percentile_low_rank, rank_of, scaled_rank
from include.loadtest.profile.vocabulary import PERCENTILES, SCOPE_ALL

if TYPE_CHECKING:
    from include.loadtest.metrics.blocks import Mask, Numbers

_REFUSALS = ("http_error", "rejected")
_STAGE_METRIC = "latency_p95_ms"
_KINDS = {"latency": (LATENCY,), "ttft": (TTFT,), "corrected": (LATENCY, FILL)}
_Ranks = Mapping[str, tuple[int | None, ...]]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A distribution of which values are wanted: how many rows, and how many of them were measured."""

    measure: str
    cell: Cell
    rows: Selection
    bounds: Selection
    n: int
    ranks: _Ranks

    @property
    def places(self) -> list[int]:
        """The places of all values, the largest among them."""
        return [self.n, *(rank for ranks in self.ranks.values() for rank in ranks if rank)]


def sample_figures(read: Reading, scenarios: Iterable[str]) -> SampleFigures:
    """All figures; `scenarios` are those that the profile plans.

    A quick refusal is a 429 or 503 whose answer was complete less than 1 s after the intended start. Only a closed load
    has corrected latencies (see `corrected`).
    """
    scopes = _scopes(read, scenarios)
    stages = {stage_cell(piece.phase, piece.stage)[1]: _cells(read, "stage", piece.stage) for piece in read.stages}
    phases = sorted({cell.phase for cell in read.cells})
    outcomes, refused = _outcomes(read, phases, scopes | stages)
    distributions = _distributions(read, phases, scopes, stages)
    return SampleFigures(list(scopes), phases, distributions, outcomes, refused, _answers(read, scopes))


def _cells(read: Reading, name: str, word: str) -> "Mask":
    """The cells that have this word."""
    return np.array([getattr(cell, name) == word for cell in read.cells], bool)


def _scopes(read: Reading, scenarios: Iterable[str]) -> dict[str, "Mask"]:
    """Which cells each scope has, in the order in which scopes are shown."""
    names = dict.fromkeys([*scenarios, *sorted({cell.scenario for cell in read.cells})])
    endpoints = sorted({cell.endpoint for cell in read.cells})
    return {
        SCOPE_ALL: np.ones(len(read.cells), bool),
        **{f"scenario:{name}": _cells(read, "scenario", name) for name in names},
        **{f"endpoint:{name}": _cells(read, "endpoint", name) for name in endpoints},
    }


def _outcomes(
    read: Reading, phases: Sequence[str], scopes: Mapping[str, "Mask"]
) -> tuple[dict[Cell, dict[str, int]], dict[Cell, int]]:
    """Requests by outcome, and quick refusals."""
    requests = read.histogram.counts[LATENCY].sum(axis=1)
    found: dict[Cell, dict[str, int]] = {}
    refused: dict[Cell, int] = {}
    for phase, scope in ((phase, scope) for phase in phases for scope in scopes):
        for number in np.flatnonzero(scopes[scope] & _cells(read, "phase", phase)).tolist():
            cell, count = read.cells[number], int(requests[number])
            counts = found.setdefault((phase, scope), {})
            counts[cell.outcome] = counts.get(cell.outcome, 0) + count
            is_refusal = cell.is_quick and cell.outcome in _REFUSALS
            refused[phase, scope] = refused.get((phase, scope), 0) + (count if is_refusal else 0)
    return {key: dict(sorted(counts.items())) for key, counts in found.items()}, refused


def _distributions(
    read: Reading, phases: Sequence[str], scopes: Mapping[str, "Mask"], stages: Mapping[str, "Mask"]
) -> dict[tuple[str, Cell], Distribution]:
    cycle_us = cycles_of(read.cells, read.cycles_us)
    slow = [number for number, own_us in enumerate(cycle_us) if own_us and _has_fills(read, number, int(own_us))]
    if slow:
        for rows in fills(read.store.blocks(), cycle_us):
            read.histogram.add(rows, len(read.cells))
    asked = [one for one in _asked(read, phases, scopes, stages) if one.n]
    rows_again = chain(read.rows(), fills(read.store.blocks(), cycle_us) if slow else ())
    return _picked(read, asked, rows_again)


def _has_fills(read: Reading, number: int, cycle_us: int) -> bool:
    own = np.arange(len(read.cells)) == number
    return read.histogram.has_from(own, 2 * cycle_us)


def _asked(
    read: Reading, phases: Sequence[str], scopes: Mapping[str, "Mask"], stages: Mapping[str, "Mask"]
) -> Iterator[_Asked]:
    """Of stages the latency's P95 only; corrected is only the latency of all requests of a phase with cycles."""
    for phase in phases:
        own = _cells(read, "phase", phase)
        for scope, cells in scopes.items():
            yield _one(read, "latency", (phase, scope), own & cells)
            yield _one(read, "ttft", (phase, scope), own & cells)
        if phase in read.cycles_us:
            yield _one(read, "corrected", (phase, SCOPE_ALL), own)
        for stage, cells in stages.items():
            yield _one(read, "latency", (phase, stage), own & cells, is_stage=True)


def _one(read: Reading, measure: str, cell: Cell, cells: "Mask", *, is_stage: bool = False) -> _Asked:
    latency = cells & np.array([one.is_latency for one in read.cells], bool)
    bound = latency & np.array([one.is_bound and measure != "ttft" for one in read.cells], bool)
    kinds = _KINDS[measure]
    rows, bounds = Selection(kinds, latency), Selection(kinds, bound)
    n, requests = (
        int(read.histogram.of(one).sum())
        for one in (rows, Selection(tuple(kind for kind in kinds if kind != FILL), latency))
    )
    if is_stage:
        ranks = _wanted_of_stage(n, int(read.histogram.of(bounds).sum()))
    else:
        ranks = _wanted_ranks(measure, n, requests) if n else {}
    return _Asked(measure, cell, rows, bounds, n, ranks)


def _picked(read: Reading, asked: Sequence[_Asked], rows: Iterator[Rows]) -> dict[tuple[str, Cell], Distribution]:
    least = [(one.bounds, [1] if read.histogram.of(one.bounds).any() else []) for one in asked]
    values = exact_values(read.histogram, [*((one.rows, one.places) for one in asked), *least], rows)
    found = {}
    for one, own, bound in zip(asked, values, values[len(asked) :], strict=False):
        percentiles = {
            metric: Percentile(*(own[rank] if rank else None for rank in ranks)) for metric, ranks in one.ranks.items()
        }
        found[one.measure, one.cell] = Distribution(one.n, own[one.n], bound.get(1), percentiles)
    return found


def _wanted_ranks(measure: str, n: int, requests: int) -> dict[str, tuple[int | None, ...]]:
    """For each percentile metric of the measure the places of its value, interval and one-sided bound.

    `requests` of the n rows were measured: what was filled in makes no percentile more certain.
    """
    return {
        metric: (
            rank_of(share, n) if requests >= minimum else None,
            *(scaled_rank(rank, requests, n) for rank in percentile_interval_ranks(share, requests)),
            scaled_rank(percentile_low_rank(share, requests), requests, n),
        )
        for metric, (share, minimum) in PERCENTILES.items()
        if measure_of(metric) == measure
    }


def _wanted_of_stage(n: int, bounds: int) -> dict[str, tuple[int | None, ...]]:
    """The P95's own place, and that to which it moves when all lower bounds leave their places below it."""
    share, minimum = PERCENTILES[_STAGE_METRIC]
    if n < minimum:
        return {_STAGE_METRIC: (None,) * 5}
    rank = rank_of(share, n)
    return {_STAGE_METRIC: (rank, None, None, None, rank + bounds if rank + bounds <= n else None)}


def _answers(read: Reading, scopes: Mapping[str, "Mask"]) -> dict[Cell, Answers]:
    """Ok answers by the minute in which they ended, for every phase and stage that has a span."""
    is_ok = _cells(read, "outcome", "ok")
    counted = {scope: _by_slot(read, cells & is_ok) for scope, cells in scopes.items()}
    by_stage = {stage_cell(piece.phase, piece.stage): 0 for piece in read.stages}
    for (number, _), count in zip(read.minutes.slots, counted[SCOPE_ALL].tolist(), strict=True):
        piece = read.stages[number]
        by_stage[stage_cell(piece.phase, piece.stage)] += count
    of_phases = {
        (phase, scope): _answers_of_phase(read, counts, phase)
        for phase in dict.fromkeys(part.phase for part in read.parts)
        for scope, counts in counted.items()
    }
    return of_phases | {cell: Answers(count, None, 0) for cell, count in by_stage.items()}


def _by_slot(read: Reading, cells: "Mask") -> "Numbers":
    if not read.minutes.slots:
        return np.zeros(0, np.int64)
    found: Numbers = read.minutes.counts[cells[: len(read.minutes.counts)]].sum(axis=0)[:-1]
    return found


def _answers_of_phase(read: Reading, counts: "Numbers", phase: str) -> Answers:
    """A minute may have several slots: those of the stages that meet in it."""
    own = {
        number: [0] * part.full_minutes for number, part in enumerate(read.parts) if part.phase == phase
    }
    total = 0
    for (number, minute), count in zip(read.minutes.slots, counts.tolist(), strict=True):
        minutes = own.get(read.stages[number].stretch)
        if minutes is not None:
            total += count
            if minute < len(minutes):
                minutes[minute] += count
    full = [count for minutes in own.values() for count in minutes]
    return Answers(total, min(full, default=None), len(full))
