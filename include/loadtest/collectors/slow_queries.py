"""Counts slow statements from what PostgreSQL says of them: means of the ended ones, and those that still run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Running(NamedTuple):
    """A statement that has been running for too long: its session, its begin (s since the epoch), its id if known."""

    pid: int
    begin_s: float
    queryid: int | None


class SlowQueries:
    """Statements that took too long, counted from the first reading on, each once.

    PostgreSQL keeps no count of them. Counted are the calls of a statement whose mean between two readings was too
    long, and those that are seen running for too long. One that is slow among many fast calls of its statement, and
    that ended between two readings, is not seen: the true number is rather higher.
    """

    def __init__(self) -> None:
        self._count = 0
        self._running: frozenset[Running] = frozenset()
        self._owed: Counter[int | None] = Counter()

    def add(self, running: Iterable[Running], ended_calls: Mapping[int, int]) -> float:
        """The count after one more reading.

        `ended_calls`: calls by statement that ended since the last reading with a mean that is too long. They must be
        asked for after `running`: what ran then and has ended since is in both, and counted once.
        """
        before, self._running = self._running, frozenset(running)
        for begun in self._running - before:
            self._owed[begun.queryid] += 1
            self._count += 1
        for queryid, calls in ended_calls.items():
            known = min(calls, self._owed[queryid])
            self._owed[queryid] -= known
            self._count += calls - known
        # Whatever ran no more when it was asked has been counted among the ended calls, or never will be.
        still = Counter(begun.queryid for begun in self._running)
        self._owed &= still
        return float(self._count)
