"""What the samples say, by phase and scope, in three passes over the rows and memory that does not grow with them.

A percentile needs its exact row, yet sorting ten million rows takes seconds and hundreds of megabytes. So the first
pass counts rows in narrow buckets (at most 1 % wide); the counts tell in which bucket each wanted rank lies; the second
pass fetches only the rows of those buckets and picks the exact one. The third counts the answers by their end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.loadtest.metrics.phases import MINUTE_US, Stretch
from include.loadtest.metrics.statistics import percentile_interval_ranks, percentile_low_rank, rank_of
from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES, LOWER_BOUND_OUTCOMES, PERCENTILES, SCOPE_ALL

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SLOTS = 1_000_000  # more minutes than a stretch has
Cell = tuple[str, str]
"""Phase and scope."""


@dataclass(frozen=True)
class Percentile:
    """A percentile's exact rows, in microseconds; None where there is no such row."""

    value_us: int | None
    low_us: int | None
    high_us: int | None
    low_95_us: int | None


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
    """All figures of the samples; a cell without rows is absent from `distributions` and `outcomes`."""

    scopes: Sequence[str]
    phases: Sequence[str]
    distributions: Mapping[tuple[str, Cell], Distribution] = field(default_factory=dict)
    outcomes: Mapping[Cell, Mapping[str, int]] = field(default_factory=dict)
    answers: Mapping[Cell, Answers] = field(default_factory=dict)


def measure_of(metric: str) -> str:
    """Which column a percentile metric is computed from: `latency` or `ttft`."""
    return "ttft" if metric.startswith("ttft_") else "latency"


def sample_figures(opened: "DuckDBPyConnection", scenarios: Iterable[str], parts: Sequence[Stretch]) -> SampleFigures:
    """All figures of the view `samples`; `scenarios` are those that the profile plans."""
    _define(opened)
    scopes = _define_scopes(opened, scenarios)
    phases = [row[0] for row in opened.execute("SELECT DISTINCT phase FROM buckets ORDER BY phase").fetchall()]
    return SampleFigures(scopes, phases, _distributions(opened), _outcomes(opened), _answers(opened, parts, scopes))


def _texts(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _define(opened: "DuckDBPyConnection") -> None:
    """Macros, and the first pass: the table `buckets`."""
    opened.execute(f"CREATE MACRO is_latency(outcome) AS outcome IN ({_texts(LATENCY_OUTCOMES)})")
    opened.execute(f"CREATE MACRO is_bound(outcome) AS outcome IN ({_texts(LOWER_BOUND_OUTCOMES)})")
    opened.execute(
        "CREATE MACRO bucket(us) AS us - us % CASE WHEN us < 10000 THEN 10 WHEN us < 100000 THEN 100 "
        "WHEN us < 1000000 THEN 1000 WHEN us < 10000000 THEN 10000 ELSE 100000 END"
    )
    opened.execute(
        "CREATE VIEW measured AS "
        "SELECT 'latency' AS measure, phase, scenario, endpoint, outcome, latency_us AS us FROM samples UNION ALL "
        "SELECT 'ttft', phase, scenario, endpoint, outcome, ttfb_us FROM samples "
        "WHERE ttfb_us IS NOT NULL AND is_latency(outcome)"
    )
    opened.execute(
        "CREATE TABLE buckets AS SELECT measure, phase, scenario, endpoint, outcome, bucket(us) AS bucket, "
        "count(*) AS n, min(us) AS least, max(us) AS largest FROM measured GROUP BY ALL"
    )


def _define_scopes(opened: "DuckDBPyConnection", scenarios: Iterable[str]) -> list[str]:
    """Table `scopes`: what each scope selects, null for no restriction. Returns their names in order."""
    seen = opened.execute("SELECT DISTINCT scenario, endpoint FROM buckets").fetchall()
    names = [*dict.fromkeys([*scenarios, *sorted({row[0] for row in seen})])]
    endpoints = sorted({row[1] for row in seen})
    rows: list[tuple[str, str | None, str | None]] = [(SCOPE_ALL, None, None)]
    rows += [(f"scenario:{name}", name, None) for name in names]
    rows += [(f"endpoint:{name}", None, name) for name in endpoints]
    opened.execute(
        "CREATE TABLE scopes AS SELECT unnest(?) AS scope, unnest(?) AS scenario, unnest(?) AS endpoint",
        [list(column) for column in zip(*rows, strict=True)],
    )
    opened.execute(
        "CREATE MACRO selects(wanted_scenario, wanted_endpoint, own_scenario, own_endpoint) AS "
        "(wanted_scenario IS NULL OR wanted_scenario = own_scenario) "
        "AND (wanted_endpoint IS NULL OR wanted_endpoint = own_endpoint)"
    )
    return [row[0] for row in rows]


def _outcomes(opened: "DuckDBPyConnection") -> dict[Cell, dict[str, int]]:
    rows = opened.execute(
        "SELECT phase, scope, outcome, sum(n)::BIGINT FROM buckets b JOIN scopes s "
        "ON selects(s.scenario, s.endpoint, b.scenario, b.endpoint) WHERE measure = 'latency' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: dict[Cell, dict[str, int]] = {}
    for phase, scope, outcome, count in rows:
        found.setdefault((phase, scope), {})[outcome] = count
    return found


def _distributions(opened: "DuckDBPyConnection") -> dict[tuple[str, Cell], Distribution]:
    opened.execute(
        "CREATE TABLE scoped AS SELECT measure, phase, scope, s.scenario, s.endpoint, bucket, sum(n)::BIGINT AS n, "
        "max(largest) AS largest, min(least) FILTER (measure = 'latency' AND is_bound(outcome)) AS least_bound "
        "FROM buckets b JOIN scopes s ON selects(s.scenario, s.endpoint, b.scenario, b.endpoint) "
        "WHERE is_latency(outcome) GROUP BY ALL"
    )
    totals = opened.execute(
        "SELECT measure, phase, scope, sum(n)::BIGINT, max(largest), min(least_bound) FROM scoped GROUP BY ALL"
    ).fetchall()
    wanted = {(row[0], row[1], row[2]): _wanted_ranks(row[0], row[3]) for row in totals}
    picked = _pick(opened, wanted)
    found = {}
    for measure, phase, scope, rows, max_us, least_bound_us in totals:
        key = (measure, phase, scope)
        percentiles = {
            metric: Percentile(*(picked.get((*key, rank or 0)) for rank in ranks))
            for metric, ranks in wanted[key].items()
        }
        found[measure, (phase, scope)] = Distribution(rows, max_us, least_bound_us, percentiles)
    return found


def _wanted_ranks(measure: str, n: int) -> dict[str, tuple[int | None, ...]]:
    """For each percentile metric of the measure the places of its value, interval and one-sided bound."""
    return {
        metric: (
            rank_of(share, n) if n >= minimum else None,
            *percentile_interval_ranks(share, n),
            percentile_low_rank(share, n),
        )
        for metric, (share, minimum) in PERCENTILES.items()
        if measure_of(metric) == measure
    }


def _pick(
    opened: "DuckDBPyConnection", wanted: Mapping[tuple[str, str, str], Mapping[str, tuple[int | None, ...]]]
) -> dict[tuple[str, str, str, int], int]:
    """The second pass: the exact row of every wanted rank."""
    ranks = sorted(
        {(*key, rank) for key, metrics in wanted.items() for all_ in metrics.values() for rank in all_ if rank}
    )
    if not ranks:
        return {}
    opened.execute(
        "CREATE TABLE ranks AS SELECT unnest(?) AS measure, unnest(?) AS phase, unnest(?) AS scope, unnest(?) AS place",
        [list(column) for column in zip(*ranks, strict=True)],
    )
    opened.execute(
        "CREATE TABLE located AS WITH summed AS (SELECT *, sum(n) OVER (PARTITION BY measure, phase, scope "
        "ORDER BY bucket) - n AS below FROM scoped) "
        "SELECT r.*, s.scenario, s.endpoint, s.bucket, r.place - s.below AS place_in_bucket FROM ranks r JOIN summed s "
        "ON r.measure = s.measure AND r.phase = s.phase AND r.scope = s.scope "
        "AND r.place > s.below AND r.place <= s.below + s.n"
    )
    rows = opened.execute(
        "WITH wanted AS (SELECT DISTINCT measure, phase, scope, scenario, endpoint, bucket FROM located), "
        "placed AS (SELECT w.measure, w.phase, w.scope, w.bucket, us, "
        "row_number() OVER (PARTITION BY w.measure, w.phase, w.scope, w.bucket ORDER BY us) AS place_in_bucket "
        "FROM measured m JOIN wanted w ON m.measure = w.measure AND m.phase = w.phase AND bucket(m.us) = w.bucket "
        "AND selects(w.scenario, w.endpoint, m.scenario, m.endpoint) WHERE is_latency(m.outcome)) "
        "SELECT measure, phase, scope, place, us FROM placed JOIN located "
        "USING (measure, phase, scope, bucket, place_in_bucket)"
    ).fetchall()
    return {(measure, phase, scope, place): us for measure, phase, scope, place, us in rows}


def _answers(opened: "DuckDBPyConnection", parts: Sequence[Stretch], scopes: Sequence[str]) -> dict[Cell, Answers]:
    """The third pass: ok answers by the minute in which they ended, for every phase that has a span."""
    counts = _minute_counts(opened, parts) if parts else {}
    return {
        (phase, scope): _answers_of_phase(counts, [*enumerate(parts)], phase, scope)
        for phase in dict.fromkeys(part.phase for part in parts)
        for scope in scopes
    }


def _answers_of_phase(
    counts: Mapping[tuple[int, str, int], int], parts: Sequence[tuple[int, Stretch]], phase: str, scope: str
) -> Answers:
    own = [(number, part) for number, part in parts if part.phase == phase]
    numbers = {number for number, _ in own}
    total = sum(count for (number, name, _), count in counts.items() if number in numbers and name == scope)
    minutes = [counts.get((number, scope, minute), 0) for number, part in own for minute in range(part.full_minutes)]
    return Answers(total, min(minutes, default=None), len(minutes))


def _minute_counts(opened: "DuckDBPyConnection", parts: Sequence[Stretch]) -> dict[tuple[int, str, int], int]:
    """Ok answers by number of the stretch, scope and minute from the stretch's start."""
    cases = " ".join(
        f"WHEN us >= {part.start_us} AND us < {part.end_us} "
        f"THEN {number * _SLOTS} + (us - {part.start_us}) // {MINUTE_US}"
        for number, part in enumerate(parts)
    )
    opened.execute(f"CREATE MACRO slot(us) AS CASE {cases} END")
    # Nanoseconds are cut to microseconds, the resolution of the latency: whole microseconds bound the stretches.
    rows = opened.execute(
        "WITH ends AS (SELECT scenario, endpoint, epoch_ns(intended_start) // 1000 + latency_us AS us "
        "FROM samples WHERE outcome = 'ok'), "
        "counted AS (SELECT scenario, endpoint, slot(us) AS slot, count(*) AS n FROM ends GROUP BY ALL) "
        "SELECT slot, scope, sum(n)::BIGINT FROM counted c JOIN scopes s "
        "ON selects(s.scenario, s.endpoint, c.scenario, c.endpoint) WHERE slot IS NOT NULL GROUP BY ALL"
    ).fetchall()
    return {(slot // _SLOTS, scope, slot % _SLOTS): count for slot, scope, count in rows}
