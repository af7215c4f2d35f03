"""The metrics of requirements that are checked one by one: a row each, from the samples and the generator's notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from include.loadtest.metrics.statistics import percentile_interval_ranks, rank_of
from include.loadtest.profile.vocabulary import DOCUMENTS_AT_ONCE, METRICS, SCOPE_ALL, TIMED_REQUIREMENTS
from include.loadtest.scenarios.checks import REFUSED_WITH_REASON
from include.loadtest.scenarios.requirements import DOCUMENT_READ, UPLOAD_AT_ONCE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHARE = 0.95
BUSY = 503
LOST = "documents_lost"
Note = Mapping[str, Any]
Upload = tuple[str, str, int | None, str | None]
"""Endpoint, outcome, status and error of one request of the crowd."""


@dataclass(frozen=True)
class Attempt:
    """One attempt of a requirement, from its first intended start to the end of its last answer.

    `is_bound`: it took at least so long; `failed`: it came to another end than an answer, so that it has no duration.
    """

    seconds: float
    is_bound: bool
    failed: bool


@dataclass(frozen=True)
class RequirementFigures:
    """What the samples say: attempts by requirement, and the crowd's requests by user."""

    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)
    crowd: Mapping[int, Sequence[Upload]] = field(default_factory=dict)


def requirement_figures(opened: "DuckDBPyConnection") -> RequirementFigures:
    """Read the view `samples`; an attempt is an iteration of its user. One that the load's end cut is left out."""
    attempts: dict[str, list[Attempt]] = {}
    for scenario, length_us, is_ok, is_bound, is_cut in opened.execute(_ATTEMPTS).fetchall():
        if not is_cut:
            attempts.setdefault(scenario, []).append(Attempt(length_us / 1e6, is_bound and not is_ok, not is_bound))
    crowd: dict[int, list[Upload]] = {}
    for user, endpoint, outcome, status, error in opened.execute(_CROWD, [DOCUMENTS_AT_ONCE]).fetchall():
        crowd.setdefault(user, []).append((endpoint, outcome, status, error))
    return RequirementFigures(attempts, crowd)


_ATTEMPTS = """
SELECT scenario, max(epoch_ns(intended_start) // 1000 + latency_us) - min(epoch_ns(intended_start) // 1000),
    bool_and(outcome = 'ok'), bool_and(outcome IN ('ok', 'timeout')), bool_or(outcome = 'censored')
FROM samples GROUP BY scenario, "user", iteration ORDER BY min(intended_start)
"""
_CROWD = """
SELECT "user", endpoint, outcome, status, error FROM samples WHERE scenario = ? ORDER BY "user", intended_start
"""


def requirement_rows(figures: RequirementFigures, notes: Mapping[str, Note]) -> list[dict[str, Any]]:
    """The rows of all requirements, of scope `all` and phase `hold`.

    The value of a timed one is the smallest duration with at least 95 % of its attempts at or below it: of fewer than
    20 attempts the longest. Further keys: `lower_bound` (it took at least so long), `failed` (attempts that came to no
    answer: then the value is null, and the limit is missed), `not_exposed` (what was tried and is not there, else
    null), `hits` (of searches: how many each of them found, else null). A requirement that was not checked to its end,
    or not at all, has n = 0. Where documents cannot be read back, `documents_lost` is not exposed, unless an upload's
    own answer says that its document was lost: then it counts those.
    """
    timed = [_timed_row(name, figures.attempts.get(name, ()), notes.get(name)) for name in TIMED_REQUIREMENTS]
    return [*timed, *_crowd_rows(figures.crowd, notes.get(DOCUMENTS_AT_ONCE))]


def _timed_row(name: str, sampled: Sequence[Attempt], note: Note | None) -> dict[str, Any]:
    metric = f"{name}_s"
    if note is None or note["state"] != "checked":
        return _row(metric, None, 0, note)
    if "failed" in note:
        return _row(metric, None, 1, note, failed=1)
    attempts = sampled
    if "seconds" in note:
        attempts = [Attempt(seconds, bool(note["lower_bound"]), failed=False) for seconds in note["seconds"]]
    n, failed = len(attempts), sum(attempt.failed for attempt in attempts)
    if failed or not n:
        return _row(metric, None, n, note, failed=failed)
    ordered = sorted(attempts, key=lambda attempt: (attempt.seconds, attempt.is_bound))
    rank = rank_of(SHARE, n)
    low, high = percentile_interval_ranks(SHARE, n)
    return _row(
        metric,
        ordered[rank - 1].seconds,
        n,
        note,
        ci_low=None if low is None else ordered[low - 1].seconds,
        ci_high=None if high is None else ordered[high - 1].seconds,
        lower_bound=any(attempt.is_bound for attempt in ordered[:rank]),
    )


def _crowd_rows(crowd: Mapping[int, Sequence[Upload]], note: Note | None) -> list[dict[str, Any]]:
    """How many documents were taken of those that came at once, and how many came to no proper end."""
    if note is None or note["state"] != "checked":
        return [_row(metric, None, 0, note) for metric in (DOCUMENTS_AT_ONCE, LOST)]
    read_back: str | None = note.get("read_back")
    ends = [_end_of(requests, is_read_back=read_back is None) for requests in crowd.values()]
    n, taken, lost = len(ends), ends.count("taken"), ends.count("lost")
    if read_back is None or lost:
        return [_row(DOCUMENTS_AT_ONCE, float(taken), n, note), _row(LOST, float(lost), n, note)]
    text = f"whether documents are kept: {read_back}; {taken} of {n} were answered as taken, none as lost"
    return [_row(DOCUMENTS_AT_ONCE, float(taken), n, note), _row(LOST, None, 0, note, not_exposed=text)]


def _end_of(requests: Sequence[Upload], *, is_read_back: bool) -> str:
    """taken: answered as taken, and still there afterwards. refused: 429, 503, or the target's own way, with a reason.

    Anything else is lost: nobody knows what became of that document.
    """
    by_endpoint = {endpoint: (outcome, status, error) for endpoint, outcome, status, error in requests}
    outcome, status, error = by_endpoint.get(UPLOAD_AT_ONCE, ("none", None, None))
    if outcome == "ok":
        is_kept = not is_read_back or by_endpoint.get(DOCUMENT_READ, ("none", None, None))[0] == "ok"
        return "taken" if is_kept else "lost"
    is_refused = outcome == "rejected" or (outcome == "http_error" and status == BUSY) or error == REFUSED_WITH_REASON
    return "refused" if is_refused else "lost"


def _row(metric: str, value: float | None, n: int, note: Note | None, **further: Any) -> dict[str, Any]:
    return {
        "metric": metric,
        "scope": SCOPE_ALL,
        "phase": "hold",
        "value": value,
        "unit": METRICS[metric].unit,
        "n": n,
        "ci_low": None,
        "ci_high": None,
        "direction": METRICS[metric].direction,
        "lower_bound": False,
        "failed": 0,
        "not_exposed": note["text"] if note is not None and note["state"] == "not_exposed" else None,
        "hits": None if note is None else note.get("hits"),
        **further,
    }
