"""How our errors become Airflow's."""

from datetime import UTC, datetime

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.loadtest.errors import ConfigError, InfrastructureError, InvalidTestError
from include.loadtest.history.locks import Holder, TargetHeldError
from include.loadtest.orchestration.task_policy import ON_LOAD_QUEUE, STAGE_OPTIONS, as_airflow_errors, queue_option
from include.loadtest.profile.vocabulary import STAGES

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("error", [ConfigError("x"), InvalidTestError("operator", "x")])
def test_what_no_retry_can_mend_is_not_retried(error: Exception) -> None:
    """Wrong input and an invalid test."""
    with pytest.raises(AirflowFailException, match="x"), as_airflow_errors():
        raise error


def test_infrastructure_is_retried() -> None:
    """Airflow retries this exception and not its subclass above."""
    with pytest.raises(AirflowException) as raised, as_airflow_errors():
        raise InfrastructureError("x")
    assert not isinstance(raised.value, AirflowFailException)


def test_who_has_to_wait_is_no_fault() -> None:
    """The operator that defers has to see it as it is."""
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    held = TargetHeldError("demo", "me", "run-2", Holder("other", "run-1", moment, moment), 1)
    with pytest.raises(TargetHeldError), as_airflow_errors():
        raise held


def test_every_stage_has_its_policy() -> None:
    """A stage without one would have Airflow's defaults: it would be retried, a load too."""
    assert set(STAGES) <= set(STAGE_OPTIONS)


def test_tasks_go_to_the_queues_that_the_environment_names() -> None:
    """Whoever sends, or shares its private folder, to one; generators to another; all others to the default."""
    named = {"LOADTEST_LOAD_QUEUE": "load", "LOADTEST_GENERATOR_QUEUE": "generators"}
    queues = {name: queue_option(name, named).get("queue") for name in {*STAGE_OPTIONS, "remove_orphans"}}
    assert {name for name, queue in queues.items() if queue == "load"} == ON_LOAD_QUEUE
    assert {name for name, queue in queues.items() if queue == "generators"} == {"generators"}
    assert all(queue_option(name, {"LOADTEST_LOAD_QUEUE": ""}) == {} for name in STAGE_OPTIONS)
