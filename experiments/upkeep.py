"""Two years of schedules in simulated time, then faults in the middle of real runs, with nobody looking after it."""

from collections.abc import Iterator

from experiments.claims import Claim, Say
from experiments.upkeep_faults import fault_claims
from experiments.upkeep_undone import undone_claims
from experiments.upkeep_years import year_claims

NAME = "upkeep"


def claims(say: Say) -> Iterator[Claim]:
    """Minutes of simulated years on a real PostgreSQL, then a real Airflow."""
    yield from year_claims(NAME, say)
    yield from undone_claims(NAME, say)
    yield from fault_claims(NAME, say)
