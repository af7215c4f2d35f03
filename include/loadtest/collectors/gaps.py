"""The times without readings, as the collectors noted them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from include.loadtest.run import utc_text

KEYS = ("source", "start", "end", "reason", "missed")


@dataclass
class Gap:
    """A time without readings of a source; `end_s` is None while it lasts. Seconds since the epoch."""

    source: str
    start_s: float
    reason: str
    end_s: float | None = None
    missed: int = 0

    def document(self) -> dict[str, Any]:
        """For the gaps file; `missed` counts the readings that were due."""
        end = None if self.end_s is None else moment_text(self.end_s)
        return {
            "source": self.source,
            "start": moment_text(self.start_s),
            "end": end,
            "reason": self.reason,
            "missed": self.missed,
        }


def moment_text(moment_s: float) -> str:
    """A moment in seconds since the epoch, as ISO 8601 in UTC."""
    return utc_text(datetime.fromtimestamp(moment_s, UTC))


def write_gaps(path: Path, gaps: Sequence[Gap]) -> None:
    """Replace a gaps file as a whole."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps([gap.document() for gap in gaps], indent=2), encoding="utf-8")
    temporary.replace(path)


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
