"""How large the large measures are: as large as the goals say, or fewer for a quick try: SAMPLES=20000."""

import os
from dataclasses import dataclass

from include.loadtest.errors import ConfigError

FULL_SAMPLES, FULL_ROWS = 1_000_000, 10_000_000
LEAST = 20_000


@dataclass(frozen=True)
class Sizes:
    """`samples`: real requests of one generator; `rows`: of the recorder, or the analysis, alone: ten times as many."""

    samples: int
    rows: int


def sizes(text: str | None = None) -> Sizes:
    """By the environment variable SAMPLES, where it is set. Raises ConfigError for what is no such number."""
    wanted = (os.environ.get("SAMPLES", "") if text is None else text).strip()
    if not wanted:
        return Sizes(FULL_SAMPLES, FULL_ROWS)
    if not wanted.isdecimal() or not LEAST <= int(wanted) <= FULL_SAMPLES:
        raise ConfigError(f"SAMPLES: {wanted!r} is no whole number from {LEAST:,} to {FULL_SAMPLES:,}; leave it out")
    return Sizes(int(wanted), 10 * int(wanted))
