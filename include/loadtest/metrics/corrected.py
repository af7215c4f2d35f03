"""Latencies corrected for users who waited: the starts that a late answer kept a user from are filled in.

In a closed load a user who waits starts nothing, so a stall leaves few slow rows, however many requests people would
have made meanwhile (coordinated omission). HdrHistogram's rule (Gil Tene, `copyCorrectedForCoordinatedOmission`): a
latency L of a user who starts anew every C stands also for the starts that it kept back, which would have waited L − C,
L − 2C, … as long as that is at least C.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def define_fills(opened: "DuckDBPyConnection", *, is_closed: bool) -> None:
    """Tables `cycles` and `fills`: what is filled in, a row a missing start. Needs the macro `is_latency`.

    C is the mean over a phase's users of the mean time between a user's successive intended starts. A phase where no
    user started twice has none, nor has an open load, where no user waits. A user's latencies add up to no more than
    its cycles, so there are hardly more rows filled in than measured.
    """
    opened.execute(
        "CREATE TABLE cycles AS WITH starts AS (SELECT phase, count(*) AS n, "
        'epoch_ns(max(intended_start)) - epoch_ns(min(intended_start)) AS ns FROM samples GROUP BY phase, "user") '
        "SELECT phase, round(avg(ns / (n - 1)) / 1000)::BIGINT AS cycle_us FROM starts "
        "WHERE n > 1 AND $is_closed GROUP BY phase HAVING cycle_us > 0",
        {"is_closed": is_closed},
    )
    opened.execute(
        "CREATE TABLE fills AS SELECT phase, stage, scenario, endpoint, outcome, "
        "latency_us - unnest(range(1, latency_us // cycle_us)) * cycle_us AS us "
        "FROM samples JOIN cycles USING (phase) WHERE latency_us >= 2 * cycle_us AND is_latency(outcome)"
    )
