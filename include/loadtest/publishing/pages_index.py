"""The list of published runs: what stands in its index.json, which is foreign text, and which runs stay. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from include.loadtest import run
from include.loadtest.errors import printable
from include.loadtest.verdict import Verdict

MOST_RUNS = 50
"""Older runs leave the site with the commit that adds a newer one."""
MAX_TEXT_CHARS, MAX_RUN_ID_CHARS = 120, 200
_STAMP = re.compile(r"-(\d{8}-\d{6})-")
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class IndexEntry:
    """A line of the list. `time`: when the run began, ISO 8601 in UTC; what is not known is None.

    `profile` is None for the page of a whole suite; `suite` names the suite of such a page, or the one a run is of.
    """

    run_id: str
    verdict: str | None = None
    profile: str | None = None
    suite: str | None = None
    target: str | None = None
    time: str | None = None

    @classmethod
    def checked(cls, fields: object) -> Self | None:
        """What can be believed of a line from anywhere; None where it names no run."""
        if not isinstance(fields, Mapping) or not is_run_id(fields.get("run_id")):
            return None
        run_id = str(fields["run_id"])
        verdict, texts = fields.get("verdict"), {name: _text(fields.get(name)) for name in _TEXTS}
        return cls(
            run_id,
            verdict=verdict if isinstance(verdict, str) and verdict in set(Verdict) else None,
            time=_time(fields.get("time"), run_id),
            **texts,
        )

    @property
    def began(self) -> datetime:
        """For sorting: an unknown time is the oldest."""
        return _BEGINNING if self.time is None else datetime.fromisoformat(self.time)


_TEXTS = ("profile", "suite", "target")


def entry_of(document: Mapping[str, Any], manifest: Mapping[str, Any] | None) -> IndexEntry:
    """The line of a run (`document` is its verdict.json) or of a suite (suite.json). Raises ValueError: no run id."""
    target = (manifest or {}).get("target")
    fields = {
        "run_id": document.get("run_id") or document.get("suite_run_id"),
        **{name: document.get(name) for name in ("verdict", "profile", "suite")},
        "target": target.get("name") if isinstance(target, Mapping) else None,
        "time": (manifest or {}).get("started"),
    }
    if (entry := IndexEntry.checked(fields)) is None:
        raise ValueError("a document without the id of a run")
    return entry


def is_run_id(name: object) -> bool:
    """Whether a run may have this name: nothing else becomes a part of an address or of a path."""
    return isinstance(name, str) and len(name) <= MAX_RUN_ID_CHARS and run.RUN_ID_PATTERN.fullmatch(name) is not None


def is_run_folder(name: str) -> bool:
    """Whether a folder of the site is a run's though no line names it: only a run has its time in its name."""
    return is_run_id(name) and _STAMP.search(name) is not None


def read_index(content: bytes | None) -> list[IndexEntry]:
    """The lines of an index.json, also of the plain list that earlier versions wrote; none where it is damaged."""
    try:
        document = json.loads(content or b"")
    except (ValueError, RecursionError):
        return []
    lines = document.get("runs") if isinstance(document, dict) else document
    checked = (IndexEntry.checked(line) for line in lines) if isinstance(lines, list) else ()
    return [entry for entry in checked if entry is not None]


def merged(entry: IndexEntry, known: Iterable[IndexEntry], folders: Iterable[str]) -> list[IndexEntry]:
    """The list with `entry` in it, the latest run first, at most MOST_RUNS.

    `folders` are the names of what is there: a line without a folder goes, a run's folder without a line gets one with
    what its name says.
    """
    there = list(folders)
    lines = {name: IndexEntry.checked({"run_id": name}) for name in there if is_run_folder(name)}
    lines |= {line.run_id: line for line in known if line.run_id in there}
    lines[entry.run_id] = entry
    found = [line for line in lines.values() if line is not None]
    return sorted(found, key=lambda line: (line.began, line.run_id), reverse=True)[:MOST_RUNS]


def index_json(entries: Iterable[IndexEntry]) -> str:
    """The content of index.json."""
    return json.dumps({"schema": 1, "runs": [asdict(entry) for entry in entries]}, indent=1, ensure_ascii=False) + "\n"


def _text(value: object) -> str | None:
    return printable(value, MAX_TEXT_CHARS).strip() or None if isinstance(value, str) else None


def _time(value: object, run_id: str) -> str | None:
    """A time that says its zone, else the one in the run's id."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return run.utc_text(moment)
    except (ValueError, OverflowError):
        pass
    try:
        stamp = _STAMP.search(run_id)
        return None if stamp is None else run.utc_text(datetime.strptime(stamp[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC))
    except ValueError:
        return None
