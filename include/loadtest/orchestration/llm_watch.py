"""Counts the calls of the target's LLM over a run, and ends warm-up and load before they pass the profile's cap.

Part `llm` of the manifest: `source` of the count (`llm`, `app`), `calls` since the warm-up began (null: not known),
`value` of the counter at the last look, `started_s` of its process (see `CallCounter`), `why` there is no count, and
`cap_calls`, `price_eur_a_call` where there are some.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from include.loadtest.auto_stop import Stop
from include.loadtest.errors import InvalidTestError
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.llm_cap import UNWATCHED, Cap, Pace, Tally, cap_of
from include.loadtest.orchestration.llm_count import AnotherProcessError, CallCounter, CountError
from include.loadtest.profile import Profile
from include.loadtest.target.settings import Target
from include.loadtest.target.warm_up import PARALLEL

LOG = logging.getLogger("loadtest")
PART = "llm"
LOOK_EVERY_S = 1.0
JOIN_S = 5.0
Decision = Callable[[], Stop | None]


def note_cap(context: RunContext, profile: Profile) -> None:
    """Put the cap, and what a call costs, into the manifest. Raises ConfigError for a cost without a price."""
    file = context.target.file
    cap = cap_of(profile, file)
    _note(context, cap_calls=cap.calls if cap else None, price_eur_a_call=file.llm_price_eur_a_call)
    if cap is not None:
        LOG.info("calls of the LLM are capped: at most %s, from the start of the warm-up on", cap.text)


def check_counted(context: RunContext, profile: Profile) -> None:
    """Calls that are capped can be counted, before any is made. Raises InvalidTestError (`cap_unwatched`)."""
    if cap_of(profile, context.target.file) is not None:
        with closing(CallCounter(context.target)) as counter:
            _first(counter, context.target)


def _first(counter: CallCounter, target: Target) -> float:
    """Raises InvalidTestError (`cap_unwatched`)."""
    try:
        return counter.first()
    except CountError as error:
        where = target.file.where_to_set("llm")
        text = (
            f"the profile caps the calls of the LLM, and they cannot be counted: {error}; set {where} to the metrics "
            "page of the LLM or its gateway, or remove llm from the profile"
        )
        raise InvalidTestError(UNWATCHED, text) from error


@contextmanager
def counted_warm_up(context: RunContext, profile: Profile) -> Iterator[Callable[[], bool]]:
    """Around the warm-up: whether another question may be asked. Counting begins here, also without a cap.

    Raises InvalidTestError (`cost_cap`, `cap_unwatched`) after a warm-up that the cap has ended.
    """
    cap = cap_of(profile, context.target.file)
    with closing(_counter(context)) as counter:
        if cap is None:
            _begin_uncapped(context, counter)
            yield lambda: True
            return
        first = _first(counter, context.target)
        begun = context.manifest()[PART] | {"source": counter.source}
        if begun.get("value") is None:  # else an earlier try of this stage has begun to count
            begun |= {"calls": 0, "value": first, "started_s": counter.started_s}
        _note(context, **begun)
        tally = Tally(cap, begun["calls"], begun["value"], time.monotonic())
        gate = WarmUpGate(counter, tally, context.target.file.llm_calls_a_question)
        try:
            yield gate.may_ask
        finally:
            gate.look()
            _note(context, calls=gate.tally.counted, value=gate.tally.value)
        if gate.stop is not None:
            raise InvalidTestError(gate.stop.code, f"no load was sent: {gate.stop.text}")


def _begin_uncapped(context: RunContext, counter: CallCounter) -> None:
    if (context.manifest().get(PART) or {}).get("value") is not None:
        return  # an earlier try of this stage has begun to count
    try:
        value = counter.first()
        _note(context, source=counter.source, calls=0, value=value, started_s=counter.started_s)
    except CountError as error:
        LOG.info("calls of the LLM are not counted: %s", error)
        _note(context, source=counter.source, calls=None, value=None, why=str(error))


def _counter(context: RunContext) -> CallCounter:
    """Of the process that the run's count began with, once it has begun."""
    return CallCounter(context.target, (context.manifest().get(PART) or {}).get("started_s"))


def _look(counter: CallCounter, tally: Tally, asked_s: float) -> bool:
    """Whether the counter was read; what it has is at least as new as the moment when it was asked."""
    try:
        tally.note(counter.read(), asked_s)
    except AnotherProcessError as error:
        tally.note_lost(str(error))
        return False
    except CountError as error:
        tally.note_failure(str(error))
        return False
    return True


class WarmUpGate:
    """Lets questions pass while the cap cannot be passed: each may cause its calls, and several are under way at once.

    The counter is looked at once a second, and before a question is refused.
    """

    def __init__(self, counter: CallCounter, tally: Tally, calls_a_question: int) -> None:
        self.tally = tally
        self.stop: Stop | None = None
        self._counter, self._calls_a_question = counter, calls_a_question
        self._lock = threading.Lock()
        self._asked, self._looked_s = 0, time.monotonic()

    def may_ask(self) -> bool:
        """Whether a question may be asked now; asked from several threads."""
        with self._lock:
            if self.stop is None and (time.monotonic() - self._looked_s >= LOOK_EVERY_S or self._check() is not None):
                self.look()
                self.stop = self.tally.unwatched(time.monotonic()) or self._check()
            self._asked += 1
            return self.stop is None

    def look(self) -> None:
        """Read the counter."""
        self._looked_s = time.monotonic()
        if _look(self._counter, self.tally, self._looked_s):
            self._asked = 0

    def _check(self) -> Stop | None:
        return self.tally.passed_with(float(self._calls_a_question * (PARALLEL + self._asked)))


@contextmanager
def counted_load(context: RunContext, profile: Profile) -> Iterator[Decision]:
    """Around the load: what ends it for the cap's sake. How often the LLM was called is in the manifest afterwards.

    Raises InvalidTestError (`cost_cap`, `cap_unwatched`) where the load may not even begin.
    """
    cap = cap_of(profile, context.target.file)
    with closing(_counter(context)) as counter:
        try:
            if cap is None:
                yield lambda: None
            else:
                with _watched(context, profile, counter, cap) as watch:
                    yield watch.decide
        finally:
            _note_end(context, counter)


@contextmanager
def _watched(context: RunContext, profile: Profile, counter: CallCounter, cap: Cap) -> Iterator["CapWatch"]:
    part = context.manifest()[PART]
    tally = Tally(cap, part["calls"], part["value"], time.monotonic())
    watch = CapWatch(counter, tally, Pace.of(profile, context.target.file.llm_calls_a_question))
    watch.look()
    stop = watch.decide()
    if stop is not None:
        raise InvalidTestError(stop.code, f"no load was sent: {stop.text}")
    watch.start()
    try:
        yield watch
    finally:
        watch.end()


class CapWatch(threading.Thread):
    """Looks at the counter once a second, beside the load and outside its generator."""

    def __init__(self, counter: CallCounter, tally: Tally, pace: Pace) -> None:
        super().__init__(name="llm-cap", daemon=True)
        self._tally, self._counter, self._pace = tally, counter, pace
        self._ended = threading.Event()

    def run(self) -> None:
        """Until it is ended."""
        while not self._ended.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Read the counter."""
        _look(self._counter, self._tally, time.monotonic())

    def decide(self) -> Stop | None:
        """What ends the load now: a counter that hangs ends it too, as its last value gets older."""
        return self._tally.decide(self._pace, time.monotonic())

    def end(self) -> None:
        """No further look."""
        self._ended.set()
        self.join(JOIN_S)


def _note_end(context: RunContext, counter: CallCounter) -> None:
    """The calls of the whole run; not known where the counter cannot be read, or began anew."""
    part = context.manifest().get(PART) or {}
    if part.get("calls") is None:
        return
    try:
        value = counter.read()
        if value < part["value"]:
            raise CountError("its counter began anew, or is one of several")
    except CountError as error:
        _note(context, calls=None, why=str(error))
        return
    calls = part["calls"] + value - part["value"]
    _note(context, calls=calls, value=value)
    LOG.info("calls of the LLM since the warm-up began: %d, whoever made them", calls)
    if part.get("cap_calls") is not None and calls > part["cap_calls"]:
        LOG.error("that is more than the cap of %d calls: somebody else called it, or a question causes more than "
                  "llm_calls_a_question in %s says", part["cap_calls"], context.target.file.path)  # fmt: skip


def _note(context: RunContext, **changes: Any) -> None:
    context.bundle.update_manifest(**{PART: {**(context.manifest().get(PART) or {}), **changes}})
