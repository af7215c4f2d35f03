"""Rows through the recorder alone, in a process of its own: `python -m experiments.bench.rows ROWS FOLDER`.

Each row is made as a generator makes it. Parts are removed when they are there, for the disk's sake.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median

import psutil

from include.loadtest.recorder import SAMPLE_SCHEMA, PartWriter, Sample, prepare_writing

PART_ROWS = 10_000
"""What a busy generator writes every 3 s."""
WARM_UP_ROWS = 100_000
READ_PARTS = 10
"""So many parts' readings make one figure."""


def row(number: int) -> Sample:
    """A sample like any other."""
    now = 1_700_000_000_000_000_000 + number * 1_000_000
    is_ok = number % 100 != 0
    return Sample(
        intended_start=now,
        start=now + 1000,
        latency_us=200_000 + number % 1000,
        ttfb_us=50_000 + number % 777,
        scenario="simple_query",
        endpoint="chat_simple",
        iteration=number,
        phase="hold",
        stage="hold",
        outcome="ok" if is_ok else "http_error",
        error=None if is_ok else f"HTTP 500: {number % 7}",
        status=200 if is_ok else 500,
        bytes=100_000 + number % 5000,
        cache_hit=None,
        worker="w0",
        user=number % 200,
    )


def main(rows: int, folder: Path) -> None:
    """Say on standard output what memory was held, in bytes: after the warm-up, and in the end."""
    prepare_writing()
    writer = PartWriter(folder, "w0", SAMPLE_SCHEMA)
    process = psutil.Process()
    held: list[tuple[int, int]] = []
    began_s = time.process_time()
    for number in range(rows):
        writer.add(row(number))
        if (number + 1) % PART_ROWS == 0:
            writer.flush()
            for part in folder.glob("*.parquet"):
                part.unlink()
            memory = process.memory_full_info()
            held.append((memory.rss, memory.uss))
    cpu_us = (time.process_time() - began_s) / rows * 1e6
    first = WARM_UP_ROWS // PART_ROWS
    account = {"warm_up": WARM_UP_ROWS, "before": _median(held[first : first + READ_PARTS]), "cpu_us": cpu_us}
    sys.stdout.write(json.dumps({**account, "after": _median(held[-READ_PARTS:])}))


def _median(held: list[tuple[int, int]]) -> dict[str, float]:
    return {"rss": median(rss for rss, _ in held), "uss": median(uss for _, uss in held)}


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
