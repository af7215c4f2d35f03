"""From the runs of a suite to suite.json and the suite's own summary. Reads conclusions, draws none but the worst."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.reporting.markdown import bullets, code, moment, plain, section, table
from include.loadtest.reporting.meaning import statement_of
from include.loadtest.reporting.summary import meaning_section, verdict_title
from include.loadtest.verdict import Verdict, worst

FILE = "suite.json"
NO_VERDICT = "ended without a verdict"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class SuiteHead:
    """What a suite is: `max_load_s` bounds the load of all its runs together, in seconds."""

    run_id: str
    name: str
    title: str
    max_load_s: int


@dataclass(frozen=True)
class SuiteEntry:
    """One run of a suite; `manifest` and `verdict` are its bundle's files, None where the run did not leave them."""

    run_id: str
    profile: str
    bundle_uri: str
    manifest: Row | None
    verdict: Row | None

    @property
    def outcome(self) -> Verdict:
        """Its verdict; INCONCLUSIVE without one, since missing data is never good news."""
        name = (self.verdict or {}).get("verdict")
        return Verdict(name) if name in set(Verdict) else Verdict.INCONCLUSIVE

    @property
    def load_s(self) -> float | None:
        """Seconds from the first intended start to the end of the load; None where none was sent."""
        load = _part(self, "load")
        if not load.get("started") or not load.get("ended"):
            return None
        span = datetime.fromisoformat(load["ended"]) - datetime.fromisoformat(load["started"])
        return span.total_seconds()


def suite_document(suite_run_id: str, suite: str, runs: Sequence[SuiteEntry]) -> dict[str, Any]:
    """The content of suite.json: the worst verdict of the runs, INCONCLUSIVE without runs."""
    return {
        "schema": 1,
        "suite_run_id": suite_run_id,
        "suite": suite,
        "verdict": str(_verdict(runs)),
        "runs": [{"run_id": entry.run_id, "profile": entry.profile, "verdict": str(entry.outcome)} for entry in runs],
    }


def _verdict(entries: Sequence[SuiteEntry]) -> Verdict:
    return worst(entry.outcome for entry in entries) if entries else Verdict.INCONCLUSIVE


def suite_summary(suite: SuiteHead, entries: Sequence[SuiteEntry]) -> str:
    """The suite's summary as Markdown: the verdict, the timetable, what it means, and where each run's bundle is."""
    verdict = _verdict(entries)
    green = sum(entry.outcome in (Verdict.PASS, Verdict.WARN) for entry in entries)
    sections = [
        f"# {verdict_title(verdict)}: {plain(suite.title)}",
        f"**The worst verdict of {len(entries)} runs is {verdict}; {green} are green (PASS or WARN).**",
        f"Suite {code(suite.name)} · {code(suite.run_id)} · {_load_sentence(suite, entries)}",
        section("Runs", table(_TIMETABLE, (_row(entry) for entry in entries))),
        *(_meaning(entry) for entry in entries),
        section("Overrides", bullets(_overrides(entries))),
        section("Bundles", _HOW_TO_SEE, bullets(_bundle(entry) for entry in entries)) if entries else "",
    ]
    return "\n\n".join(part for part in sections if part) + "\n"


_TIMETABLE = ("profile", "users", "load started", "load ended", "load", "verdict", "first reason")
_HOW_TO_SEE = "Open `load_test_summary_….md` in a bundle for its figures, `verdict.json` for its limits and reasons."


def _row(entry: SuiteEntry) -> tuple[str, ...]:
    load = _part(entry, "load")
    return (
        plain(entry.profile),
        str(_part(entry, "profile").get("users", "–")),
        moment(load.get("started")) if entry.load_s is not None else "no load was sent",
        moment(load.get("ended")) if entry.load_s is not None else "–",
        "–" if entry.load_s is None else f"{entry.load_s / 60:.1f} min",
        verdict_title(entry.outcome),
        _first_reason(entry),
    )


def _first_reason(entry: SuiteEntry) -> str:
    if entry.verdict is None:
        return NO_VERDICT
    reasons = entry.verdict["reasons"]
    return f"{reasons[0]['code']}: {plain(reasons[0]['text'])}" if reasons else "–"


def _load_sentence(suite: SuiteHead, entries: Sequence[SuiteEntry]) -> str:
    total_s = sum(entry.load_s or 0 for entry in entries)
    text = f"load {total_s / 60:.1f} min in all"
    over = total_s > suite.max_load_s
    excess = f" (**{(total_s - suite.max_load_s) / 60:.1f} min too much**)" if over else ""
    return f"{text}, at most {suite.max_load_s / 60:g} min are allowed{excess}"


def _meaning(entry: SuiteEntry) -> str:
    statement = statement_of(entry.manifest or {}, entry.verdict)
    return "" if statement is None else meaning_section(statement.document(), f"What {plain(entry.profile)} means")


def _overrides(entries: Sequence[SuiteEntry]) -> list[str]:
    return [
        f"{plain(entry.profile)}: {plain(str(note))}"
        for entry in entries
        for note in _part(entry, "profile").get("notes") or ()
    ]


def _bundle(entry: SuiteEntry) -> str:
    return f"{plain(entry.profile)}: {code(entry.bundle_uri)}"


def _part(entry: SuiteEntry, name: str) -> Row:
    part: Row = (entry.manifest or {}).get(name) or {}
    return part


def write_suite(bundle: Bundle, head: SuiteHead, entries: Sequence[SuiteEntry], now: datetime) -> dict[str, Any]:
    """Write suite.json and the summary into the suite's directory; returns the content of suite.json."""
    document = suite_document(head.run_id, head.name, entries)
    bundle.write(FILE, document)
    bundle.write_text(f"load_test_summary_{run.report_stamp(now)}.md", suite_summary(head, entries))
    return document
