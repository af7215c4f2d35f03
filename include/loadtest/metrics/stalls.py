"""Stalls: somebody waits for an answer and nothing comes back, to anybody.

The percentiles of a closed load hardly show one, since a user who waits asks for nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.loadtest.metrics.phases import Stretch
from include.loadtest.profile.vocabulary import ANSWER_OUTCOMES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SLOTS_US = (10_000, 1)
"""Coarse to fine: a stall at least as long as a slot cannot hide inside of one, so it is found exactly."""
_BATCHES = (1, 1000, 1_000_000_000)
"""So many of the longest gaps are looked into at once; in a busy run the longest alone decides."""


@dataclass(frozen=True)
class Stall:
    """The longest time in a phase with a request in flight and no answer to any; `answers` ended in the phase.

    A request is in flight from its intended start to its end. `start_us`: since 1970 (UTC); `waiting`: requests that
    were in flight during the stall. All three are None where no request was in flight.
    """

    answers: int
    seconds: float | None = None
    start_us: int | None = None
    waiting: int | None = None


def longest_stalls(opened: "DuckDBPyConnection", parts: Sequence[Stretch]) -> dict[str, Stall]:
    """The longest stall by phase, from the view `samples`; memory does not grow with its rows.

    Not every end is sorted: slots of time keep their first and last end, which gives all gaps between answers that are
    at least a slot long, and only the requests in flight in the longest gaps are looked at one by one.
    """
    if not parts:
        return {}
    _define(opened, parts)
    phases = list(dict.fromkeys(part.phase for part in parts))
    found: dict[str, Stall] = {}
    for slot_us in _SLOTS_US:
        left = [phase for phase in phases if phase not in found]
        if not left:
            break
        answers = _find_gaps(opened, slot_us)
        for phase in left:
            stall = _longest(opened, phase, answers.get(phase, 0))
            if slot_us == _SLOTS_US[-1] or (stall.seconds is not None and stall.seconds * 1e6 >= slot_us):
                found[phase] = stall
    return found


def _define(opened: "DuckDBPyConnection", parts: Sequence[Stretch]) -> None:
    """Table `stretches`, view `waits` of all requests in µs, and the number of the stretch in which a time lies."""
    columns = [list(column) for column in zip(*((p.phase, p.start_us, p.end_us) for p in parts), strict=True)]
    opened.execute(
        "CREATE TABLE stretches AS SELECT unnest(range(len($1))) AS stretch, unnest($1) AS phase, "
        "unnest($2::BIGINT[]) AS start_us, unnest($3::BIGINT[]) AS end_us",
        columns,
    )
    opened.execute(
        "CREATE VIEW waits AS SELECT epoch_ns(intended_start) // 1000 AS from_us, "
        "epoch_ns(intended_start) // 1000 + latency_us AS to_us, outcome FROM samples"
    )
    cases = " ".join(
        f"WHEN us >= {part.start_us} AND us < {part.end_us} THEN {number}" for number, part in enumerate(parts)
    )
    answers = ", ".join(f"'{outcome}'" for outcome in ANSWER_OUTCOMES)
    opened.execute(f"CREATE MACRO is_answer(outcome) AS outcome IN ({answers})")
    opened.execute(f"CREATE MACRO stretch_at(us) AS CASE {cases} END")


def _find_gaps(opened: "DuckDBPyConnection", slot_us: int) -> dict[str, int]:
    """Table `gaps`: times without an answer of at least a slot; returns how many answers ended in each phase."""
    opened.execute(
        "CREATE OR REPLACE TEMP TABLE slots AS SELECT stretch_at(to_us) AS stretch, to_us // $slot_us AS slot, "
        "min(to_us) AS first_us, max(to_us) AS last_us, count(*) AS n FROM waits "
        "WHERE is_answer(outcome) AND stretch_at(to_us) IS NOT NULL GROUP BY ALL",
        {"slot_us": slot_us},
    )
    opened.execute(
        "CREATE OR REPLACE TEMP TABLE gaps AS WITH edges AS (SELECT stretch, first_us, last_us FROM slots UNION ALL "
        "SELECT stretch, start_us, start_us FROM stretches UNION ALL SELECT stretch, end_us, end_us FROM stretches), "
        "between_ends AS (SELECT stretch, "
        "lag(last_us) OVER (PARTITION BY stretch ORDER BY first_us, last_us) AS from_us, first_us AS to_us FROM edges) "
        "SELECT phase, from_us, to_us FROM between_ends JOIN stretches USING (stretch) "
        "WHERE to_us - from_us >= $slot_us",
        {"slot_us": slot_us},
    )
    rows = opened.execute("SELECT phase, sum(n)::BIGINT FROM slots JOIN stretches USING (stretch) GROUP BY phase")
    return dict(rows.fetchall())


def _longest(opened: "DuckDBPyConnection", phase: str, answers: int) -> Stall:
    """The longest stall in the gaps of a phase. No shorter gap is looked into than the longest stall found."""
    best = Stall(answers)
    for batch in _BATCHES:
        row = opened.execute(_IN_FLIGHT, {"phase": phase, "batch": batch}).fetchone()
        if row is not None:
            best = Stall(answers, row[1] / 1e6, row[0], row[2])
        (next_us,) = opened.execute(_NEXT_GAP, {"phase": phase, "batch": batch}).fetchone() or (None,)
        if next_us is None or (best.seconds is not None and next_us <= best.seconds * 1e6):
            break
    return best


_NEXT_GAP = (
    "SELECT to_us - from_us FROM gaps WHERE phase = $phase ORDER BY to_us - from_us DESC, from_us OFFSET $batch LIMIT 1"
)
_IN_FLIGHT = """
WITH chosen AS MATERIALIZED (
    SELECT from_us, to_us FROM gaps WHERE phase = $phase ORDER BY to_us - from_us DESC, from_us LIMIT $batch
), near AS (
    SELECT * FROM waits WHERE from_us < to_us
    AND from_us < (SELECT max(to_us) FROM chosen) AND to_us > (SELECT min(from_us) FROM chosen)
), inside AS (
    SELECT c.from_us AS gap, greatest(w.from_us, c.from_us) AS from_us, least(w.to_us, c.to_us) AS to_us
    FROM chosen c JOIN near w ON w.from_us < c.to_us AND w.to_us > c.from_us
), marked AS (
    SELECT *, coalesce(from_us > max(to_us) OVER (
        PARTITION BY gap ORDER BY from_us, to_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS is_new
    FROM inside
), numbered AS (
    SELECT *, sum(is_new::INT) OVER (PARTITION BY gap ORDER BY from_us, to_us ROWS UNBOUNDED PRECEDING) AS island
    FROM marked
)
SELECT min(from_us) AS start_us, max(to_us) - min(from_us) AS length_us, count(*) FROM numbered
GROUP BY gap, island ORDER BY length_us DESC, start_us LIMIT 1
"""
"""Within a gap the requests in flight, joined to unbroken times of waiting; the longest of them."""
