"""What was seen beside a load that is no number: statements, waits for locks, slow commands, lines of the target's log.

One line of JSON each, in `resources/observations-<source>-<pid>.jsonl`: `{"ts", "source", "instance", "kind", …}`.

- `statement`: `queryid` (as in the readings' labels), `text`
- `lock_wait`: `statement`, `waited_s`, `waiters` (of the same statements), `relation`; of the session that they wait
  for and that waits for nobody itself: `blocking_pid`, `blocking_state`, `blocking_transaction_s` (its transaction's
  age) and `blocking_statement` (where it is idle, its last one)
- `slow_command`: `command` (name and the key's prefix), `duration_ms`
- `target_log`: `words` (those of a line of the log that speak of an end or a new start), `process` (the one that the
  kernel killed)

What is not known is null. Statements and commands stand there without their values. Texts are another program's: they
are cut, and without control characters.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from include.loadtest.errors import printable
from include.loadtest.run import utc_text

LOG = logging.getLogger("loadtest.collectors")
MAX_LINES = 2_000
"""Of one file. What is seen later is left out: by then the same was seen often enough."""
MAX_LINES_OF_A_KIND = 1_500
"""So that one kind leaves room for the others of its source."""
MAX_TEXT_CHARS = 500
MAX_LOG_LINES = 20
"""For the manifest, and so for the report."""
MAX_LINE_BYTES = 16_384


class ObservationWriter:
    """Appends to the file of one source. What cannot be written (a full disk) is tried again with the next."""

    def __init__(self, directory: Path, source: str, instance: str, pid: int) -> None:
        self._path = directory / f"observations-{source}-{pid}.jsonl"
        self._source, self._instance = source, instance
        self._lines: Counter[str] = Counter()
        self._unwritten: list[str] = []
        self._begin = ""

    def write(self, ts_ns: int, seen: Iterable[Mapping[str, Any]]) -> None:
        """Write what was seen at a moment (ns since the epoch); each mapping has its `kind`."""
        moment = utc_text(datetime.fromtimestamp(ts_ns // 1000 / 1e6, UTC))
        for observation in seen:
            kind = str(observation["kind"])
            if self._lines.total() >= MAX_LINES or self._lines[kind] >= MAX_LINES_OF_A_KIND:
                continue
            self._lines[kind] += 1
            content = {"ts": moment, "source": self._source, "instance": self._instance, **observation}
            self._unwritten.append(json.dumps({key: _shown(value) for key, value in content.items()}))
        self.flush()

    def flush(self) -> None:
        """Append what is open."""
        if not self._unwritten:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(self._begin + "".join(f"{line}\n" for line in self._unwritten))
        except OSError as error:
            self._begin = "\n"  # half a line may be left of this attempt
            LOG.warning("%s could not be written: %s", self._path.name, error.strerror or error)
        else:
            self._unwritten.clear()
            self._begin = ""


def _shown(value: Any) -> Any:
    return printable(value, MAX_TEXT_CHARS) if isinstance(value, str) else value


def read_observations(bundle: Bundle) -> list[dict[str, Any]]:
    """All observations of a run, by time; what cannot be read is left out. `ts` is ISO 8601 in UTC."""
    found: list[dict[str, Any]] = []
    for file in sorted(bundle.resources_dir.glob("observations-*.jsonl")):
        found += islice(_observations(file), MAX_LINES)
    return sorted(found, key=lambda observation: observation["ts"])


def log_lines(bundle: Bundle) -> list[dict[str, Any]]:
    """`ts`, `words` and `process` of the first lines of the target's log that spoke of its end or a new start."""
    lines = [one for one in read_observations(bundle) if one["kind"] == "target_log"]
    return [{key: one.get(key) for key in ("ts", "words", "process")} for one in lines[:MAX_LOG_LINES]]


def _observations(file: Path) -> Iterable[dict[str, Any]]:
    try:
        with file.open("rb") as lines:
            while line := lines.readline(MAX_LINE_BYTES):
                observation = _parsed(line)
                if observation is not None:
                    yield observation
    except OSError as error:
        LOG.warning("%s could not be read: %s", file.name, error.strerror or error)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in ("ts", "source", "kind")):
        return None
    return {key: _shown(value) for key, value in content.items()}
