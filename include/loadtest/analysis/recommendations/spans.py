"""Growth of counters between the readings of a hold, and intervals of ratios of them. Pure arithmetic.

The unit of the bootstrap (Efron 1979) is the time between two readings: what happened in it stays together.
"""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import quantiles

from include.loadtest.analysis.readings import Series

LEAST_SPANS = 6
"""With fewer times between readings an interval says nothing."""
_DRAWS, _SEED = 500, 20241205

Rows = Sequence[tuple[float, ...]]
"""One row for each time between two readings: the growth of each counter in it."""


def growths(parts: Sequence[Series]) -> list[tuple[float, ...]]:
    """Rows of counters that were read together; the first column is the seconds. A time in which one fell is left out.

    Counters of one source have the same moments; a moment that one of them lacks is left out for all.
    """
    values = [dict(part) for part in parts]
    moments = sorted(set.intersection(*(set(own) for own in values))) if values else []
    rows = []
    for before, after in pairwise(moments):
        gained = [own[after] - own[before] for own in values]
        if all(one >= 0 for one in gained):
            rows.append(((after - before) / 1e6, *gained))
    return rows


def interval(rows: Rows, figure: Callable[[Rows], float | None]) -> tuple[float, float] | None:
    """95 % interval of a figure of rows, by drawing as many of them with replacement; None with too few rows."""
    if len(rows) < LEAST_SPANS:
        return None
    draw = random.Random(_SEED)  # noqa: S311 - the same interval for the same run; nothing is secret
    found = [figure([rows[draw.randrange(len(rows))] for _ in rows]) for _ in range(_DRAWS)]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    ends = quantiles(known, n=40, method="inclusive")
    return ends[0], ends[-1]
