"""Asks how often the target's LLM was called so far: the LLM's own page, or its gateway's, else the target's."""

from include.loadtest.collectors.exposed import LLM, names_of, parsed, readings_of
from include.loadtest.collectors.pages import Page, PageClient
from include.loadtest.target.restart import start_times_s
from include.loadtest.target.settings import Target

READ_WITHIN_S = 1.5
FIRST_LOOKS = 5
"""Several processes of a target may answer in turn, each with a count of its own."""
_WANTED = names_of(LLM)


class CountError(Exception):
    """The calls cannot be counted; `str()` says why."""


class CallCounter:
    """One counter of one server. `source`: whose it is, `llm` or `app`, as in the readings."""

    def __init__(self, target: Target) -> None:
        self.source = "app" if target.llm_metrics_url is None else "llm"
        self._url = target.llm_metrics_url or f"{target.base_url}/metrics"
        self._client = PageClient()

    def read(self) -> float:
        """Calls since the server's start, within 1.5 s. Raises CountError."""
        return self._ask()[0]

    def first(self) -> float:
        """The first value, of a counter that is one. Raises CountError, also where several processes count."""
        looks = [self._ask() for _ in range(FIRST_LOOKS)]
        counts, starts = [count for count, _ in looks], {start for _, start in looks}
        if len(starts) > 1 or counts != sorted(counts):
            raise CountError("several processes answer in turn, each with a count of its own")
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
