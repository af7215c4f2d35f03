"""Reads the metrics page of the LLM behind the application, or of its gateway."""

import logging
from collections.abc import Mapping

from include.loadtest.collectors.exposed import LLM_SERVER, Unknown, names_of, parsed, readings_of
from include.loadtest.collectors.pages import Page, PageClient, PageError
from include.loadtest.collectors.reader import ReadingError

LOG = logging.getLogger("loadtest.collectors")
_WANTED = names_of(LLM_SERVER)


class LlmReader:
    """Calls, failures and refusals that the LLM's side counts, and the time that it took for them.

    It serves others too, perhaps: then these are not the target's alone. What it does not expose is absent, and named
    once in the log.
    """

    source = "llm"

    def __init__(self, url: str, instance: str, timeout_s: float) -> None:
        self.instance, self._timeout_s = instance, timeout_s
        self._page, self._client = Page(url, self.source), PageClient()
        self._told, self._unknown = False, Unknown(self.source, LLM_SERVER)

    def read(self) -> Mapping[str, float]:
        """One reading. Raises ReadingError."""
        (answer,) = self._client.ask([self._page], self._timeout_s)
        if isinstance(answer, PageError):
            raise ReadingError(str(answer))
        series = parsed([answer], _WANTED) if answer else {}
        values = readings_of(series, LLM_SERVER)
        unknown = self._unknown.tell(series)
        if answer and not self._told:
            self._told = True
            missing = [name for entry in LLM_SERVER if (name := entry.reading) not in values and name not in unknown]
            if missing:
                LOG.info("llm: not exposed, so not read: %s", ", ".join(missing))
        return values

    def close(self) -> None:
        """Close what is open."""
        self._client.close()
