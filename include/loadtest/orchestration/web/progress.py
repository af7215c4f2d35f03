"""How far a run or a suite is: whether its verdict is final, whether it goes on, and what to say of that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from include.loadtest import run
from include.loadtest.errors import LoadTestError
from include.loadtest.history.overview import TargetUse, read_uses
from include.loadtest.history.store import REPEAT
from include.loadtest.live.page_state import PAUSE_S, Line, PageState, is_at_its_end, state_of, was_repeated
from include.loadtest.orchestration.web.sources import StoredBundle, bundle_here, history, is_id
from include.loadtest.reporting.page.answers import is_suspected
from include.loadtest.reporting.suite import FILE as SUITE_FILE
from include.loadtest.verdict import Verdict

Row = Mapping[str, Any]

_GOES_ON = frozenset({"working", "waiting", "between"})
_REPEAT = re.compile(REPEAT)
UNREADABLE = "Its live.json cannot be read, so nobody can say whether a stage works on it."
DAMAGED = "Its verdict.json cannot be read as a verdict: the file is damaged."
AFTER_THE_SUITE = (
    "Its own stages have ended. It is suspected of being slower, which its suite decides after the last of its runs."
)
SUITE_DIED = "It is suspected of being slower, and its suite, which was to decide that, gives no sign of life any more."
START_AGAIN = (
    "Open the suite's DAG run in Airflow; if it has failed, start the profile again before you rely on this run."
)


@dataclass(frozen=True)
class Badge:
    """What stands where a verdict stands. `tone`: how it is coloured; `is_verdict`: it is final."""

    text: str
    tone: str
    is_verdict: bool


@dataclass(frozen=True)
class Progress:
    """Of a run at one moment. `verdict`: verdict.json, None where it has none, or a damaged one; `live`: live.json."""

    run_id: str
    state: PageState
    live: Row | None
    verdict: Row | None
    is_final: bool

    @property
    def goes_on(self) -> bool:
        """Whether somebody works on the run, or it waits for its turn."""
        return not self.is_final and self.state.kind in _GOES_ON

    @property
    def badge(self) -> Badge:
        """A verdict only where nothing changes it any more; "running" only of what goes on."""
        tone = "running" if self.goes_on else "inconclusive"
        if self.verdict is None:
            return Badge(_word(self.state.kind) if self.goes_on else "no verdict", tone, False)
        word = str(self.verdict["verdict"])
        return Badge(word, word.lower(), True) if self.is_final else Badge(f"so far {word}, not final", tone, False)


def _word(kind: str) -> str:
    return "waiting" if kind == "waiting" else "running"


def parent_of(run_id: str) -> str | None:
    """The run that this one repeats, or beside which it measured the current release; None for any other."""
    found = _REPEAT.search(run_id)
    return run_id[: found.start()] if found else None


def progress_of(bundle: StoredBundle, now: datetime, manifest: Row | None = None) -> Progress:
    """How far a run is; `manifest`: as its bundle has it, where that was read already. Raises InfrastructureError."""
    live, verdict = bundle.document(run.LIVE), valid_verdict(bundle.document(run.VERDICT))
    if live is None and bundle.has(run.LIVE):
        return Progress(bundle.run_id, PageState("unknown", UNREADABLE, None, None), None, verdict, False)
    state = state_of(live, now, _line(bundle.run_id, live))
    if verdict is None and state.kind not in _GOES_ON and bundle.has(run.VERDICT):
        state = replace(state, text=f"{DAMAGED} {state.text}")
    alone = Progress(bundle.run_id, state, live, verdict, verdict is not None and is_at_its_end(live, now))
    parent = parent_of(bundle.run_id)
    if parent is not None:
        return _of_repeat(alone, StoredBundle(parent, _parents_uri(bundle, parent)), now)
    if verdict is None or live is None:
        return alone
    within = manifest if manifest is not None else bundle.document(run.MANIFEST) or {}
    suite_run_id = within.get("suite_run_id")
    return _of_suites_run(alone, suite_run_id) if isinstance(suite_run_id, str) and is_id(suite_run_id) else alone


def valid_verdict(document: Row | None) -> Row | None:
    """What a file says, if that is a verdict."""
    return document if document is not None and document.get("verdict") in set(Verdict) else None


def _parents_uri(bundle: StoredBundle, parent: str) -> str:
    """Beside the repeat's own."""
    return bundle.uri.rstrip("/").removesuffix(bundle.run_id) + parent


def _of_repeat(alone: Progress, parent: StoredBundle, now: datetime) -> Progress:
    """A repeat has no last stage of its own; what the run decides to which it belongs goes into its verdict as well."""
    if alone.live is None or alone.state.kind == "working":
        return replace(alone, is_final=alone.verdict is not None and alone.live is None)
    whole = progress_of(parent, now)
    if whole.is_final or (whole.live is None and whole.verdict is None):  # ended, or its bundle has gone
        text = f"It belongs to {parent.run_id}, which is over, and nothing works on it any more."
        state = PageState("silent", text, None, alone.state.age_s)
        return replace(alone, state=state, is_final=alone.verdict is not None)
    state = _of_repeat_beside(whole, alone)
    return replace(alone, state=state, is_final=False)


def _of_repeat_beside(whole: Progress, alone: Progress) -> PageState:
    """Of a repeat on which no stage works now, while the run to which it belongs, `whole`, has not ended."""
    age_s = alone.state.age_s
    if not whole.goes_on:
        text = f"It belongs to {whole.run_id}, which has not ended: {whole.state.text}"
        return PageState("silent", text, whole.state.todo, age_s)
    if alone.verdict is not None:
        text = f"It has been measured, and belongs to {whole.run_id}, which goes on: {whole.state.text}"
        return PageState("between", text, None, age_s)
    last = ((alone.live or {}).get("stages") or [{}])[-1]
    if last.get("state") == "failed":
        text = f"{last['name']} failed ({last['text']}), so it does not count; {whole.run_id} goes on without it."
        return PageState("silent", text, None, age_s)
    return alone.state


def _of_suites_run(alone: Progress, suite_run_id: str) -> Progress:
    """A suspected run of a suite is repeated after the suite's last run; suite.json comes when all is decided."""
    awaits = alone.verdict is not None and is_suspected(alone.verdict) and not was_repeated(alone.live)
    if alone.is_final and not awaits:
        return alone
    suite = bundle_here(suite_run_id)
    manifest = suite.document(run.MANIFEST)
    if alone.state.kind != "working" and (manifest is None or suite.has(SUITE_FILE)):
        return replace(alone, is_final=True)
    if not alone.is_final or _is_never_repeated(alone.run_id, manifest):
        return alone
    return replace(alone, state=_before_the_repeats(suite_run_id, alone.state.age_s), is_final=False)


def _before_the_repeats(suite_run_id: str, age_s: float | None) -> PageState:
    """Of a suspected run whose own stages are over, while its suite has not ended."""
    has_target = has_or_awaits_target(suite_run_id)
    if has_target:
        return PageState("waiting", AFTER_THE_SUITE, None, age_s)
    if has_target is None:
        return PageState("silent", f"{AFTER_THE_SUITE} Whether the suite goes on is not known now.", START_AGAIN, age_s)
    return PageState("silent", SUITE_DIED, START_AGAIN, age_s)


def _is_never_repeated(run_id: str, suite_manifest: Row | None) -> bool:
    """Whether the suite only notes what this run is suspected of."""
    suite = (suite_manifest or {}).get("suite")
    rows = suite.get("runs") or () if isinstance(suite, dict) else ()
    own = [row for row in rows if isinstance(row, dict) and run_id.startswith(f"{row.get('profile')}-")]
    return bool(own) and all(row.get("repeated") is False for row in own)


def suite_badge(suite_run_id: str, manifest: Row, document: Row | None, runs: list[Progress]) -> Badge:
    """Of a suite: `document` is its suite.json, `runs` those that have begun.

    A suite has no signs of life of its own: it goes on where one of its runs does, where it has its target or waits
    for it, and in its first moments. Where nobody can be asked about the target, its runs alone say it.
    """
    found = valid_verdict(document)
    if found is not None:
        return Badge(str(found["verdict"]), str(found["verdict"]).lower(), True)
    goes_on = any(one.goes_on for one in runs) or _has_just_begun(manifest) or has_or_awaits_target(suite_run_id)
    return Badge("running", "running", False) if goes_on else Badge("no verdict", "inconclusive", False)


def _has_just_begun(manifest: Row) -> bool:
    try:
        began = datetime.fromisoformat(str(manifest.get("started")))
        return (datetime.now(UTC) - began).total_seconds() < PAUSE_S
    except (ValueError, TypeError):  # no time, or one without a zone
        return False


def has_or_awaits_target(run_id: str) -> bool | None:
    """Whether a target is held for a run or a suite, or waited for; None where the history cannot be asked."""
    uses = _uses()
    if uses is None:
        return None
    return any(use.run_id == run_id or _place(use, run_id) is not None for use in uses)


def _line(run_id: str, live: Row | None) -> Line | None:
    """Of a run that waits: its place now, and who has its target; None for any other, or where nobody can be asked."""
    last = (((live or {}).get("stages")) or [{}])[-1]
    uses = _uses() if last.get("state") == "waiting" else None
    if live is None or uses is None:
        return None
    use = next((use for use in uses if use.target == live.get("target")), None)
    if use is None:
        return Line(None, None)
    holder = f"{use.owner} for run {use.run_id}" if use.owner else None
    return Line(_place(use, run_id), holder)


def _place(use: TargetUse, run_id: str) -> int | None:
    return next((place for place, one in enumerate(use.waiting, 1) if one.run_id == run_id), None)


def _uses() -> tuple[TargetUse, ...] | None:
    try:
        return read_uses(history())
    except LoadTestError:
        return None
