"""Trouble at one single call of all that a finished run makes to Slack and GitHub, for each call in turn."""

import itertools
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from experiments.claims import Claim
from experiments.in_process import Bench
from experiments.outbox_stand import KINDS, Kind, Stand, named, stand
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.orchestration.announcements import announce_start, announce_verdict
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.deliveries import deliver_now
from include.loadtest.orchestration.progress import tell_progress

AT_ONCE, WAITING_AT_ONCE = 2, 64
"""Cases that work, and cases that only wait for an answer that comes late."""
MESSAGE, NOTED = "message with its verdict", "message with the note that it is sent again"


@dataclass(frozen=True)
class Place:
    """The call that goes wrong: of which service, its number from 1, and how."""

    service: str
    number: int
    kind: Kind


@dataclass(frozen=True)
class Told:
    """How telling of a finished run went; `calls`: how many were made while it was told, by service."""

    seconds: float
    is_unchanged: bool
    is_struck: bool
    calls: Counter[str]
    seen: Counter[str]


class Teller:
    """Tells of a finished run anew and anew, each time as the first, to services of its own."""

    def __init__(self, servers: Bench, finished: RunContext) -> None:
        self._servers = servers
        self._finished = finished
        self._working = threading.Semaphore(AT_ONCE)
        self._numbers = itertools.count(1)

    def tell(self, place: Place | None, *, by_webhook: bool = False) -> Told:
        """With trouble at that place, which is mended afterwards; None: without any."""
        with stand(self._servers.history_url, by_webhook=by_webhook) as at:
            context = self._context(at)
            file = context.bundle.path / run.VERDICT
            before = file.read_bytes()
            if place is not None:
                at.break_call(place.service, place.number, place.kind)
            with self._working:
                seconds = _announced(context)
                calls = Counter({service: len(moments) for service, moments in at.asked.items()})
            at.mend()
            with self._working:
                if place is not None:
                    at.deliver_late()
                seen = at.seen(str(context.bundle.read(run.VERDICT)["verdict"]))
            return Told(seconds, file.read_bytes() == before, at.is_struck, calls, seen)

    def _context(self, at: Stand) -> RunContext:
        """A copy of the finished run, without its samples."""
        source = self._finished.bundle
        target = self._servers.folder / "told" / str(next(self._numbers)) / source.run_id
        shutil.copytree(source.path, target, ignore=shutil.ignore_patterns(run.SAMPLES, run.RESOURCES))
        order = replace(self._finished.order, pull_request=at.pull_request, commit=at.github.api.head)
        return replace(
            self._finished,
            bundle=Bundle(target),
            bundle_uri=str(target),
            order=order,
            history_url=at.history_url,
            find_services=at.services,
        )


def _announced(context: RunContext) -> float:
    """All that a run tells, without the minutes that lie between its start and its verdict; seconds that it took."""
    began_s = time.monotonic()
    announce_start(context)
    deliver_now(context)
    tell_progress(context, lambda _: "load ended")
    announce_verdict(context, context.bundle.read(run.VERDICT))
    return time.monotonic() - began_s


def call_claims(name: str, servers: Bench, finished: RunContext, within_s: float) -> Iterator[Claim]:
    """`finished`: a run that was told; `within_s`: so much longer it may take with trouble."""
    teller = Teller(servers, finished)
    servers.say("telling of a finished run, undisturbed")
    healthy = teller.tell(None)
    places = [(service, number) for service, calls in healthy.calls.items() for number in range(1, calls + 1)]
    for kind in KINDS:
        servers.say(f"each of {len(places)} calls {kind.name}")
        wanted = [Place(service, number, kind) for service, number in places]
        with ThreadPoolExecutor(WAITING_AT_ONCE) as pool:
            told = list(pool.map(teller.tell, wanted))
        yield _call_claim(name, wanted, told, healthy, within_s)
    yield _webhook_claim(name, teller, within_s)


def _call_claim(name: str, places: Sequence[Place], told: Sequence[Told], healthy: Told, within_s: float) -> Claim:
    kind = places[0].kind.name
    longest_s = max(one.seconds for one in told) - healthy.seconds
    changed, struck = sum(not one.is_unchanged for one in told), sum(one.is_struck for one in told)
    wrong = [
        f"{place.service} {place.number}: {named(one.seen - healthy.seen)} more, {named(healthy.seen - one.seen)} less"
        for place, one in zip(places, told, strict=True)
        if one.seen != healthy.seen
    ]
    calls = " and ".join(f"{number} of {service}" for service, number in healthy.calls.items())
    return Claim(
        name,
        f"{kind} at one call, for each call in turn ({calls}): calls that it came to; time beside the undisturbed "
        f"{healthy.seconds:.1f} s; changed verdict files; cases with something missing or twice, once mended",
        f"{len(places)}; {within_s:g} s more at most; 0; 0",
        f"{struck}; {longest_s:+.1f} s; {changed}; {len(wrong)} {'; '.join(wrong[:3])}".strip(),
        struck == len(places) and longest_s <= within_s and not changed and not wrong,
    )


def _webhook_claim(name: str, teller: Teller, within_s: float) -> Claim:
    healthy = teller.tell(None, by_webhook=True)
    told = {kind.name: teller.tell(Place("Slack", 1, kind), by_webhook=True) for kind in KINDS}
    longest_s = max(one.seconds for one in told.values()) - healthy.seconds
    copies = {kind: (one.seen[MESSAGE], one.seen[NOTED]) for kind, one in told.items()}
    is_right = all(1 <= sent <= 2 and sent - noted <= 1 for sent, noted in copies.values())
    others = _without_messages(healthy.seen)
    whole = all(one.is_unchanged and one.is_struck and _without_messages(one.seen) == others for one in told.values())
    return Claim(
        name,
        "a webhook's single call: time; messages, and those with the note that the first try was not confirmed "
        "(a webhook cannot be asked what arrived, so a lost answer may bring a second message, which says so)",
        f"{within_s:g} s more at most; 1 without a note, or one more with it",
        f"{longest_s:+.1f} s; " + ", ".join(f"{kind}: {sent} ({noted})" for kind, (sent, noted) in copies.items()),
        healthy.calls["Slack"] == 1 and longest_s <= within_s and is_right and whole,
    )


def _without_messages(seen: Counter[str]) -> Counter[str]:
    return Counter({what: number for what, number in seen.items() if what not in (MESSAGE, NOTED)})
