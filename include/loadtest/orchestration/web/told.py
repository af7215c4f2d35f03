"""What a line of a table says of a run or a suite: from its bundle, or from the history where that has gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from include.loadtest import run
from include.loadtest.errors import InfrastructureError, printable
from include.loadtest.history.overview import PastRun, SuiteVerdicts
from include.loadtest.orchestration.web.sources import StoredBundle, bundle_here
from include.loadtest.reporting.page.answers import deciding_reasons
from include.loadtest.reporting.report import SENTENCES
from include.loadtest.reporting.suite import FILE as SUITE_FILE
from include.loadtest.verdict import Verdict, worst

REASON_CHARS = 240
NO_VERDICT = "It has no verdict (yet)."

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A run or a suite. `verdict` None: it has none (yet); `kind`: runs or suites, as in their pages' addresses."""

    kind: str
    run_id: str
    name: str
    target: str
    verdict: str | None
    started: str | None
    reason: str


@dataclass(frozen=True)
class SuiteLine:
    """The last run of a suite; `verdict` None: it runs still, or left none."""

    suite: str
    target: str
    suite_run_id: str
    started: datetime
    verdict: str | None
    runs: int
    counts: str


def reason_of(verdict: Row) -> str:
    """The reason that decided a verdict, else the verdict's own sentence."""
    deciding = deciding_reasons(verdict.get("reasons") or ())
    text = deciding[0].get("text") if deciding else SENTENCES.get(str(verdict.get("verdict")), NO_VERDICT)
    return printable(str(text), REASON_CHARS)


def past_reason(past: PastRun) -> str:
    """The reason of a run of the history, from its bundle."""
    try:
        return _kept_reason(past)
    except LookupError:
        return SENTENCES.get(past.verdict, NO_VERDICT)


@lru_cache(maxsize=512)
def _kept_reason(past: PastRun) -> str:
    """Kept for a run as the history has it: where its verdict changes, so does the moment of its change.

    Raises LookupError where it cannot be read now: that is not kept.
    """
    document = document_of(StoredBundle(past.run_id, past.bundle_uri.removeprefix("file://")), run.VERDICT)
    if document is None:
        raise LookupError(past.run_id)
    return reason_of(document)


def document_of(bundle: StoredBundle, name: str) -> dict[str, Any] | None:
    """A file of a bundle for a table: what cannot be read now is as if it were not there."""
    try:
        return bundle.document(name)
    except InfrastructureError:
        return None


def bundle_line(bundle: StoredBundle) -> Line:
    """A line from a bundle alone."""
    manifest = document_of(bundle, run.MANIFEST) or {}
    is_suite = isinstance(manifest.get("suite"), dict)
    verdict = document_of(bundle, SUITE_FILE if is_suite else run.VERDICT)
    return Line(
        kind="suites" if is_suite else "runs",
        run_id=bundle.run_id,
        name=str(part_of(manifest, "suite" if is_suite else "profile").get("name") or bundle.run_id),
        target=str(part_of(manifest, "target").get("name") or "–"),
        verdict=_word(verdict),
        started=manifest.get("started"),
        reason=NO_VERDICT if verdict is None else counted(verdict) if is_suite else reason_of(verdict),
    )


def suite_line(last: SuiteVerdicts) -> SuiteLine:
    """A suite's line: suite.json has its verdict; without that file its runs' in the history."""
    bundle = bundle_here(last.suite_run_id)
    document = document_of(bundle, SUITE_FILE)
    runs_still = document is None and document_of(bundle, run.MANIFEST) is not None
    words = last.verdicts if document is None else _words(document)
    known = [Verdict(word) for word in words if word in set(Verdict)]
    verdict = _word(document) if document else str(worst(known)) if known and not runs_still else None
    return SuiteLine(last.suite, last.target, last.suite_run_id, last.started, verdict, len(words), _counts(words))


def counted(document: Row) -> str:
    """How many runs of a suite came to which verdict."""
    return _counts(_words(document))


def part_of(manifest: Row, name: str) -> dict[str, Any]:
    """A part of a manifest that has parts of its own; an earlier release may have written a mere name there."""
    part = manifest.get(name)
    return part if isinstance(part, dict) else {}


def _word(document: Row | None) -> str | None:
    """The verdict of verdict.json or suite.json; None where the file, or that part of it, is not there."""
    word = None if document is None else document.get("verdict")
    return None if word is None else str(word)


def _words(document: Row) -> tuple[str, ...]:
    """The verdicts of a suite's runs."""
    rows = (one for one in document.get("runs") or () if isinstance(one, dict))
    return tuple(_word(one) or "without a verdict" for one in rows)


def _counts(words: tuple[str, ...]) -> str:
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) or "no runs"
