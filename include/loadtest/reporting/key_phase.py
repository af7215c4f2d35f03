"""Which phase of a run its key figures are of. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

HOLD, SPIKE = "hold", "spike"


def key_phase(rows: Sequence[Mapping[str, Any]]) -> str:
    """The spike where one was sent, else the hold. `rows`: those of metrics.json.

    The hold of a spike test is the quiet time before its spike: its figures say nothing of what the test is for.
    """
    return SPIKE if any(row["phase"] == SPIKE and row["n"] for row in rows) else HOLD
