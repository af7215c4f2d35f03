from collections.abc import Callable
from types import ModuleType

import pytest

from include.loadtest.publishing.delivery import Budget, DeliveryError, OutOfTime
from tests.github.conftest import script

pytestmark = pytest.mark.unit


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, which notes its pauses instead of making them."""
    module = script("patience")
    monkeypatch.setattr(module, "pauses", [], raising=False)
    monkeypatch.setattr(module.time, "sleep", module.pauses.append)
    return module


def attempts(*outcomes: Exception | str) -> Callable[[Budget], str]:
    """An attempt that comes out so, one after the other."""
    left = list(outcomes)

    def attempt(_: Budget) -> str:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return attempt


def refused(status: int, **fields: object) -> DeliveryError:
    """An error that came of an answer with that status."""
    error = DeliveryError("no", **fields)  # type: ignore[arg-type]
    error.__context__ = type("Refused", (Exception,), {"status": status})()
    return error


def test_a_service_that_fails_is_asked_again_later_and_later(patience: ModuleType) -> None:
    """What it asks for is waited for."""
    found = patience.patiently(attempts(DeliveryError("down"), DeliveryError("busy", 7.0), refused(502), "done"))
    assert found == "done"
    assert patience.pauses == [patience.PAUSES_S[0], 7.0, patience.PAUSES_S[2]]


@pytest.mark.parametrize(
    "error", [DeliveryError("wrong", is_permanent=True), refused(403), refused(404), DeliveryError("busy", 3600.0)]
)
def test_what_cannot_help_is_not_tried_again(patience: ModuleType, error: DeliveryError) -> None:
    """A refusal, and a wait that is longer than the job."""
    with pytest.raises(DeliveryError) as caught:
        patience.patiently(attempts(error, "done"))
    assert caught.value is error
    assert patience.pauses == []


def test_the_last_error_is_told(patience: ModuleType) -> None:
    """After a bounded number of tries."""
    errors = [DeliveryError(f"try {number}") for number in range(len(patience.PAUSES_S) + 1)]
    with pytest.raises(DeliveryError, match=f"try {len(patience.PAUSES_S)}"):
        patience.patiently(attempts(*errors, "done"))


def test_no_time_left_is_an_error_in_words(patience: ModuleType) -> None:
    """A service that answers, but slowly."""
    with pytest.raises(DeliveryError, match="has not answered in time"):
        patience.patiently(attempts(*[OutOfTime()] * (len(patience.PAUSES_S) + 1)))


def test_only_a_refusal_has_a_status(patience: ModuleType) -> None:
    """A rate limit may come as a 403 too."""
    statuses = [
        patience.status_of(error) for error in (refused(403), refused(403, retry_after_s=60.0), DeliveryError("x"))
    ]
    assert statuses == [403, None, None]
