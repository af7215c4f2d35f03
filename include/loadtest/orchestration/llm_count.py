"""Asks how often the target's LLM was called so far: the LLM's own page, or its gateway's, else the target's."""

import time
from collections.abc import Sequence

from include.loadtest.collectors.exposed import LLM, names_of, parsed, readings_of
from include.loadtest.collectors.pages import Page, PageClient
from include.loadtest.target.restart import start_times_s
from include.loadtest.target.settings import Target

READ_WITHIN_S = 1.5
FIRST_LOOKS, LOOKS_APART_S = 5, 0.25
"""Several processes of a target may answer in turn, each with a count of its own. One that is idle may take all
questions of a moment, so the looks are spread over a second."""
SEVERAL = "several processes answer in turn, each with a count of its own"
_WANTED = names_of(LLM)


class CountError(Exception):
    """The calls cannot be counted; `str()` says why."""


class AnotherProcessError(CountError):
    """The process that answers is not the one that the count began with: calls may be missing from now on."""


class CallCounter:
    """One counter of one process. `source`: whose it is, `llm` or `app`, as in the readings.

    `started_s`: when the process of the first answer says that it started, in seconds since 1970; empty where it says
    nothing, None before. Given, it is that of an earlier stage, whose count goes on.
    """

    def __init__(self, target: Target, started_s: Sequence[float] | None = None) -> None:
        self.started_s = None if started_s is None else tuple(started_s)
        self.source = "app" if target.llm_metrics_url is None else "llm"
        self._url = target.llm_metrics_url or f"{target.base_url}/metrics"
        self._client = PageClient()

    def read(self) -> float:
        """Calls since the process' start, within 1.5 s. Raises CountError; AnotherProcessError where it is another."""
        calls, started_s = self._ask()
        if self.started_s is None:
            self.started_s = started_s
        elif started_s != self.started_s:
            raise AnotherProcessError("another process answers: restarted, or one of several that count")
        return calls

    def first(self) -> float:
        """The first value, of a counter that is one; takes a second. Raises CountError, also where several count."""
        counts = [self.read()]
        for _ in range(FIRST_LOOKS - 1):
            time.sleep(LOOKS_APART_S)
            try:
                counts.append(self.read())
            except AnotherProcessError as error:
                raise CountError(SEVERAL) from error
        if counts != sorted(counts):
            raise CountError(SEVERAL)
        return counts[-1]

    def _ask(self) -> tuple[float, tuple[float, ...]]:
        page = Page(self._url, self.source)
        (answer,) = self._client.ask([page], READ_WITHIN_S)
        if answer is None:
            raise CountError(f"{page.path} is not there")
        if isinstance(answer, Exception):
            raise CountError(str(answer))
        calls = readings_of(parsed([answer], _WANTED), LLM).get("llm_calls")
        if calls is None:
            raise CountError(f"{page.path} has no counter of them")
        return calls, tuple(start_times_s(answer))

    def close(self) -> None:
        """Close what is open."""
        self._client.close()
