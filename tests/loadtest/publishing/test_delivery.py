"""The time of a delivery is never overdrawn, and an error says what it means for the next attempt."""

import math
import time

import pytest

from include.loadtest.errors import InfrastructureError
from include.loadtest.publishing.delivery import Budget, DeliveryError, OutOfTime

pytestmark = pytest.mark.unit


def test_a_call_gets_what_it_may_take_of_what_is_left() -> None:
    """At most its own limit, at most the rest; each call is counted."""
    budget = Budget(100, 3)
    assert (budget.timeout_s(), budget.timeout_s(), budget.calls) == (3, 3, 2)
    assert 0.3 < Budget(2, 10).timeout_s() <= 2


@pytest.mark.parametrize("seconds", [0.29, 0.0, -5.0])
def test_too_little_time_is_no_call(seconds: float) -> None:
    """It could only be cut off; it counts as none, and the rest is never below zero."""
    budget = Budget(seconds, 3)
    with pytest.raises(OutOfTime):
        budget.timeout_s()
    assert budget.calls == 0
    assert 0 <= budget.left_s <= max(seconds, 0)


def test_time_runs() -> None:
    """Whatever a handler does between its calls is taken from what is left."""
    budget = Budget(0.6, 3)
    budget.timeout_s()
    time.sleep(0.35)
    with pytest.raises(OutOfTime):
        budget.timeout_s()


def test_an_error_stops_the_service_unless_it_is_about_the_content() -> None:
    """What says nothing of itself is the service's; what is permanent never is; a wait always is."""
    plain = DeliveryError("Slack does not answer")
    assert isinstance(plain, InfrastructureError)
    assert str(plain) == "Slack does not answer"
    assert (plain.retry_after_s, plain.may_have_arrived, plain.is_permanent, plain.is_service_wide) == (
        None, False, False, True
    )  # fmt: skip
    assert DeliveryError("wrong", is_permanent=True).is_service_wide is False
    assert DeliveryError("no picture", is_service_wide=False).is_service_wide is False
    assert DeliveryError("busy", 30, is_service_wide=False).is_service_wide is True
    assert DeliveryError("cut", None, True).may_have_arrived is True


@pytest.mark.parametrize("told", [math.nan, math.inf, 0, -3, None])
def test_a_wait_that_is_none_is_not_obeyed(told: float | None) -> None:
    """Nonsense of a service is as if it had said nothing."""
    assert DeliveryError("busy", told).retry_after_s is None
    assert DeliveryError("busy", 1.5).retry_after_s == 1.5
