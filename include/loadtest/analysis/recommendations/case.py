"""What recommendations are made from, and what one says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from include.loadtest.analysis.recommendations.facts import WHOLE_HOLD, Facts
from include.loadtest.analysis.recommendations.improvement import NONE, Improvement
from include.loadtest.errors import printable
from include.loadtest.profile.costs import Costs
from include.loadtest.profile.vocabulary import SCOPE_ALL

MAX_SHOWN_CHARS = 300
_CORRELATION = "correlation"
"""The unit of what speaks for a cause, and is no figure of how it is."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A diagnosis with the run's figures. `facts`: those in the time that is looked at."""

    diagnosis: Row
    metrics: Row
    costs: Costs
    facts: Facts = field(default_factory=Facts)

    @property
    def causes(self) -> Sequence[Row]:
        """The causes that were found and that no other explains, best first: the others need no change."""
        return [cause for cause in self.diagnosis.get("causes") or () if cause.get("explained_by") is None]

    @property
    def first_cause(self) -> Row | None:
        """The best cause; None where none was found."""
        return next(iter(self.causes), None)

    @property
    def budget(self) -> Sequence[Row]:
        """Where a request's time goes; empty where not known."""
        return list(self.diagnosis.get("time_budget") or ())

    def cause_of(self, names: Sequence[str]) -> tuple[int, Row] | None:
        """The best of these causes that was found, with its place from 0; None where none was."""
        return next(((place, one) for place, one in enumerate(self.causes) if one["cause"] in names), None)

    def seen_in(self, facts: Mapping[str, Facts], cause: Row | None) -> "Case":
        """With the facts of the time that a cause was seen in."""
        return replace(self, facts=facts.get(cause["cause"] if cause else WHOLE_HOLD) or Facts())

    def hold_row(self, metric: str) -> Row | None:
        """The metric's row of all requests of the hold; None where there is none."""
        rows = self.metrics.get("metrics") or ()
        wanted = (metric, SCOPE_ALL, "hold")
        return next((row for row in rows if (row["metric"], row["scope"], row["phase"]) == wanted), None)


@dataclass(frozen=True)
class Detail:
    """What an entry says of this run: how it is, what to make of it, why, and what that may bring.

    `recommended` follows the entry's own words; empty where these say all.
    """

    current: str
    recommended: str
    trigger: str
    improvement: Improvement = NONE


def shown(text: object) -> str:
    """Foreign text (a statement, a plan) on one line, cut with a mark."""
    line = " ".join(str(text).split())
    return printable(line, MAX_SHOWN_CHARS) + ("…" if len(line) > MAX_SHOWN_CHARS else "")


def trigger_text(cause: Row) -> str:
    """A cause's sentence: what, since when, and its decisive figure."""
    return shown(cause["sentence"]).removesuffix(".")


def evidence_text(cause: Row) -> str:
    """The figures of a cause that its sentence leaves out; the decisive one where it leaves out none."""
    texts = [shown(one["text"]) for one in cause.get("evidence") or () if one["unit"] != _CORRELATION]
    more = [text for text in texts if text not in shown(cause["sentence"])]
    return "; ".join(more or texts[:1]) or trigger_text(cause)
