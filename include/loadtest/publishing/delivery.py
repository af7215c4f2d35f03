"""What a delivery to Slack or GitHub may raise, the time it may take, and what a handler is."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from include.loadtest.errors import InfrastructureError
from include.loadtest.history.outbox import Row

LEAST_CALL_S = 0.3
"""With less time left a call is not begun: it could only be cut off."""


class DeliveryError(InfrastructureError):
    """A service has not confirmed a delivery; `str()` is one line for a person, without secrets.

    retry_after_s     so long the service asks to be left alone, all of it; None: it has not said
    may_have_arrived  the answer is missing or says nothing (timeout after sending, cut connection, 5xx): look first
    is_permanent      the service says that the content is wrong: a fault of this program, never tried again
    is_service_wide   the next delivery to this service would fail too (no answer, 429, 5xx, bad token): it is left
                      alone for now; False where only this content is concerned. What is permanent is only content.
    """

    def __init__(
        self,
        text: str,
        retry_after_s: float | None = None,
        may_have_arrived: bool = False,
        *,
        is_permanent: bool = False,
        is_service_wide: bool = True,
    ) -> None:
        super().__init__(text)
        is_wait = retry_after_s is not None and math.isfinite(retry_after_s) and retry_after_s > 0
        self.retry_after_s = retry_after_s if is_wait else None
        self.may_have_arrived = may_have_arrived
        self.is_permanent = is_permanent
        self.is_service_wide = (is_service_wide or is_wait) and not is_permanent


class OutOfTime(Exception):  # noqa: N818 - not an error: the delivery goes on another time
    """The time was used up before a call began; counts as no attempt."""


class Budget:
    """The time of one or several deliveries, `seconds` from now; a single call may take `call_s` of it."""

    def __init__(self, seconds: float, call_s: float) -> None:
        self._ends = time.monotonic() + seconds
        self._call_s = call_s
        self._calls = 0

    @property
    def left_s(self) -> float:
        """Seconds that are left, never below 0."""
        return max(self._ends - time.monotonic(), 0.0)

    @property
    def calls(self) -> int:
        """How many calls got time from it: with none, nothing can have reached the service."""
        return self._calls

    def timeout_s(self) -> float:
        """Seconds that the next call may take; ask before each. Raises OutOfTime where too little is left."""
        left_s = self.left_s
        if left_s < LEAST_CALL_S:
            raise OutOfTime
        self._calls += 1
        return min(self._call_s, left_s)


Handler = Callable[[Row, Budget], Mapping[str, Any]]
"""Delivers a row's payload so that repeating it changes nothing; where `may_have_arrived`, it looks first.

Returns what the service answered, for later updates; that is merged over what it answered before, and kept: no secrets.
Raises DeliveryError and OutOfTime.
"""
