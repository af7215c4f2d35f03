from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.orchestration.diagnosis import reference_of

pytestmark = pytest.mark.unit


def difference(metric: str, scope: str, previous: float | None) -> dict:
    return {"metric": metric, "scope": scope, "previous": previous}


def test_the_reference_is_the_last_comparable_run(tmp_path: Path) -> None:
    """Figures of all requests that it has; what it had not measured is no reference."""
    bundle = Bundle(tmp_path / "smoke-1")
    differences = [
        difference("latency_p95_ms", "all", 800.0),
        difference("latency_p95_ms", "scenario:simple_query", 700.0),
        difference("cache_hit_rate", "all", None),
    ]
    bundle.write("comparison.json", {"previous_run_id": "smoke-0", "differences": differences})
    assert reference_of(bundle) == {"latency_p95_ms": 800.0}


def test_without_a_comparable_run_there_is_no_reference(tmp_path: Path) -> None:
    """Neither a missing comparison nor one that found no earlier run gives figures."""
    bundle = Bundle(tmp_path / "smoke-1")
    assert reference_of(bundle) is None
    bundle.write("comparison.json", {"previous_run_id": None, "differences": []})
    assert reference_of(bundle) is None
