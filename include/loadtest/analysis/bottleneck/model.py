"""What the diagnosis is made of: spans of time, evidence, symptoms and candidates."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from include.loadtest.causes import CAUSES
from include.loadtest.run import utc_text

Strength = Literal["strong", "moderate"]
"""strong: the saturated thing was seen itself. moderate: it follows from what was seen around it."""


@dataclass(frozen=True)
class Span:
    """A stretch of time, seconds since 1970; `end_s` is no longer part of it."""

    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end_s - self.start_s

    def has(self, at_s: float) -> bool:
        """Whether a moment lies in it."""
        return self.start_s <= at_s < self.end_s


def iso(at_s: float | None) -> str | None:
    """A moment as the bundle's files have it."""
    return None if at_s is None else utc_text(datetime.fromtimestamp(at_s, UTC))


def clock(at_s: float) -> str:
    """A moment for people: the time of day, UTC."""
    return f"{datetime.fromtimestamp(at_s, UTC):%H:%M:%S}"


def counted(number: float) -> str:
    """A number of things for people: a whole one, but for fewer than ten on average."""
    return f"{number:,.0f}" if number >= 10 or number == round(number) else f"{number:.1f}"


@dataclass(frozen=True)
class Evidence:
    """One figure that speaks for a cause; `compared_with` is a value of the same unit, None where there is none."""

    source: str
    instance: str
    metric: str
    value: float
    unit: str
    span: Span
    text: str
    compared_with: float | None = None
    comparison: str = ""

    def document(self) -> dict[str, Any]:
        """As in diagnosis.json."""
        return {
            "source": self.source,
            "instance": self.instance,
            "metric": self.metric,
            "value": self.value,
            "unit": self.unit,
            "compared_with": self.compared_with,
            "comparison": self.comparison,
            "from": iso(self.span.start_s),
            "to": iso(self.span.end_s),
            "text": self.text,
        }


@dataclass(frozen=True)
class Symptom:
    """What is wrong from outside; `since_s` None: from the beginning, or not known."""

    kind: str
    text: str
    since_s: float | None = None

    def document(self) -> dict[str, Any]:
        """As in diagnosis.json."""
        return {"kind": self.kind, "text": self.text, "since": iso(self.since_s)}


@dataclass(frozen=True)
class Candidate:
    """What may be the bottleneck.

    `since_s`: when it began within the load, None where it was there from the beginning. `weight`: the share (0 to 1)
    of the requests' time, or of the requests, that it accounts for; None where no such share is known. It orders
    candidates of the same strength, those without one behind the others. `plain`: it is a finding of its own, also
    where no symptom is seen. `facts`: the words of its sentence after its title.
    """

    cause: str
    strength: Strength
    facts: str
    next_step: str
    evidence: tuple[Evidence, ...]
    weight: float | None
    plain: bool = False
    since_s: float | None = None
    statement: str | None = None
    blocking_statement: str | None = None

    @property
    def sentence(self) -> str:
        """The cause, since when, and its decisive figure."""
        when = "" if self.since_s is None else f" since {clock(self.since_s)} UTC"
        title = CAUSES[self.cause].title
        return f"{title[0].upper()}{title[1:]}{when}: {self.facts}."

    def document(self) -> dict[str, Any]:
        """As in diagnosis.json; `plan` is filled in by who can ask the database, `explained_by` by who ranks them."""
        return {
            "cause": self.cause,
            "component": CAUSES[self.cause].component,
            "strength": self.strength,
            "since": iso(self.since_s),
            "sentence": self.sentence,
            "next_step": self.next_step,
            "statement": self.statement,
            "blocking_statement": self.blocking_statement,
            "plan": None,
            "explained_by": None,
            "evidence": [one.document() for one in self.evidence],
        }
