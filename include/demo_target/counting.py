"""Counts requests of a load test by run and phase, so that a generator's own figures can be held to the truth."""

PHASES = ("login", "warm_up", "load")
MAX_RUNS = 1000


class RequestCounter:
    """Requests by run id and phase, counted when they arrive, whatever becomes of them."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, int]] = {}

    def count(self, run_id: str, phase: str) -> None:
        """Count one request; the oldest run is forgotten when there are too many."""
        if run_id not in self._runs and len(self._runs) >= MAX_RUNS:
            self._runs.pop(next(iter(self._runs)))
        phases = self._runs.setdefault(run_id, dict.fromkeys(PHASES, 0))
        if phase in phases:
            phases[phase] += 1

    def of(self, run_id: str) -> dict[str, int]:
        """Requests of a run by phase; zeros for a run that sent none."""
        return dict(self._runs.get(run_id, dict.fromkeys(PHASES, 0)))
