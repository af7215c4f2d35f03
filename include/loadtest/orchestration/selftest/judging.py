"""What is said of the recorded runs today: by the real metrics, limits, change test and verdict, without any history.

Each link is checked with what the links before it give; where one of those is broken, with what it gave when the
recordings were made. So one broken link is one failure.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from include.loadtest import run
from include.loadtest.analysis.document import change_document
from include.loadtest.analysis.figures import RunFigures, run_figures
from include.loadtest.analysis.ruling import Word, rule
from include.loadtest.bundle import Bundle
from include.loadtest.orchestration.change import CHANGE_CODES, RECENT, SECTION, change_reasons
from include.loadtest.orchestration.conclusion import conclude_run
from include.loadtest.orchestration.selftest import recordings
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link, link
from include.loadtest.orchestration.selftest.recordings import BAD, CLEAN, FOLDER, MISSED, SLOWER
from include.loadtest.profile import Profile
from include.loadtest.validation.conclusion import amend
from include.loadtest.verdict import GREEN, SloResult, Verdict, shown

Found = TypeVar("Found")
SUSPECT = SLOWER[0]
WANTED: Mapping[str, Collection[Verdict]] = {
    BAD: {Verdict.SLA_BREACH},
    SUSPECT: {Verdict.REGRESSION},
    CLEAN: GREEN,
}
"""The verdicts that make, or end, an alarm."""
JUDGED = tuple(WANTED)
"""Recordings whose limits are judged; repeats are measured only."""
CONCLUDED = "concluded.json"
"""Of a recording: the verdict and the change test's document of the day on which it was made."""
AS_PROFILE = "include/profiles/smoke.yaml and include/profiles/reference/requirements.yaml"
AS_NEW = (
    "if the change is wanted, make the recordings anew: python -m experiments.selftest_recording (docs/self-test.md)"
)
_RECORDING = f"find out what changed the files of {FOLDER.name}, or how include/loadtest/metrics computes; {AS_NEW}"
_VALIDATION = f"look who changed the limits in {AS_PROFILE}, or how include/loadtest/validation judges them; {AS_NEW}"
_CHANGE_TEST = f"look who changed change_test or stall_limit_s in {AS_PROFILE}, or include/loadtest/analysis; {AS_NEW}"
_VERDICT = f"look what changed in include/loadtest/verdict.py, reasons.py, or the rules in {AS_PROFILE}; {AS_NEW}"


@dataclass(frozen=True)
class Conclusion:
    """What is to be told of a recorded run; None: that document could not be made."""

    verdict: Mapping[str, Any]
    metrics: Mapping[str, Any] | None
    comparison: Mapping[str, Any] | None


@dataclass(frozen=True)
class Bench:
    """The recordings in `folder`, opened as bundles below `work_dir`."""

    work_dir: Path
    folder: Path = FOLDER

    def opened(self, name: str) -> Bundle:
        """The bundle with its metrics. Raises BrokenLinkError (recording)."""
        bundle = Bundle(self.work_dir / name)
        if not bundle.has(run.METRICS):
            self._measure(name)
        return bundle

    def _measure(self, name: str) -> None:
        from include.loadtest.metrics.engine import compute_metrics

        profile = self.profile(name)
        with link(Link.RECORDING, _RECORDING):
            bundle = recordings.open_recording(self.folder / name, self.work_dir / name)
            metrics = compute_metrics(bundle, profile)
            found = [*metrics["unreadable_parts"], *recordings.differing_figures(self.folder / name, metrics)]
            if found:
                (bundle.path / run.METRICS).unlink()
                text = f"the recorded run {name!r} is no longer what it was: {'; '.join(found[:3])}"
                raise BrokenLinkError(Link.RECORDING, text, _RECORDING)

    @cached_property
    def alarms(self) -> Mapping[str, Conclusion]:
        """What the delivery is tested with, by recording."""
        return {name: alarm_of(self, name) for name in JUDGED}

    def profile(self, name: str) -> Profile:
        """Today's profile with the recording's load. Raises BrokenLinkError (recording)."""
        with link(Link.RECORDING, f"repair the file that it names, which no run could be made with; {AS_NEW}"):
            return recordings.profile_of(self.folder / name)

    def figures(self, name: str) -> RunFigures:
        """The run as the change test sees it."""
        return run_figures(name, self.opened(name).read(run.METRICS)["metrics"])

    def concluded(self, name: str) -> dict[str, Any]:
        """What was concluded when the recording was made: `verdict` and, where it was compared, `change_test`."""
        content: dict[str, Any] = json.loads((self.folder / name / CONCLUDED).read_text(encoding="utf-8"))
        return content


def check_recordings(bench: Bench) -> str:
    """Every recording is there and gives the figures that it gave. Raises BrokenLinkError; returns a line."""
    for name in (*JUDGED, *SLOWER):
        bench.opened(name)
    with link(Link.RECORDING, _RECORDING):
        history = recordings.read_history(bench.folder)
    return f"{len(JUDGED) + len(SLOWER) - 1} recorded runs and a history of {len(history)} give the figures they gave"


def check_validation(bench: Bench) -> str:
    """The bad run misses its limits, and the clean one none. Raises BrokenLinkError; returns a line."""
    bad = {result.metric: result for result in limits_of(bench, BAD) if result.metric in MISSED and _is_of_all(result)}
    loose = [_told(result) for result in bad.values() if result.outcome != "missed"]
    loose += [f"{metric} has no critical limit any more" for metric in MISSED if metric not in bad]
    if loose:
        raise BrokenLinkError(Link.VALIDATION, f"the bad run is let pass: {'; '.join(loose)}", _VALIDATION)
    tight = [_told(one) for one in limits_of(bench, CLEAN) if one.level == "critical" and one.required and _is_bad(one)]
    if tight:
        raise BrokenLinkError(Link.VALIDATION, f"the clean run is not let pass: {'; '.join(tight)}", _VALIDATION)
    return f"the bad run misses {', '.join(MISSED)}; the clean one misses nothing"


def _is_of_all(result: SloResult) -> bool:
    return (result.scope, result.phase, result.level) == ("all", "hold", "critical")


def _is_bad(result: SloResult) -> bool:
    return result.outcome in ("missed", "not_judged")


def _told(result: SloResult) -> str:
    limit = f"limit {result.comparator} {result.limit:g}"
    return f"{result.metric} was {shown(result.observed)} {result.unit}, {limit}: {result.outcome.replace('_', ' ')}"


def limits_of(bench: Bench, name: str) -> list[SloResult]:
    """A recording's limits, judged by great-expectations. Raises BrokenLinkError (recording, validation)."""
    from include.loadtest.validation.suite import validate

    bundle = bench.opened(name)
    if bundle.has(run.VALIDATION):
        return [SloResult(**slo) for slo in bundle.read(run.VALIDATION)["slos"]]
    profile = bench.profile(name)
    with link(Link.VALIDATION, _VALIDATION):
        results, _ = validate(bundle, profile, shares_host=bundle.read(run.MANIFEST)["target"]["shares_host"])
    return results


def check_change_test(bench: Bench) -> str:
    """The slower run is suspected, with its repeats a regression, and the clean one neither. Raises BrokenLinkError."""
    alone, confirmed = compared(bench, SUSPECT), compared(bench, SUSPECT, *SLOWER[1:])
    clean = compared(bench, CLEAN)
    wanted = (
        ("the slower run by itself", alone, Word.SUSPECTED),
        ("the slower run with its repeats", confirmed, Word.REGRESSION),
        ("the clean run", clean, Word.OK),
    )
    wrong = [
        f"{what} is {document['word']} ({document['text']}), which has to be {word}"
        for what, document, word in wanted
        if document["word"] != word
    ]
    if wrong:
        raise BrokenLinkError(Link.CHANGE_TEST, "; ".join(wrong), _CHANGE_TEST)
    return f"{confirmed['word']}: {confirmed['text']}"


def compared(bench: Bench, name: str, *repeats: str) -> dict[str, Any]:
    """The change test's document of a recording against the recorded history. Raises BrokenLinkError."""
    new = [bench.figures(one) for one in (name, *repeats)]
    profile = bench.profile(name)
    with link(Link.CHANGE_TEST, _CHANGE_TEST):
        history = recordings.read_history(bench.folder)
        ruling = rule(history, new, profile.change_test, profile.stall_limit_s)
        ids = {RECENT: [other.run_id for other in history]}
        return change_document({RECENT: ruling}, ids, profile.change_test, repeats=repeats)


def check_verdict(bench: Bench) -> str:
    """The runs get the verdicts that make, or end, an alarm. Raises BrokenLinkError; returns a line."""
    found = {name: conclusion_of(bench, name).verdict for name in WANTED}
    wrong = [
        f"the {name} run is {verdict['verdict']} ({_why(verdict)}), which has to be {' or '.join(sorted(WANTED[name]))}"
        for name, verdict in found.items()
        if verdict["verdict"] not in WANTED[name]
    ]
    if wrong:
        raise BrokenLinkError(Link.VERDICT, "; ".join(wrong), _VERDICT)
    return ", ".join(f"{name}: {verdict['verdict']}" for name, verdict in found.items())


def _why(verdict: Mapping[str, Any]) -> str:
    reasons = verdict["reasons"]
    return f"{reasons[0]['code']}: {reasons[0]['text']}" if reasons else "no reason"


def conclusion_of(bench: Bench, name: str) -> Conclusion:
    """A run's verdict, from today's limits and change test, or those of its day. Raises BrokenLinkError (verdict)."""
    bundle = bench.opened(name)
    with link(Link.VERDICT, _VERDICT):
        results = _sound_limits(bench, name)
        comparison = _sound_comparison(bench, name)
        conclude_run(bundle, bench.profile(name), results)
        document = amend(bundle, change_reasons(comparison, {}), without=CHANGE_CODES)
    return Conclusion(document, bundle.read(run.METRICS), comparison and {SECTION: comparison})


def _sound_limits(bench: Bench, name: str) -> list[SloResult]:
    found = _unless_broken(lambda: (check_validation(bench), limits_of(bench, name))[1])
    return found or [SloResult(**one) for one in bench.concluded(name)["verdict"]["slos"]]


def _sound_comparison(bench: Bench, name: str) -> dict[str, Any] | None:
    """A breach is not tested for a change here: one alarm is of the limits, the other of the change test."""
    if name == BAD:
        return None
    repeats = SLOWER[1:] if name == SUSPECT else ()
    found = _unless_broken(lambda: (check_change_test(bench), compared(bench, name, *repeats))[1])
    if found is not None:
        return found
    before: dict[str, Any] = bench.concluded(name)[SECTION]
    return before


def _unless_broken(ask: Callable[[], Found]) -> Found | None:
    try:
        return ask()
    except BrokenLinkError:
        return None


def alarm_of(bench: Bench, name: str) -> Conclusion:
    """What the delivery is tested with: the conclusion of today, or of the recording's day where a link is broken."""
    today = _unless_broken(lambda: conclusion_of(bench, name))
    if today is not None and today.verdict["verdict"] in WANTED[name]:
        return today
    before = bench.concluded(name)
    comparison = before.get(SECTION)
    return Conclusion(before["verdict"], None, comparison and {SECTION: comparison})
