"""What the target asked of its LLM in each phase, and its own time beside it: from counters of its page or the LLM's.

    llm_calls             growth of the calls, whoever made them
    llm_calls_per_answer  growth of the calls ÷ growth of the streamed answers
    llm_wait_mean_ms      growth of the time spent waiting for the LLM ÷ growth of the calls that it is the time of
    own_time_mean_ms      (growth of the answers' durations - growth of the waits) ÷ growth of the answers
    llm_cost_eur          calls x price of a call; there is such a row only where the target file has the price

An answer from a cache has a duration and no wait: all of it is own time. The own time holds only under conditions:

- Answers and waits are of the same interval. An answer whose call has ended while itself has not counts in one of them
  only, and a single one of these at the start or the end of 300 answers moves their mean by a 300th of a wait: as much
  as the own time itself, perhaps. So it is the median over each reading of the first third with each of the last one:
  most readings have no such answer, and those that have some lie on both sides. With fewer than six readings in a
  stretch of the phase it is what its ends give.
- All waits belong to streamed answers. The target's own wait is taken where it exposes one; the LLM's own page also
  counts what others ask of it. With more wait than duration nothing is said.
- One process counts. Where several answer in turn, each with its own counters, nothing is said of them.

Between two readings a counter is taken to grow evenly, so that a phase has the calls between its start and its end.
Where its readings begin later or end sooner, the calls are a lower bound. A counter that falls, or whose process has
another start time, began anew: that interval counts as without growth. With one of these in the phase the calls are a
lower bound, and the ratios and the own time are null: what one counter lost in it, the other one has.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, product
from statistics import median
from typing import TYPE_CHECKING, Any

from include.loadtest.metrics.phases import Stretch
from include.loadtest.metrics.rows import llm_row
from include.loadtest.profile.vocabulary import NOT_EXPOSED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SEVERAL, TOO_FEW = "several processes count, each for itself", "fewer than two readings"
MORE_WAIT = "more time of waiting than of answers: they are not of the same requests"
NOTHING = "none in this phase"
RESTARTED = "a counter began anew in this phase: what it had counted since the reading before is lost"
_WHOLE_SHARE = 0.999
_LEAST_THIRD = 2
_CALLS, _WAIT_S, _WAITS = "llm_calls", "llm_wait_seconds_sum", "llm_wait_seconds_count"
_ANSWERS, _ANSWERS_S = "llm_stream_duration_seconds_count", "llm_stream_duration_seconds_sum"
_STARTED = "process_start_time_seconds"
_APP, _LLM = "app", "llm"
Kind = tuple[str, str]
"""Source and name of a reading."""
Span = tuple[int, int]
"""From one moment to another, in microseconds since 1970."""


@dataclass(frozen=True)
class Grown:
    """Growth of several counters over the same time; `share` of the phase that their readings cover.

    `restarted`: one of them began anew meanwhile, so that its growth is too small.
    """

    amounts: tuple[float, ...]
    share: float
    restarted: bool


@dataclass(frozen=True)
class Counter:
    """A counter without its restarts: times in microseconds since 1970, and how much it had grown by then.

    `falls`: between which readings it fell.
    """

    times_us: tuple[int, ...]
    totals: tuple[float, ...]
    falls: tuple[Span, ...]

    def at(self, us: int) -> float:
        """Its growth up to then, taken as even between two readings; `us` lies within its times."""
        after = min(bisect_right(self.times_us, us), len(self.times_us) - 1)
        (start_us, end_us), (low, high) = self.times_us[after - 1 : after + 1], self.totals[after - 1 : after + 1]
        return low + (high - low) * (us - start_us) / (end_us - start_us)


@dataclass(frozen=True)
class Figure:
    """A value with its n, or why there is none."""

    value: float | None
    n: int
    why: str | None = None
    lower_bound: bool = False


class LlmReadings:
    """The counters of a run. `restarts`: between which readings the process of a source became another one."""

    def __init__(
        self, counters: Mapping[Kind, Counter], several: frozenset[str], restarts: Mapping[str, Sequence[Span]]
    ) -> None:
        self._counters, self._several, self._restarts = counters, several, restarts

    def has(self, *kinds: Kind) -> bool:
        """Whether the run has readings of all of them."""
        return all(kind in self._counters for kind in kinds)

    def grown(self, parts: Sequence[Stretch], kinds: Sequence[Kind]) -> Grown | str:
        """Their growth in these parts of the run, or why it is not known."""
        if not self.has(*kinds):
            return NOT_EXPOSED
        counters = [self._counters[kind] for kind in kinds]
        if any(source in self._several for source, _ in kinds) or any(len(counter.falls) > 1 for counter in counters):
            return SEVERAL
        first_us = max(counter.times_us[0] for counter in counters)
        last_us = min(counter.times_us[-1] for counter in counters)
        cut = [(max(part.start_us, first_us), min(part.end_us, last_us)) for part in parts]
        cut = [(start_us, end_us) for start_us, end_us in cut if end_us > start_us]
        if not cut:
            return TOO_FEW
        amounts = tuple(sum(one.at(end_us) - one.at(start_us) for start_us, end_us in cut) for one in counters)
        covered_us, all_us = (sum(end_us - start_us for start_us, end_us in spans) for spans in (cut, _ends(parts)))
        anew = chain(*(counter.falls for counter in counters), *(self._restarts.get(source, ()) for source, _ in kinds))
        restarted = any(low < end_us and start_us < high for low, high in anew for start_us, end_us in cut)
        return Grown(amounts, covered_us / all_us, restarted)

    def points(self, part: Stretch, kinds: Sequence[Kind]) -> list[tuple[float, ...]]:
        """What they had grown to at each reading of the first of them in this part, where all of them have readings."""
        counters = [self._counters[kind] for kind in kinds]
        first_us = max(part.start_us, *(counter.times_us[0] for counter in counters))
        last_us = min(part.end_us, *(counter.times_us[-1] for counter in counters))
        times_us = [us for us in counters[0].times_us if first_us <= us <= last_us]
        return [tuple(counter.at(us) for counter in counters) for us in times_us]

    def count_in(self, parts: Sequence[Stretch], kind: Kind) -> int:
        """Number of readings that lie in these parts."""
        counter = self._counters.get(kind)
        times_us = counter.times_us if counter else ()
        return sum(start_us <= us < end_us for us in times_us for start_us, end_us in _ends(parts))


def _ends(parts: Sequence[Stretch]) -> list[Span]:
    return [(part.start_us, part.end_us) for part in parts]


def llm_readings(opened: "DuckDBPyConnection") -> LlmReadings:
    """The counters in the view `resources`. A source with several instances is one of several that count."""
    rows = opened.execute(
        "SELECT source, metric, coalesce(instance, ''), epoch_ns(ts) // 1000, value FROM resources "
        "WHERE source IN ('app', 'llm') AND list_contains(?, metric) AND isfinite(value) ORDER BY ALL",
        [[_CALLS, _WAIT_S, _WAITS, _ANSWERS, _ANSWERS_S, _STARTED]],
    ).fetchall()
    values: dict[Kind, dict[int, float]] = {}
    instances: dict[str, set[str]] = {}
    for source, metric, instance, us, value in rows:
        values.setdefault((source, metric), {})[us] = value
        instances.setdefault(source, set()).add(instance)
    several = {source for source, found in instances.items() if len(found) > 1}
    restarts = {}
    for source in instances:
        starts = [(us, round(start_s)) for us, start_s in values.get((source, _STARTED), {}).items()]
        restarts[source] = [(low, high) for (low, before), (high, after) in pairwise(starts) if before != after]
        if len(restarts[source]) >= max(1, len({start_s for _, start_s in starts})):
            several.add(source)  # else it was restarted: an earlier process never answers again
    counters = {kind: _counter(sorted(pairs.items())) for kind, pairs in values.items() if kind[1] != _STARTED}
    return LlmReadings(counters, frozenset(several), restarts)


def _counter(pairs: Sequence[tuple[int, float]]) -> Counter:
    total, totals = 0.0, [0.0]
    for (_, before), (_, after) in pairwise(pairs):
        total += max(0.0, after - before)
        totals.append(total)
    falls = tuple((low, high) for (low, before), (high, after) in pairwise(pairs) if after < before)
    return Counter(tuple(us for us, _ in pairs), tuple(totals), falls)


def llm_rows(
    readings: LlmReadings, phases: Sequence[str], parts: Sequence[Stretch], price_eur_a_call: float | None
) -> list[dict[str, Any]]:
    """The rows of metrics.json, by phase; `why` is null or says why there is no value (see the module)."""
    rows = []
    for phase in phases:
        own = [part for part in parts if part.phase == phase]
        calls = _calls(readings, own)
        figures = {
            "llm_calls": calls,
            "llm_calls_per_answer": _per_answer(readings, own),
            "llm_wait_mean_ms": _wait(readings, own),
            "own_time_mean_ms": _own_time(readings, own),
        }
        if price_eur_a_call is not None:
            cost = None if calls.value is None else calls.value * price_eur_a_call
            figures["llm_cost_eur"] = Figure(cost, calls.n, calls.why, calls.lower_bound)
        rows += [
            llm_row(metric, phase, one.value, one.n, one.why, lower_bound=one.lower_bound)
            for metric, one in figures.items()
        ]
    return rows


def _calls(readings: LlmReadings, parts: Sequence[Stretch]) -> Figure:
    """As the LLM counts them, else as the target does."""
    source = _LLM if readings.has((_LLM, _CALLS)) else _APP
    grown = readings.grown(parts, [(source, _CALLS)])
    n = readings.count_in(parts, (source, _CALLS))
    if isinstance(grown, str):
        return Figure(None, n, grown)
    return Figure(grown.amounts[0], n, lower_bound=grown.restarted or grown.share < _WHOLE_SHARE)


def _per_answer(readings: LlmReadings, parts: Sequence[Stretch]) -> Figure:
    return _ratio(readings, parts, _own_first(readings, _CALLS), (_APP, _ANSWERS), 1.0)


def _wait(readings: LlmReadings, parts: Sequence[Stretch]) -> Figure:
    total = _own_first(readings, _WAIT_S)
    return _ratio(readings, parts, total, (total[0], _WAITS), 1000.0)


def _own_first(readings: LlmReadings, metric: str) -> Kind:
    """What the target says of its own calls; else what the LLM says of all."""
    return (_APP if readings.has((_APP, metric)) else _LLM, metric)


def _ratio(readings: LlmReadings, parts: Sequence[Stretch], upper: Kind, lower: Kind, factor: float) -> Figure:
    """n is the growth of the lower one: answers, or calls."""
    grown = readings.grown(parts, [upper, lower])
    if isinstance(grown, str):
        return Figure(None, 0, grown)
    if grown.restarted:
        return Figure(None, 0, RESTARTED)
    above, below = grown.amounts
    return Figure(factor * above / below, round(below)) if below else Figure(None, 0, NOTHING)


def _own_time(readings: LlmReadings, parts: Sequence[Stretch]) -> Figure:
    """n is the number of answers, which is the weight of each stretch of the phase."""
    kinds = [(_APP, _ANSWERS_S), (_APP, _ANSWERS), _own_first(readings, _WAIT_S)]
    own_s = answers = 0.0
    for part in parts:
        grown = readings.grown([part], kinds)
        if isinstance(grown, str):
            return Figure(None, 0, grown)
        if grown.restarted:
            return Figure(None, 0, RESTARTED)
        durations_s, own_answers, waits_s = grown.amounts
        points = [(took_s - waited_s, done) for took_s, done, waited_s in readings.points(part, kinds)]
        slope_s = _far_slope(points)
        own_s += durations_s - waits_s if slope_s is None else slope_s * own_answers
        answers += own_answers
    if not answers:
        return Figure(None, 0, NOTHING if parts else TOO_FEW)
    return Figure(None, round(answers), MORE_WAIT) if own_s < 0 else Figure(1000 * own_s / answers, round(answers))


def _far_slope(points: Sequence[tuple[float, float]]) -> float | None:
    """The median slope from the first third of the points to the last; None for too few of them.

    Like Theil and Sen's, of the pairs that span most of the time: what single points are off by counts for nothing.
    """
    third = len(points) // 3
    if third < _LEAST_THIRD:
        return None
    pairs = product(points[:third], points[-third:])
    slopes = [(late - early) / (done - begun) for (early, begun), (late, done) in pairs if done > begun]
    return median(slopes) if slopes else None
