"""Whether what a live page says of a run is true, by Airflow's states of its tasks and the samples on disk. Pure.

Nothing here comes from what the page is made of: a page that repeats a wrong file of its own is found to be wrong.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from include.loadtest.live.page_state import SILENT_S, STAGE_WORDS

LAG_S = 10.0
"""From what happens to its place on the page."""
GAP_S = 4.0
"""Facts further apart say nothing of the time between them."""
LOAD = "run_profile"
ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
UNDER_WAY = frozenset({"running", *ENDED})


@dataclass(frozen=True)
class Facts:
    """A moment (seconds since the epoch) by itself: `states` of the run's tasks, and `rows` of samples on disk."""

    at_s: float
    states: Mapping[str, str | None]
    rows: int


@dataclass(frozen=True)
class Look:
    """What the page said at a moment: its state's kind and sentence, and requests so far (None: none shown).

    `kind`: as in live.page_state, or `over` where the page goes on to the report.
    """

    at_s: float
    kind: str
    text: str
    requests: int | None


def untruths(looks: Iterable[Look], facts: Sequence[Facts]) -> list[str]:
    """Of each look that was not true: what the page said, and what was the case. `facts`: in order of time."""
    timeline = _Timeline(facts)
    return [f"{look.text!r}: {wrong}" for look in looks if (wrong := _wrong(look, timeline)) is not None]


def _wrong(look: Look, timeline: "_Timeline") -> str | None:
    judge = _JUDGES.get(look.kind)
    if judge is None:
        return f"a kind of state that nobody knows: {look.kind}"
    return judge(look, timeline) or _wrong_count(look, timeline)


def stage_of(text: str) -> str | None:
    """The stage that a sentence of the page is about."""
    return next((word for word in text.split() if word in STAGE_WORDS), None)


class _Timeline:
    def __init__(self, facts: Sequence[Facts]) -> None:
        self._facts = facts

    def within(self, since_s: float, until_s: float) -> list[Facts]:
        return [one for one in self._facts if since_s <= one.at_s <= until_s]

    def once(self, since_s: float, until_s: float, holds: Callable[[Facts], bool]) -> bool:
        """Whether it was the case at a moment of the span, or nobody looked."""
        own = self.within(since_s, until_s)
        return not own or any(map(holds, own))

    def throughout(self, since_s: float, until_s: float, holds: Callable[[Facts], bool]) -> bool:
        """Whether it was the case all the time, as far as facts that are close enough together can say."""
        own = self.within(since_s, until_s)
        moments = [since_s, *(one.at_s for one in own), until_s]
        is_dense = all(later - earlier <= GAP_S for earlier, later in pairwise(moments))
        return bool(own) and is_dense and all(map(holds, own))

    def steadily(self, look: Look, holds: Callable[[Facts], bool], since_s: float = LAG_S) -> bool:
        """Whether it has been the case for so long before a look that the page must have known."""
        return self.throughout(look.at_s - since_s, look.at_s, holds)


def _is(stage: str, states: Iterable[str | None]) -> Callable[[Facts], bool]:
    return lambda facts: facts.states.get(stage) in states


def _other_runs(stage: str | None) -> Callable[[Facts], bool]:
    return lambda facts: any(
        state == "running" for task, state in facts.states.items() if task in STAGE_WORDS and task != stage
    )


def _wrong_working(look: Look, timeline: _Timeline) -> str | None:
    """A stage that ended is said to work until its silence is noticed, at most."""
    stage = stage_of(look.text)
    if stage is None:
        return "no stage is named"
    span = look.at_s - SILENT_S, look.at_s + GAP_S
    return None if timeline.once(*span, _is(stage, ("running",))) else f"Airflow did not run {stage}"


def _wrong_between(look: Look, timeline: _Timeline) -> str | None:
    """The stage must have ended, and no other one work."""
    stage = stage_of(look.text)
    if stage is None:
        return "no stage is named"
    if not timeline.once(look.at_s, look.at_s + LAG_S, _is(stage, ENDED)):
        return f"Airflow had not ended {stage}"
    return f"another stage worked for {LAG_S:g} s" if timeline.steadily(look, _other_runs(stage)) else None


def _wrong_waiting(look: Look, timeline: _Timeline) -> str | None:
    """Only preflight waits, and without a process."""
    is_wrong = timeline.steadily(look, _is("preflight", UNDER_WAY))
    return "preflight worked or had ended" if is_wrong else None


def _wrong_silent(look: Look, timeline: _Timeline) -> str | None:
    """A stage that Airflow runs all the time is alive, and a load whose samples grow is.

    Of a run whose tasks are left alone: one that is killed together with what watches it runs on, for Airflow.
    """
    seen = timeline.within(look.at_s - SILENT_S, look.at_s)
    if seen and seen[-1].rows > seen[0].rows:
        return f"samples came within the last {SILENT_S} s"
    is_alive = timeline.steadily(look, _other_runs(None), SILENT_S)
    return f"Airflow ran a stage for the last {SILENT_S} s" if is_alive else None


def _wrong_over(look: Look, timeline: _Timeline) -> str | None:
    """Nothing may change the verdict any more."""
    is_over = timeline.once(look.at_s, look.at_s + LAG_S, _is("publish", ENDED))
    return None if is_over else "Airflow had not ended publish"


def _wrong_unknown(look: Look, timeline: _Timeline) -> str | None:
    has_begun = timeline.steadily(
        look, lambda facts: any(facts.states.get(stage) in UNDER_WAY for stage in STAGE_WORDS)
    )
    return f"a stage had begun {LAG_S:g} s before" if has_begun else None


def _wrong_count(look: Look, timeline: _Timeline) -> str | None:
    """Not more requests than there are on disk, nor, of a load that was not killed, fewer than a while before."""
    later = timeline.within(look.at_s, look.at_s + GAP_S)
    if look.requests is not None and later and look.requests > later[0].rows:
        return f"{look.requests} requests shown, {later[0].rows} on disk"
    earlier = timeline.within(look.at_s - LAG_S - GAP_S, look.at_s - LAG_S)
    is_whole = bool(later) and later[0].states.get(LOAD) in ("running", "success")
    if earlier and is_whole and (look.requests or 0) < earlier[-1].rows:
        return f"{look.requests or 0} requests shown, {earlier[-1].rows} on disk {LAG_S:g} s before"
    return None


_JUDGES: Mapping[str, Callable[[Look, _Timeline], str | None]] = {
    "working": _wrong_working,
    "between": _wrong_between,
    "waiting": _wrong_waiting,
    "silent": _wrong_silent,
    "unknown": _wrong_unknown,
    "over": _wrong_over,
}
