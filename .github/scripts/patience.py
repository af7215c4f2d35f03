"""Tries a delivery again within a minute or two: a job of GitHub's has no outbox, and nobody comes back to it."""

import time
from collections.abc import Callable
from typing import TypeVar

from include.loadtest.publishing.delivery import Budget, DeliveryError, OutOfTime

PATIENCE_S, CALL_S = 90.0, 20.0
PAUSES_S = (1.0, 3.0, 9.0, 20.0)
"""Before the second and each later try."""
_REFUSED = (401, 403, 404)

Receipt = TypeVar("Receipt")


def patiently(attempt: Callable[[Budget], Receipt]) -> Receipt:
    """What the attempt returns, the first time that it succeeds. Raises the DeliveryError of the last try.

    A refusal is final. A service that asks to be left alone for longer than there is time is not asked again.
    """
    budget = Budget(PATIENCE_S, CALL_S)
    for pause_s in PAUSES_S:
        try:
            return _attempt(attempt, budget)
        except DeliveryError as error:
            wait_s = error.retry_after_s or pause_s
            if error.is_permanent or status_of(error) in _REFUSED or wait_s > budget.left_s:
                raise
            time.sleep(wait_s)
    return _attempt(attempt, budget)


def _attempt(attempt: Callable[[Budget], Receipt], budget: Budget) -> Receipt:
    try:
        return attempt(budget)
    except OutOfTime as error:
        raise DeliveryError(f"GitHub has not answered in time ({PATIENCE_S:.0f} s)") from error


def status_of(error: DeliveryError) -> int | None:
    """The HTTP status of a request that was refused for good; None for a rate limit, and where no answer came."""
    status = getattr(error.__context__, "status", None)
    return status if isinstance(status, int) and error.retry_after_s is None else None
