import pytest
from pydantic import ValidationError

from include.loadtest.collectors.plan import CollectorPlan

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("change", [{"interval_s": 0}, {"postgres": {"instance": "a", "url": "b"}}])
def test_a_plan_without_sense_is_refused(change: dict[str, object]) -> None:
    """No interval of nothing, and no place for an address."""
    with pytest.raises(ValidationError):
        CollectorPlan.model_validate({"resources_dir": "/", "interval_s": 5, "parent_pid": 1, **change})
