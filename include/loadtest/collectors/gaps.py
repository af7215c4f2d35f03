"""The times without readings, as the collectors noted them."""

import json
from typing import Any

from include.loadtest.bundle import Bundle

KEYS = ("source", "start", "end", "reason", "missed")


def read_gaps(bundle: Bundle) -> list[dict[str, Any]]:
    """All gaps of a run by their start: `{source, start, end, reason, missed}`, times ISO 8601 UTC.

    `missed` counts the readings that were due; `end` is None where the source never came back and nobody lived to say
    when the readings ended. A file that cannot be read is a gap of its own: what it said is not known.
    """
    gaps: list[dict[str, Any]] = []
    for file in sorted(bundle.resources_dir.glob("gaps-*.json")):
        try:
            gaps += [{key: gap[key] for key in KEYS} for gap in json.loads(file.read_text(encoding="utf-8"))]
        except (OSError, ValueError, LookupError, TypeError):
            reason = f"{file.name} cannot be read"
            gaps.append({"source": "collectors", "start": None, "end": None, "reason": reason, "missed": None})
    return sorted(gaps, key=lambda gap: (gap["start"] or "", gap["source"]))
