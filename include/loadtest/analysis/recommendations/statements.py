"""Statements that a request repeats: calls of one statement for each answer of an endpoint.

Endpoints ask for different statements, so the calls of a statement in each time between two readings are explained by
the answers of each endpoint in it, and by what runs anyway: a sum with weights that are not negative (Lawson and Hanson
1974, "Solving Least Squares Problems", chapter 23). A weight is the calls for one answer of that endpoint.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from include.loadtest.analysis.readings import Answers, Readings, Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPEATED_CALLS = 10
"""The same statement more often than this in one request is a loop around it (N+1)."""
SPANS_AN_ENDPOINT = 3
"""Times between readings for each endpoint, below which their shares cannot be told apart."""
_DRAWS, _SEED = 200, 20241205
_LABELLED = re.compile(r'^(statement_calls|statement_exec_ms)\{queryid="([^"]*)"\}$')


@dataclass(frozen=True)
class Statement:
    """A statement in the hold: its calls and its time in the database for one ok answer of any endpoint.

    `endpoint` is the one whose requests repeat it, `calls` for one of its answers with a 95 % interval; None where no
    endpoint is shown to repeat it.
    """

    queryid: str
    text: str | None
    calls_an_answer: float
    exec_ms_an_answer: float | None
    endpoint: str | None = None
    calls: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_repeated(self) -> bool:
        """Whether an endpoint certainly asks it too often."""
        return self.low is not None and self.low > REPEATED_CALLS


def is_of_statements(kind: tuple[str, str]) -> bool:
    """Whether a kind of reading is one of these."""
    return kind[0] == "postgres" and _LABELLED.match(kind[1]) is not None


def statements_of(
    readings: Readings, answers: Mapping[str, Answers], texts: Mapping[str, str], start_us: int, end_us: int
) -> tuple[Statement, ...]:
    """The statements that were called in a stretch of time, those that take longest first."""
    found = []
    for queryid, calls in _series(readings, "statement_calls"):
        own = [(us, value) for us, value in calls if start_us <= us < end_us]
        exec_ms = readings.between(("postgres", f'statement_exec_ms{{queryid="{queryid}"}}'), start_us, end_us)
        statement = _statement(queryid, own, exec_ms, answers, texts)
        if statement is not None:
            found.append(statement)
    return tuple(sorted(found, key=lambda one: -(one.exec_ms_an_answer or 0.0)))


def _series(readings: Readings, name: str) -> Iterator[tuple[str, Series]]:
    for (source, metric), series in readings.series.items():
        labelled = _LABELLED.match(metric) if source == "postgres" else None
        if labelled is not None and labelled[1] == name:
            yield labelled[2], series


def _statement(
    queryid: str, calls: Series, exec_ms: Series, answers: Mapping[str, Answers], texts: Mapping[str, str]
) -> Statement | None:
    if len(calls) < 2 or any(after[1] < before[1] for before, after in pairwise(calls)):
        return None
    first_us, last_us = calls[0][0], calls[-1][0]
    ended = sum(own.count(first_us, last_us) for own in answers.values())
    called = calls[-1][1] - calls[0][1]
    if not ended or not called:
        return None
    spent_ms = exec_ms[-1][1] - exec_ms[0][1] if len(exec_ms) > 1 else -1.0
    base = Statement(queryid, texts.get(queryid), called / ended, spent_ms / ended if spent_ms >= 0 else None)
    # No endpoint asks more often than all calls for its own answers: most statements need no closer look.
    fewest = min((own.count(first_us, last_us) or ended for own in answers.values()), default=ended)
    return base if called <= REPEATED_CALLS * fewest else _repeated(base, calls, answers)


def _repeated(base: Statement, calls: Series, answers: Mapping[str, Answers]) -> Statement:
    """With the endpoint that asks it most often for one answer."""
    import numpy as np

    names = [name for name, own in answers.items() if own.count(calls[0][0], calls[-1][0])]
    if len(calls) - 1 < SPANS_AN_ENDPOINT * (len(names) + 1):
        return base
    edges = [us for us, _ in calls]
    spans = list(pairwise(edges))
    columns = [[answers[name].count(start, end) for start, end in spans] for name in names]
    design = np.array([*columns, [(end - start) / 1e6 for start, end in spans]], dtype=float).T
    gained = np.diff(np.array([value for _, value in calls], dtype=float))
    best = _weights(design, gained)
    place = int(np.argmax(best[:-1]))
    generator = np.random.default_rng(_SEED)
    draws = [generator.integers(0, len(gained), len(gained)) for _ in range(_DRAWS)]
    drawn = [_weights(design[rows], gained[rows])[place] for rows in draws]
    low, high = (float(end) for end in np.percentile(drawn, (2.5, 97.5)))
    return Statement(
        base.queryid,
        base.text,
        base.calls_an_answer,
        base.exec_ms_an_answer,
        names[place],
        float(best[place]),
        low,
        high,
    )


def _weights(design: "NDArray[np.float64]", gained: "NDArray[np.float64]") -> "NDArray[np.float64]":
    from scipy.optimize import nnls

    weights: NDArray[np.float64] = nnls(design, gained)[0]
    return weights


def texts_of(observations: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """The statements' texts by queryid, as they were observed."""
    return {
        str(one["queryid"]): str(one["text"])
        for one in observations
        if one.get("kind") == "statement" and one.get("queryid") is not None and one.get("text")
    }
