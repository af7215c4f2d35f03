"""The timeline of all readings as JSON, for people and other tools."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from include.loadtest.run import utc_text

FILE = "performance_snapshots.json"
_OF_ONE_OF_MANY = re.compile(r"\{(queryid|table)=")


def snapshots(bundle: Bundle) -> Path:
    """Write performance_snapshots.json: a list of `{ts, source, instance, values: {metric: value}}`, by time.

    A part that cannot be read is left out; metrics.json names it. Figures of single statements and tables are in the
    parts only: they are hundreds a reading.
    """
    taken: dict[tuple[int, str, str], dict[str, float]] = {}
    for part in sorted(bundle.resources_dir.glob("*.parquet")):
        for row in _rows(part):
            if _OF_ONE_OF_MANY.search(row["metric"]):
                continue
            taken.setdefault((row["ts"], row["source"], row["instance"]), {})[row["metric"]] = row["value"]
    timeline = [
        {
            "ts": utc_text(datetime.fromtimestamp(ts // 1000 / 1e6, UTC)),
            "source": source,
            "instance": instance,
            "values": values,
        }
        for (ts, source, instance), values in sorted(taken.items(), key=lambda item: item[0])
    ]
    return bundle.write_text(FILE, json.dumps(timeline, indent=1, ensure_ascii=False) + "\n")


def _rows(part: Path) -> Iterator[dict[str, Any]]:
    """Rows of a part, their time as nanoseconds since the epoch."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(part)
    except (OSError, pa.ArrowException):
        return
    place = table.schema.get_field_index("ts")
    yield from table.set_column(place, "ts", table["ts"].cast(pa.int64())).to_pylist()
