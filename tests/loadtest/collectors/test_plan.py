import pytest
from pydantic import ValidationError

from include.loadtest.collectors.plan import CollectorPlan

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("change", [{"interval_s": 0}, {"postgres": {"instance": "a", "url": "b"}}])
def test_a_plan_without_sense_is_refused(change: dict[str, object]) -> None:
    """No interval of nothing, and no place for an address."""
    with pytest.raises(ValidationError):
        CollectorPlan.model_validate({"resources_dir": "/", "interval_s": 5, "parent_pid": 1, **change})


def test_a_plan_names_its_sources() -> None:
    """As the readings name them: this machine is the generator's where the target runs elsewhere."""
    plan = {
        "resources_dir": "/",
        "interval_s": 5,
        "parent_pid": 1,
        "host": {"source": "generator", "instance": "a"},
        "app": {"instance": "b", "urls": ["http://b/metrics"]},
    }
    assert CollectorPlan.model_validate(plan).sources == ("generator", "app")
