"""What a decision of a review is, and what it may rest on beside the suite's own runs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Row = Mapping[str, Any]

MOST_EVIDENCE = 8
"""Further figures of the same decision are counted, not listed: they stand in the tables of the review."""
BUDGET, PRODUCT = "the person responsible for the budget", "the person responsible for the product"
OPERATOR = "an operator"
HOUSEKEEPING = "load_test_housekeeping"


@dataclass(frozen=True)
class Standing:
    """Content of `history.standing.read_standing`, or None and why there is none.

    `next_deadline`: the next day on which the business needs the capacity, in words; None where the calendar has none.
    `silence`: for how long the weekly suite gave no verdict that was due, in the words of the dead man's switch; None
    where it did, or where nobody watches the suite on this target. `silence_missing`: why that is not known, or empty.
    """

    document: Row | None
    missing: str = ""
    next_deadline: str | None = None
    silence: str | None = None
    silence_missing: str = ""


@dataclass(frozen=True)
class Decision:
    """A question, the figures that raise it, who answers it by when, and the options; doing nothing is the last."""

    id: str
    question: str
    evidence: tuple[str, ...]
    who: str
    by: str | None
    options: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For review.json."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def listed(texts: Sequence[str]) -> tuple[str, ...]:
    """The first of them, and how many more there are."""
    more = len(texts) - MOST_EVIDENCE
    return (*texts[:MOST_EVIDENCE], *([f"and {more} more"] if more > 0 else []))
