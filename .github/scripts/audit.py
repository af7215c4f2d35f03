"""The locked packages against the known vulnerabilities: red for one, and for an audit that has looked at nothing.

pip-audit says "no known vulnerabilities" also where its source knows none of the packages, and leaves with 0: so what
it has really audited is counted here, against the locked lines. It leaves out lines for another Python than the one it
runs in, so the workflow runs it in each. A vulnerability that is not to be mended yet stands in the file of those that
are accepted, with a reason and the date until which that holds.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name
from workflow_commands import annotate, say

FOLDER = Path(__file__).parents[1]
ACCEPTED_FILE = FOLDER / "accepted_vulnerabilities.toml"
KEYS = {"id", "package", "reason", "until"}
WITHIN_S = 900
NOTHING_AUDITED = (
    "no package was audited, and {} were left out, so this says nothing: the package index that pip-audit asks has no "
    "data on vulnerabilities; run it where PyPI itself is reached"
)
LOCKED = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.+?))?\s*\\?")
"""A line of the locked file that begins a package; what belongs to it is indented."""
OPTIONS = ("--require-hashes", "--disable-pip", "--aliases", "on", "--format", "json", "--progress-spinner", "off")


class AuditError(Exception):
    """What was given cannot be read; `str()` says what and where."""


@dataclass(frozen=True)
class Accepted:
    """A vulnerability of a package that is known and left as it is, until the end of that day (UTC)."""

    id: str
    package: str
    reason: str
    until: date


@dataclass(frozen=True)
class Locked:
    """A line of the locked file; `marker` says for which Pythons and systems it is."""

    package: str
    version: str
    marker: Marker | None = None

    @property
    def is_for_here(self) -> bool:
        """Whether it is for the Python and the system that this runs in."""
        return self.marker is None or self.marker.evaluate()

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.package} {self.version}"


@dataclass(frozen=True)
class Finding:
    """A vulnerability of a locked package. `names`: its id and the ids that others gave it."""

    package: str
    version: str
    names: tuple[str, ...]
    mended_in: tuple[str, ...]

    @property
    def text(self) -> str:
        """For people."""
        mended = f"mended in {', '.join(self.mended_in)}" if self.mended_in else "no version mends it yet"
        return f"{self.package} {self.version}: {', '.join(self.names)}; {mended}"

    def is_covered(self, accepted: Accepted) -> bool:
        """Whether the entry is about this one."""
        return accepted.package == self.package and accepted.id in self.names


def read_accepted(text: str) -> tuple[Accepted, ...]:
    """The accepted ones. Raises AuditError for an entry without a reason or a date."""
    try:
        entries = tomllib.loads(text).get("accepted", [])
    except tomllib.TOMLDecodeError as error:
        raise AuditError(f"{ACCEPTED_FILE.name}: {error}") from error
    return tuple(_accepted(number, entry) for number, entry in enumerate(entries, 1))


def _accepted(number: int, entry: dict[str, Any]) -> Accepted:
    where = f"{ACCEPTED_FILE.name}: entry {number}"
    if set(entry) != KEYS:
        raise AuditError(f"{where}: has {', '.join(sorted(entry)) or 'nothing'}; write {', '.join(sorted(KEYS))}")
    if type(entry["until"]) is not date:
        raise AuditError(f"{where}: until is a date without quotes, such as 2027-01-31")
    if not str(entry["reason"]).strip():
        raise AuditError(f"{where}: reason is empty")
    return Accepted(str(entry["id"]), str(entry["package"]), str(entry["reason"]), entry["until"])


def read_locked(text: str) -> tuple[Locked, ...]:
    """The locked packages. Raises AuditError for a line that is none: it would be audited by nobody."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line[:1] not in ("", " ", "#")]
    return tuple(_locked(number, line) for number, line in lines)


def _locked(number: int, line: str) -> Locked:
    found, where = LOCKED.fullmatch(line), f"line {number} of the locked file"
    if found is None:
        raise AuditError(f"{where} is no package==version: {line[:100]}")
    try:
        marker = Marker(found["marker"]) if found["marker"] else None
    except InvalidMarker as error:
        raise AuditError(f"{where} has a condition that cannot be read: {line[:100]}") from error
    return Locked(canonicalize_name(found["name"]), found["version"], marker)


def judge(
    report: str, locked: Sequence[Locked], accepted: Sequence[Accepted], today: date
) -> tuple[list[str], list[str]]:
    """What is wrong, and what is only told. Raises AuditError for what is not pip-audit's JSON."""
    rows = _rows(report)
    audited = [row for row in rows if "skip_reason" not in row]
    wrong = [*_left_out(rows), *_missing(rows, locked)] if audited else [NOTHING_AUDITED.format(len(rows))]
    wrong += [f"expired on {one.until}: {one.package} {one.id} ({one.reason})" for one in accepted if one.until < today]
    findings = [finding for row in audited for finding in _findings(row)]
    told = _counted(len(audited), len(findings), locked)
    for finding in findings:
        entry = next((one for one in accepted if finding.is_covered(one) and one.until >= today), None)
        if entry is None:
            wrong.append(finding.text)
        else:
            told.append(f"accepted until {entry.until}: {finding.text} ({entry.reason})")
    gone = [one for one in accepted if not any(finding.is_covered(one) for finding in findings)]
    told += [f"no longer found, remove it from {ACCEPTED_FILE.name}: {one.package} {one.id}" for one in gone]
    return wrong, told


def _left_out(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [f"not audited: {row['name']}: {row['skip_reason']}" for row in rows if "skip_reason" in row]


def _missing(rows: Sequence[dict[str, Any]], locked: Sequence[Locked]) -> list[str]:
    """Packages for this Python of which pip-audit says nothing, not even that it left them out."""
    left_out = {row["name"] for row in rows if "skip_reason" in row}
    told = {(row["name"], row["version"]) for row in rows if "skip_reason" not in row}
    return [
        f"not audited: {one.text}: it is locked, and pip-audit does not name it"
        for one in locked
        if one.is_for_here and one.package not in left_out and (one.package, one.version) not in told
    ]


def _counted(audited: int, found: int, locked: Sequence[Locked]) -> list[str]:
    """How much was looked at, and what another Python or system has to look at."""
    others = [one.text for one in locked if not one.is_for_here]
    here = f"{len(locked) - len(others)} that are locked for Python {platform.python_version()} here"
    told = [f"packages audited: {audited} of {here}, vulnerabilities found: {found}"]
    return told + ([f"locked for other Pythons or systems, so not audited here: {', '.join(others)}"] if others else [])


def _rows(report: str) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(report)["dependencies"]
        for row in rows:
            _ = row["name"], row["skip_reason"] if "skip_reason" in row else (row["version"], row["vulns"])
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError(f"pip-audit left no report that can be read ({type(error).__name__})") from error
    return rows


def _findings(row: dict[str, Any]) -> list[Finding]:
    found = []
    for entry in row["vulns"]:
        names = dict.fromkeys((entry["id"], *entry.get("aliases", ())))
        found.append(Finding(row["name"], row["version"], tuple(names), tuple(entry["fix_versions"])))
    return found


def run_audit(requirements: str) -> str:
    """pip-audit's report on a locked file; its exit code says no more. Raises AuditError where there is none."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", requirements, *OPTIONS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AuditError(f"pip-audit did not end: {type(error).__name__}") from error
    if not done.stdout.strip():
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise AuditError(f"pip-audit failed with exit code {done.returncode}: {last[0][:500]}")
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    """`audit.py requirements.txt`; with `--report FILE` after it for a report that is there already."""
    try:
        requirements, *given = arguments
        report = Path(given[1]).read_text(encoding="utf-8") if given else run_audit(requirements)
        locked = read_locked(Path(requirements).read_text(encoding="utf-8"))
        accepted = read_accepted(ACCEPTED_FILE.read_text(encoding="utf-8"))
        wrong, told = judge(report, locked, accepted, datetime.now(UTC).date())
    except (AuditError, OSError) as error:
        wrong, told = [str(error)], []
    for line in told:
        say(line)
    for line in wrong:
        _error(line)
    return 1 if wrong else 0


def _error(text: str) -> None:
    """In a job of GitHub an annotation, elsewhere a line."""
    if os.environ.get("GITHUB_ACTIONS"):
        annotate("error", text)
    else:
        sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
