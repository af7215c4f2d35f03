"""What a run with a fault leaves behind, and what it may leave."""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pyarrow.parquet as pq
from pyarrow import ArrowException

TAGGED = """SELECT count(*) FROM "user" WHERE account_code LIKE 'LT-%'"""
LOCKS = "SELECT count(*) FROM loadtest.target_lock WHERE expires > now()"
PROGRAMS = ("include/locustfiles/pratikoai.py", "include.loadtest.collectors")
"""What a run starts beside Airflow's own processes: the generator, the collectors."""
END_PATIENCE_S = 15.0
"""So long they may take to notice that their parent is gone."""
NONE = "none"
GREEN = ("PASS", "WARN")


@dataclass(frozen=True)
class Aftermath:
    """Measured after a run. `verdict`: in the bundle; `shown`: what `make run` said, None where there is no command."""

    verdict: str
    reasons: tuple[str, ...]
    samples: int
    report: bool
    users: int
    locks: int
    processes: int
    token_file: bool
    shown: str | None = None

    def text(self) -> str:
        """For a claim's line."""
        shown = "" if self.shown is None else f", shown={self.shown}"
        return (
            f"verdict={self.verdict}{shown}, reasons={'+'.join(self.reasons) or NONE}, samples={self.samples} rows, "
            f"report={_yes(self.report)}, users={self.users}, locks={self.locks}, processes={self.processes}, "
            f"token file={_yes(self.token_file)}"
        )


@dataclass(frozen=True)
class Expected:
    """What may be left. `reason`: a code among the verdict's; `samples`: whether there are any; None: either way.

    `shown`: what `make run` says, where that is not the bundle's verdict.
    """

    verdicts: tuple[str, ...]
    reason: str | None = None
    samples: bool | None = True
    report: bool | None = True
    users: int = 0
    locks: int = 0
    shown: str | None = None

    def text(self) -> str:
        """For a claim's line."""
        parts = [f"verdict={' or '.join(self.verdicts)}"]
        parts += [f"shown={self.shown}"] if self.shown else []
        parts += [f"reason {self.reason}"] if self.reason else []
        parts += [] if self.samples is None else ["samples>0" if self.samples else "samples=0"]
        parts += [] if self.report is None else [f"report={_yes(self.report)}"]
        return ", ".join([*parts, f"users={self.users}", f"locks={self.locks}", "processes=0", "token file=no"])

    def met_by(self, found: Aftermath) -> bool:
        """Whether exactly this was left."""
        shown = self.shown or found.verdict
        return all(
            (
                found.verdict in self.verdicts,
                found.shown in (None, shown),
                self.reason is None or self.reason in found.reasons,
                self.samples in (None, found.samples > 0),
                self.report in (None, found.report),
                (found.users, found.locks, found.processes) == (self.users, self.locks, 0),
                not found.token_file,
            )
        )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def aftermath(
    bundle: Path | None, database_url: str, history_url: str, folder: Path, shown: str | None = None
) -> Aftermath:
    """Look at a bundle, at both databases and at the processes that work for `folder`. No bundle: nothing was kept."""
    verdict = document(bundle, "verdict.json")
    return Aftermath(
        verdict=str(verdict.get("verdict", NONE)),
        reasons=tuple(dict.fromkeys(reason["code"] for reason in verdict.get("reasons", ()))),
        samples=0 if bundle is None else sample_rows(bundle),
        report=bundle is not None and any(bundle.glob("load_test_summary_*.md")),
        users=count(database_url, TAGGED),
        locks=count(history_url, LOCKS),
        processes=processes_left(folder),
        token_file=bundle is not None and has_token_file(bundle.name),
        shown=shown,
    )


def document(bundle: Path | None, name: str) -> dict[str, Any]:
    """A JSON file of a bundle; empty where there is none or it is cut."""
    try:
        content: dict[str, Any] = {} if bundle is None else json.loads((bundle / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content


def sample_rows(bundle: Path) -> int:
    """Rows in the readable parts of the samples."""
    return sum(_rows(part) for part in (bundle / "samples").glob("*.parquet"))


def _rows(part: Path) -> int:
    try:
        return int(pq.read_metadata(part).num_rows)
    except (OSError, ArrowException):
        return 0


def count(url: str, statement: str) -> int:
    """The number that a statement gives."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
            return int(row[0]) if row else 0
    finally:
        connection.close()


def has_token_file(run_id: str) -> bool:
    """Whether a run's copy of its users' tokens is left on this machine."""
    return any(Path(tempfile.gettempdir(), f"loadtest-{os.getuid()}", run_id).rglob("sessions.json"))


def processes_left(folder: Path, patience_s: float = END_PATIENCE_S) -> int:
    """Generators and collectors whose command line names `folder`, after they had the time to notice the end."""
    deadline = time.monotonic() + patience_s
    while (left := len(list(_processes(folder)))) and time.monotonic() < deadline:
        time.sleep(0.5)
    return left


def _processes(folder: Path) -> Iterator[int]:
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or ()
        line = " ".join(words)
        if str(folder) in line and any(name in line for name in PROGRAMS):
            yield process.pid
