"""How many database connections the load needs, by Little's law. Pure arithmetic.

Little 1961, "A Proof for the Queuing Formula L = lambda W": the connections in use are the rate at which they are taken
times how long each is held. Where requests wait for one, the users come round more slowly: without that wait (w a
request, of a cycle C = users / throughput) the rate would be C / (C - w) times as high, and so would the connections.
Above the mean lies a margin for chance, its square root (Halfin and Whitt 1981, "Heavy-Traffic Limits for Queues with
Many Exponential Servers", Operations Research 29(3)). What is then still waited is that of the queue M/M/n (Erlang).
"""

import math
from dataclasses import dataclass, replace

from include.loadtest.analysis.bottleneck.limits import BUSY_SHARE
from include.loadtest.analysis.readings import Answers, Readings, Series
from include.loadtest.analysis.recommendations.spans import Rows, growths, interval

_HELD, _WAITED = ("app", "db_pool_held_seconds_sum"), ("app", "db_pool_wait_seconds_sum")
_SIZE, _USED = ("app", "db_pool_size"), ("app", "db_pool_used")
WAIT_MS = 10.0
"""Of an answer, for connections: taking a free one costs a tenth of a millisecond."""


@dataclass(frozen=True)
class Pool:
    """The application's pool of database connections in the hold.

    `needed` are the connections in use if nobody waited, on average, `low` and `high` their 95 % interval; None where
    it cannot be computed. `wait_ms` is the wait of an ok answer for connections, `saved_ms` what is less of it in a
    pool of the advised size, `saved_low_ms` and `saved_high_ms` its 95 % interval.
    """

    size: float
    used: float
    needed: float | None
    low: float | None
    high: float | None
    wait_ms: float | None
    saved_ms: float | None = None
    saved_low_ms: float | None = None
    saved_high_ms: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether it is used up, or requests wait for it: bursts fill a pool that is half empty on average."""
        return self.used >= BUSY_SHARE * self.size or (self.wait_ms or 0.0) >= WAIT_MS

    @property
    def advised(self) -> int | None:
        """The size to set: what is needed (the interval's upper end, if there is one) and its square root."""
        needed = self.needed if self.high is None else self.high
        return None if needed is None else math.ceil(needed + math.sqrt(needed))


def pool_of(readings: Readings, answers: Answers, users: int | None, start_us: int, end_us: int) -> Pool | None:
    """The pool in a stretch of time, from when on it had its last size; None where that or its use was not read."""
    sizes = readings.between(_SIZE, start_us, end_us)
    if not sizes:
        return None
    size = sizes[-1][1]
    since_us = next((us for us, value in reversed(sizes) if value != size), start_us - 1) + 1
    used, held, waited = (readings.between(kind, since_us, end_us) for kind in (_USED, _HELD, _WAITED))
    rows = _rows(held, waited, answers)
    in_use = _in_use(rows) if rows else _mean(used)
    if in_use is None:
        return None
    needed = None if users is None else _needed(rows, users)
    ends = None if users is None or needed is None else interval(rows, lambda own: _needed(own, users))
    low, high = ends or (None, None)
    pool = Pool(size, in_use, needed, low, high, _wait_ms(rows))
    return pool if users is None or pool.high is None else _with_saving(pool, rows, users)


def _with_saving(pool: Pool, rows: Rows, users: int) -> Pool:
    size = pool.advised
    if size is None or size <= pool.size:
        return pool
    low, high = interval(rows, lambda own: _saved_ms(own, users, size)) or (None, None)
    return replace(pool, saved_ms=_saved_ms(rows, users, size), saved_low_ms=low, saved_high_ms=high)


def _rows(held: Series, waited: Series, answers: Answers) -> list[tuple[float, ...]]:
    """Seconds, held seconds, waited seconds and ok answers of each time between two readings."""
    moments = [us for us, _ in held]
    ended = [(us, float(answers.count(0, us))) for us in moments]
    return growths([held, waited, ended]) if held and waited else []


def _mean(part: Series) -> float | None:
    return sum(value for _, value in part) / len(part) if part else None


def _sums(rows: Rows) -> list[float]:
    return [sum(column) for column in zip(*rows, strict=True)]


def _in_use(rows: Rows) -> float | None:
    seconds, held_s, _, _ = _sums(rows)
    return held_s / seconds if seconds else None


def _wait_ms(rows: Rows) -> float | None:
    if not rows:
        return None
    _, _, waited_s, answers = _sums(rows)
    return 1000 * waited_s / answers if answers else None


def _needed(rows: Rows, users: int) -> float | None:
    quicker = _quicker(rows, users)
    if quicker is None:
        return None
    seconds, held_s, _, _ = _sums(rows)
    return held_s / seconds * quicker


def _quicker(rows: Rows, users: int) -> float | None:
    """How many times as high the rate is if nobody waits for a connection."""
    if not rows:
        return None
    seconds, _, waited_s, answers = _sums(rows)
    if not (seconds and answers):
        return None
    cycle_s, wait_s = users * seconds / answers, waited_s / answers
    return None if cycle_s <= wait_s else cycle_s / (cycle_s - wait_s)


def _saved_ms(rows: Rows, users: int, size: int) -> float | None:
    """What an answer waits less in a pool of so many connections."""
    needed, quicker = _needed(rows, users), _quicker(rows, users)
    if needed is None or quicker is None or needed >= size:
        return None
    seconds, _, waited_s, answers = _sums(rows)
    left_s = erlang_c(size, needed) * needed / (size - needed) / (quicker * answers / seconds)
    return 1000 * (waited_s / answers - left_s)


def erlang_c(servers: int, busy: float) -> float:
    """The share of arrivals that wait in M/M/n with so many servers, of which `busy` (fewer) are busy on average."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = busy * blocked / (number + busy * blocked)
    return blocked / (1 - busy / servers * (1 - blocked))
