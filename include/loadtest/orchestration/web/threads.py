"""The app's own few threads: whatever a page waits for, Airflow's own answers never wait for it.

Airflow's API server runs all plain functions, also those that tasks report their lives to, in one small set of threads.
"""

import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter

PAGES_AT_ONCE = 8
"""So many pages are made at a time; others wait their turn without a thread."""

Args = ParamSpec("Args")
Result = TypeVar("Result")
_limiter: RunVar[CapacityLimiter] = RunVar("loadtest_pages")


async def in_own_thread(function: Callable[Args, Result], *args: Args.args, **options: Args.kwargs) -> Result:
    """Call a function that may wait for something."""
    return await to_thread.run_sync(partial(function, *args, **options), limiter=_own_limiter())


def _own_limiter() -> CapacityLimiter:
    """One an event loop, as Starlette's own."""
    try:
        return _limiter.get()
    except LookupError:
        made = CapacityLimiter(PAGES_AT_ONCE)
        _limiter.set(made)
        return made


class OwnThreads(APIRouter):
    """A router whose plain functions, and those of the routers it includes, are called in the app's own threads."""

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As of any router."""
        own = endpoint if iscoroutinefunction(endpoint) else _in_turn(endpoint)
        super().add_api_route(path, own, **options)


def _in_turn(endpoint: Callable[Args, Result]) -> Callable[Args, Coroutine[Any, Any, Result]]:
    @wraps(endpoint)
    async def call(*args: Args.args, **options: Args.kwargs) -> Result:
        return await in_own_thread(endpoint, *args, **options)

    return call


class Readers:
    """Asks something that may never answer: at most `number` questions at a time, and none for longer than `longest_s`.

    A question that is given up keeps its place until it comes back: then the number of threads has a limit however long
    the silence is. While all places are held by such questions, the next one fails at once.
    """

    def __init__(self, number: int, longest_s: float) -> None:
        self.longest_s = longest_s
        self._places = threading.BoundedSemaphore(number)
        self._newest_s = 0.0

    def ask(self, question: Callable[[], Result]) -> Result:
        """The answer. Raises what the question raises, TimeoutError where there is none in time."""
        began_s = time.monotonic()
        newest_ends_s = self._newest_s + self.longest_s
        if not self._places.acquire(timeout=max(newest_ends_s - began_s, 0)):
            raise TimeoutError
        self._newest_s = time.monotonic()
        answer: Future[Result] = Future()
        # A daemon: what does not answer must not keep the server from its end.
        thread = threading.Thread(target=self._answer, args=(question, answer), name="loadtest-results", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine has no more threads
            self._places.release()
            raise
        return answer.result(max(began_s + self.longest_s - time.monotonic(), 0))

    def _answer(self, question: Callable[[], Result], answer: "Future[Result]") -> None:
        try:
            answer.set_result(question())
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            answer.set_exception(error)
        finally:
            self._places.release()
