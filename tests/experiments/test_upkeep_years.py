"""The first days of the simulated years, on a real database."""

import pytest

from experiments.upkeep_years import years

pytestmark = pytest.mark.integration
MOST = 2
"""The last day, counted from 0."""


def test_some_days_pass_with_runs_and_nothing_breaks() -> None:
    """The slots of the year before are skipped, a Sunday's suite runs, all of it is in the history."""
    with years(lambda _text: None, MOST) as found:
        outcomes = {entry.kind: entry.outcome for entry in found.airflow.book}
        assert [line for line in found.broken if "grows" not in line] == []
        assert found.checks > 50
        assert len(found.world.concluded) >= 6
    assert "more than the suite's grace" in outcomes["quarterly"]
    assert outcomes["weekly"] in ("PASS", "WARN", "SLA_BREACH", "INCONCLUSIVE")
