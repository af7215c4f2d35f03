"""What a bundle's files say, as far as it has the form that the detectors rely on: the rest is left out.

Other programs, a process that was killed while it wrote, and people's hands make files that have it not.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_NUMBERS = ("waited_s", "waiters", "blocking_transaction_s", "blocking_pid", "duration_ms")
_TEXTS = ("queryid", "text", "statement", "blocking_statement", "blocking_state", "relation", "command", "line")


def seconds(text: Any) -> float | None:
    """Seconds since 1970 of a moment in ISO 8601 (UTC where it names no zone); None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of what should be a list of them."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []


def mapping(value: Any) -> dict[str, Any]:
    """What should be a mapping, empty where it is not."""
    return dict(value) if isinstance(value, Mapping) else {}


def sound_observations(found: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Observations with a moment; figures that are none and texts that are none are null, as unknown ones are."""
    for one in found:
        if seconds(one.get("ts")) is None:
            continue
        figures = {key: _number(one[key]) for key in _NUMBERS if key in one}
        texts = {key: one[key] if isinstance(one[key], str) else None for key in _TEXTS if key in one}
        yield {**one, **figures, **texts}


def _number(value: Any) -> float | int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if is_number else None


def sound_reasons(verdict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The verdict's reasons, each with a code and a text."""
    return [
        {**one, "code": str(one["code"]), "text": str(one.get("text") or str(one["code"]).replace("_", " "))}
        for one in mappings(verdict.get("reasons"))
        if one.get("code")
    ]
