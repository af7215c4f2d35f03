"""What the samples say, by phase and scope or stage: three passes over the rows, memory that does not grow with them.

A percentile needs its exact row, yet sorting ten million rows takes seconds and hundreds of megabytes. So the first
pass counts rows in narrow buckets (at most 1 % wide); the counts tell in which bucket each wanted rank lies; the second
pass fetches only the rows of those buckets and picks the exact one. The third counts the answers by their end.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from include.loadtest.metrics.corrected import define_fills
from include.loadtest.metrics.figures import (
    Answers,
    Cell,
    Distribution,
    Percentile,
    SampleFigures,
    measure_of,
    stage_cell,
)
from include.loadtest.metrics.phases import MINUTE_US, Piece, Stretch
from include.loadtest.metrics.statistics import percentile_interval_ranks, percentile_low_rank, rank_of, scaled_rank
from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES, LOWER_BOUND_OUTCOMES, PERCENTILES, SCOPE_ALL

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SLOTS = 1_000_000  # more minutes than a stretch has
_REFUSALS = ("http_error", "rejected")
QUICK_US = 1_000_000
_STAGE_METRIC = "latency_p95_ms"


def sample_figures(
    opened: "DuckDBPyConnection",
    scenarios: Iterable[str],
    parts: Sequence[Stretch],
    stages: Sequence[Piece],
    *,
    is_closed: bool = True,
) -> SampleFigures:
    """All figures of the view `samples`; `scenarios` are those that the profile plans, `stages` make up the `parts`.

    A quick refusal is a 429 or 503 whose answer was complete less than 1 s after the intended start. Only a closed load
    has corrected latencies (see `corrected`).
    """
    _define(opened, is_closed=is_closed)
    scopes = _define_scopes(opened, scenarios, stages)
    phases = [row[0] for row in opened.execute("SELECT DISTINCT phase FROM buckets ORDER BY phase").fetchall()]
    distributions = _distributions(opened)
    outcomes, refused = _outcomes(opened)
    answers = _answers(opened, parts, stages, scopes)
    return SampleFigures(scopes, phases, distributions, outcomes, refused, answers)


def _texts(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _define(opened: "DuckDBPyConnection", *, is_closed: bool) -> None:
    """Macros, what each measure is composed of, and the first pass: the table `buckets`."""
    opened.execute(f"CREATE MACRO is_latency(outcome) AS outcome IN ({_texts(LATENCY_OUTCOMES)})")
    opened.execute(f"CREATE MACRO is_bound(outcome) AS outcome IN ({_texts(LOWER_BOUND_OUTCOMES)})")
    opened.execute(f"CREATE MACRO is_refusal(outcome) AS outcome IN ({_texts(_REFUSALS)})")
    opened.execute(f"CREATE MACRO is_quick(status, us) AS status IN (429, 503) AND us < {QUICK_US}")
    opened.execute(
        "CREATE MACRO bucket(us) AS us - us % CASE WHEN us < 10000 THEN 10 WHEN us < 100000 THEN 100 "
        "WHEN us < 1000000 THEN 1000 WHEN us < 10000000 THEN 10000 ELSE 100000 END"
    )
    define_fills(opened, is_closed=is_closed)
    opened.execute(
        "CREATE VIEW measured AS "
        "SELECT 'latency' AS measure, phase, stage, scenario, endpoint, outcome, latency_us AS us, "
        "is_quick(status, latency_us) AS is_quick FROM samples UNION ALL "
        "SELECT 'ttft', phase, stage, scenario, endpoint, outcome, ttfb_us, false FROM samples "
        "WHERE ttfb_us IS NOT NULL AND is_latency(outcome) UNION ALL "
        "SELECT 'fill', phase, stage, scenario, endpoint, outcome, us, false FROM fills"
    )
    opened.execute(
        "CREATE TABLE composed AS SELECT unnest(['latency', 'ttft', 'corrected', 'corrected']) AS measure, "
        "unnest(['latency', 'ttft', 'latency', 'fill']) AS part"
    )
    opened.execute(
        "CREATE TABLE buckets AS SELECT measure, phase, stage, scenario, endpoint, outcome, bucket(us) AS bucket, "
        "count(*) AS n, count(*) FILTER (is_quick) AS quick, min(us) AS least, max(us) AS largest "
        "FROM measured GROUP BY ALL"
    )


def _define_scopes(opened: "DuckDBPyConnection", scenarios: Iterable[str], stages: Iterable[Piece]) -> list[str]:
    """Table `scopes`: what each scope or stage selects, null for no restriction. Returns the scopes' names in order."""
    seen = opened.execute("SELECT DISTINCT scenario, endpoint FROM buckets").fetchall()
    names = [*dict.fromkeys([*scenarios, *sorted({row[0] for row in seen})])]
    endpoints = sorted({row[1] for row in seen})
    rows: list[tuple[str, str | None, str | None, str | None]] = [(SCOPE_ALL, None, None, None)]
    rows += [(f"scenario:{name}", name, None, None) for name in names]
    rows += [(f"endpoint:{name}", None, name, None) for name in endpoints]
    own_rows = [(stage_cell(piece.phase, piece.stage)[1], None, None, piece.stage) for piece in stages]
    opened.execute(
        "CREATE TABLE scopes AS "
        "SELECT unnest(?) AS scope, unnest(?::VARCHAR[]) AS scenario, unnest(?::VARCHAR[]) AS endpoint, "
        "unnest(?::VARCHAR[]) AS stage",
        [list(column) for column in zip(*rows, *dict.fromkeys(own_rows), strict=True)],
    )
    opened.execute(
        "CREATE MACRO selects(wanted_scenario, wanted_endpoint, wanted_stage, own_scenario, own_endpoint, own_stage) "
        "AS (wanted_scenario IS NULL OR wanted_scenario = own_scenario) "
        "AND (wanted_endpoint IS NULL OR wanted_endpoint = own_endpoint) "
        "AND (wanted_stage IS NULL OR wanted_stage = own_stage)"
    )
    return [row[0] for row in rows]


def _outcomes(opened: "DuckDBPyConnection") -> tuple[dict[Cell, dict[str, int]], dict[Cell, int]]:
    """Requests by outcome, and quick refusals."""
    rows = opened.execute(
        "SELECT phase, scope, outcome, sum(n)::BIGINT, "
        "coalesce(sum(quick) FILTER (is_refusal(outcome)), 0)::BIGINT FROM buckets b JOIN scopes s "
        "ON selects(s.scenario, s.endpoint, s.stage, b.scenario, b.endpoint, b.stage) "
        "WHERE measure = 'latency' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: dict[Cell, dict[str, int]] = {}
    refused: dict[Cell, int] = {}
    for phase, scope, outcome, count, quick in rows:
        found.setdefault((phase, scope), {})[outcome] = count
        refused[phase, scope] = refused.get((phase, scope), 0) + quick
    return found, refused


def _distributions(opened: "DuckDBPyConnection") -> dict[tuple[str, Cell], Distribution]:
    opened.execute(
        "CREATE TABLE scoped AS SELECT c.measure, phase, scope, s.scenario, s.endpoint, s.stage, bucket, "
        "sum(n)::BIGINT AS n, coalesce(sum(n) FILTER (part <> 'fill'), 0)::BIGINT AS requests, "
        "max(largest) AS largest, "
        "min(least) FILTER (c.measure <> 'ttft' AND is_bound(outcome)) AS least_bound, "
        "coalesce(sum(n) FILTER (is_bound(outcome)), 0)::BIGINT AS bounds "
        "FROM buckets b JOIN composed c ON c.part = b.measure "
        "JOIN scopes s ON selects(s.scenario, s.endpoint, s.stage, b.scenario, b.endpoint, b.stage) "
        "WHERE is_latency(outcome) AND (s.stage IS NULL OR c.measure = 'latency') "
        "AND (c.measure <> 'corrected' OR (scope = $all AND phase IN (SELECT phase FROM cycles))) GROUP BY ALL",
        {"all": SCOPE_ALL},
    )
    totals = opened.execute(
        "SELECT measure, phase, scope, sum(n)::BIGINT, max(largest), min(least_bound), any_value(stage), "
        "sum(bounds)::BIGINT, sum(requests)::BIGINT FROM scoped GROUP BY measure, phase, scope"
    ).fetchall()
    wanted = {
        (measure, phase, scope): (
            _wanted_ranks(measure, rows, requests) if stage is None else _wanted_of_stage(rows, bounds)
        )
        for measure, phase, scope, rows, _, _, stage, bounds, requests in totals
    }
    picked = _pick(opened, wanted)
    found = {}
    for measure, phase, scope, rows, max_us, least_bound_us, *_ in totals:
        key = (measure, phase, scope)
        percentiles = {
            metric: Percentile(*(picked.get((*key, rank or 0)) for rank in ranks))
            for metric, ranks in wanted[key].items()
        }
        found[measure, (phase, scope)] = Distribution(rows, max_us, least_bound_us, percentiles)
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
        "SELECT r.*, s.scenario, s.endpoint, s.stage, s.bucket, r.place - s.below AS place_in_bucket "
        "FROM ranks r JOIN summed s ON r.measure = s.measure AND r.phase = s.phase AND r.scope = s.scope "
        "AND r.place > s.below AND r.place <= s.below + s.n"
    )
    rows = opened.execute(
        "WITH wanted AS (SELECT DISTINCT measure, part, phase, scope, scenario, endpoint, stage, bucket "
        "FROM located JOIN composed USING (measure)), "
        "placed AS (SELECT w.measure, w.phase, w.scope, w.bucket, us, "
        "row_number() OVER (PARTITION BY w.measure, w.phase, w.scope, w.bucket ORDER BY us) AS place_in_bucket "
        "FROM measured m JOIN wanted w ON m.measure = w.part AND m.phase = w.phase AND bucket(m.us) = w.bucket "
        "AND selects(w.scenario, w.endpoint, w.stage, m.scenario, m.endpoint, m.stage) WHERE is_latency(m.outcome)) "
        "SELECT measure, phase, scope, place, us FROM placed JOIN located "
        "USING (measure, phase, scope, bucket, place_in_bucket)"
    ).fetchall()
    return {(measure, phase, scope, place): us for measure, phase, scope, place, us in rows}


def _answers(
    opened: "DuckDBPyConnection", parts: Sequence[Stretch], stages: Sequence[Piece], scopes: Sequence[str]
) -> dict[Cell, Answers]:
    """The third pass: ok answers by the minute in which they ended, for every phase and stage that has a span."""
    by_minute: Counter[tuple[int, str, int]] = Counter()
    by_stage = Counter({stage_cell(piece.phase, piece.stage): 0 for piece in stages})
    for (number, scope, minute), count in _minute_counts(opened, parts, stages).items():
        piece = stages[number]
        by_minute[piece.stretch, scope, minute] += count
        if scope == SCOPE_ALL:
            by_stage[stage_cell(piece.phase, piece.stage)] += count
    of_phases = {
        (phase, scope): _answers_of_phase(by_minute, [*enumerate(parts)], phase, scope)
        for phase in dict.fromkeys(part.phase for part in parts)
        for scope in scopes
    }
    return of_phases | {cell: Answers(count, None, 0) for cell, count in by_stage.items()}


def _answers_of_phase(
    counts: Mapping[tuple[int, str, int], int], parts: Sequence[tuple[int, Stretch]], phase: str, scope: str
) -> Answers:
    own = [(number, part) for number, part in parts if part.phase == phase]
    numbers = {number for number, _ in own}
    total = sum(count for (number, name, _), count in counts.items() if number in numbers and name == scope)
    minutes = [counts.get((number, scope, minute), 0) for number, part in own for minute in range(part.full_minutes)]
    return Answers(total, min(minutes, default=None), len(minutes))


def _minute_counts(
    opened: "DuckDBPyConnection", parts: Sequence[Stretch], stages: Sequence[Piece]
) -> dict[tuple[int, str, int], int]:
    """Ok answers by number of the piece, scope and minute from the start of the piece's stretch."""
    if not stages:
        return {}
    cases = " ".join(
        f"WHEN us >= {piece.start_us} AND us < {piece.end_us} "
        f"THEN {number * _SLOTS} + (us - {parts[piece.stretch].start_us}) // {MINUTE_US}"
        for number, piece in enumerate(stages)
    )
    opened.execute(f"CREATE MACRO slot(us) AS CASE {cases} END")
    # Nanoseconds are cut to microseconds, the resolution of the latency: whole microseconds bound the stretches.
    rows = opened.execute(
        "WITH ends AS (SELECT scenario, endpoint, epoch_ns(intended_start) // 1000 + latency_us AS us "
        "FROM samples WHERE outcome = 'ok'), "
        "counted AS (SELECT scenario, endpoint, slot(us) AS slot, count(*) AS n FROM ends GROUP BY ALL) "
        "SELECT slot, scope, sum(n)::BIGINT FROM counted c JOIN scopes s "
        "ON s.stage IS NULL AND selects(s.scenario, s.endpoint, NULL, c.scenario, c.endpoint, NULL) "
        "WHERE slot IS NOT NULL GROUP BY ALL"
    ).fetchall()
    return {(slot // _SLOTS, scope, slot % _SLOTS): count for slot, scope, count in rows}
