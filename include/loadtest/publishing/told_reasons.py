"""Which of a verdict's reasons a message tells."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.reasons import REASON_CODES

Row = Mapping[str, Any]


def deciding_reason(verdict: Row) -> str | None:
    """Code and text of the first reason that decides anything; None where none does."""
    first = next((one for one in verdict.get("reasons") or () if not _is_note(one)), None)
    return None if first is None else f"{first['code']}: {first['text']}"


def told_reasons(verdict: Row, change: str | None) -> Sequence[Row]:
    """All but the notes that `change`, the line of the change test, says already."""
    return [one for one in verdict.get("reasons") or () if not (_is_note(one) and one["text"] in (change or ""))]


def _is_note(reason: Row) -> bool:
    """Whether it decides nothing; of a code that is not known, nobody can say so."""
    known = REASON_CODES.get(reason["code"])
    return known is not None and known.kind == "note"
