"""What recommendations are made from, and what one says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.improvement import NONE, Improvement
from include.loadtest.errors import printable
from include.loadtest.profile.costs import Costs
from include.loadtest.profile.vocabulary import SCOPE_ALL

MAX_SHOWN_CHARS = 300

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A diagnosis with the run's figures."""

    diagnosis: Row
    metrics: Row
    costs: Costs
    facts: Facts

    @property
    def causes(self) -> Sequence[Row]:
        """The causes that were found, best first."""
        return list(self.diagnosis.get("causes") or ())

    @property
    def budget(self) -> Sequence[Row]:
        """Where a request's time goes; empty where not known."""
        return list(self.diagnosis.get("time_budget") or ())

    def cause_of(self, names: Sequence[str]) -> tuple[int, Row] | None:
        """The best of these causes that was found, with its place from 0; None where none was."""
        return next(((place, one) for place, one in enumerate(self.causes) if one["cause"] in names), None)

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
    """Foreign text (a statement, a plan), cut and on one line."""
    return printable(" ".join(str(text).split()), MAX_SHOWN_CHARS)


def evidence_text(cause: Row) -> str:
    """The decisive figure of a cause as text; its sentence where it names none."""
    evidence = cause.get("evidence") or ()
    return shown(evidence[0]["text"] if evidence else cause["sentence"])
