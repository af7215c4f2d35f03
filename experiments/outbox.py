"""Slack and GitHub in trouble: the run and its verdict are as without it, and later everything is there once."""

import itertools
import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from experiments.aftermath import document
from experiments.claims import Claim, Say
from experiments.freeze import profile_yaml
from experiments.in_process import Bench, bench
from experiments.outbox_calls import call_claims
from experiments.outbox_stand import KINDS, RETRY_AFTER_S, Kind, Stand, named, stand
from experiments.profiles import faults_in_the_load
from include.loadtest.history import outbox
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.deliveries import outbox_engine
from include.loadtest.run import run_id_for

NAME = "outbox"
USERS, HOLD_S, RAMP_S = 5, 15, 2
P95_LIMIT_MS, BLOCKING_MS = 300, 200
WITHIN_S = 10.0
VERDICT = "SLA_BREACH"
LINK = "http://127.0.0.1:8080/dags/load_test_nightly/runs/scheduled__1"
FULL = (
    "message with its verdict",
    "reply progress",
    "reply bottleneck",
    f"reply call-{VERDICT}",
    "plot",
    "issue",
    "line of the list of pages",
    "comment of the pull request",
    "status load-test: failure",
)
"""What one run of this kind tells, each once."""


@dataclass(frozen=True)
class Ran:
    """One run: what it came to, how long it took, how many rows waited at its end, what its reader found later.

    `gaps_s`: the time between two requests to a service, during the run.
    """

    context: RunContext
    conclusion: tuple[object, ...]
    seconds: float
    waiting: int
    gaps_s: tuple[float, ...]
    seen: Counter[str]


def claims(say: Say) -> Iterator[Claim]:
    """A run that breaches its limits, undisturbed and with each trouble; then each trouble at each single call."""
    with bench(say) as servers:
        _ran(servers, None)  # it pays for what a process does once, such as imports of many seconds
        reference = _ran(servers, None)
        yield _reference_claim(reference)
        for kind in KINDS:
            yield from _trouble_claims(kind, _ran(servers, kind), reference)
        yield from call_claims(NAME, servers, reference.context, WITHIN_S)


def _ran(servers: Bench, kind: Kind | None) -> Ran:
    """A run with that trouble, which is mended afterwards; None: without any."""
    name = "undisturbed" if kind is None else kind.name
    servers.say(f"a run: {name}")
    with stand(servers.history_url) as at:
        if kind is not None:
            at.break_all(kind)
        context = _context(servers, at, "".join(filter(str.isalnum, name)))
        began_s = time.monotonic()
        with faults_in_the_load(servers.demo, context.bundle.path, loop_blocking_ms={"all": BLOCKING_MS}):
            servers.run(context)
        seconds = time.monotonic() - began_s
        rows = outbox.rows_of(outbox_engine(at.history_url), context.bundle.run_id)
        waiting = sum(row.state != "delivered" for row in rows)
        gaps_s = tuple(later - one for asked in at.asked.values() for one, later in itertools.pairwise(asked))
        servers.say(
            f"  {seconds:.1f} s, {len(rows)} rows, {waiting} not delivered, {sum(map(len, at.asked.values()))} requests"
        )
        at.mend()
        if kind is not None:
            at.deliver_late()
        verdict = document(context.bundle.path, "verdict.json")
        reasons = sorted((one["code"], str(one["metric"]), str(one["scope"])) for one in verdict.get("reasons", ()))
        seen = at.seen(VERDICT)
    return Ran(context, (verdict.get("verdict"), *reasons), seconds, waiting, gaps_s, seen)


def _context(servers: Bench, at: Stand, name: str) -> RunContext:
    text = profile_yaml(
        users=USERS,
        ramp_up_s=RAMP_S,
        duration_s=HOLD_S,
        think_time_s={"min": 0.2, "max": 0.4},
        slos=[
            {"metric": "latency_p95_ms", "comparator": "<", "limit": P95_LIMIT_MS},
            {"metric": "error_rate", "comparator": "<", "limit": 0.01},
        ],
    )
    context = servers.context(run_id_for("smoke", datetime.now(UTC), name), text)
    order = replace(context.order, pull_request=at.pull_request, commit=at.github.api.head)
    return replace(
        context,
        order=order,
        history_url=at.history_url,
        find_services=at.services,
        files_tickets=True,
        link=LINK,
    )


def _reference_claim(reference: Ran) -> Claim:
    seen = reference.seen
    others = {what: number for what, number in seen.items() if what not in FULL}
    return Claim(
        NAME,
        f"an undisturbed run: verdict; kinds of what it tells that are there exactly once; nothing waits ({others})",
        f"{VERDICT}, {len(FULL)} of {len(FULL)}, 0",
        f"{reference.conclusion[0]}, {sum(seen[what] == 1 for what in FULL)} of {len(FULL)}, {reference.waiting}",
        reference.conclusion[0] == VERDICT and all(seen[what] == 1 for what in FULL) and not reference.waiting,
    )


def _trouble_claims(kind: Kind, ran: Ran, reference: Ran) -> Iterator[Claim]:
    same = ran.conclusion == reference.conclusion
    longer_s = ran.seconds - reference.seconds
    yield Claim(
        NAME,
        f"Slack and GitHub {kind.name}, the whole run: verdict and reasons; time beside the undisturbed run's "
        f"{reference.seconds:.0f} s; rows that wait",
        f"the same; {WITHIN_S:g} s more or less at most; all",
        f"{'the same' if same else ran.conclusion}; {longer_s:+.1f} s; {ran.waiting}",
        same and abs(longer_s) <= WITHIN_S and ran.waiting > 0,
    )
    more, less = ran.seen - reference.seen, reference.seen - ran.seen
    yield Claim(
        NAME,
        f"{kind.name}, then mended: what there is beside, and what is missing of the undisturbed run's",
        "nothing, nothing",
        f"{named(more)}, {named(less)}",
        not more and not less,
    )
    if kind.name == "429":
        shortest_s = min(ran.gaps_s, default=math.inf)
        yield Claim(
            NAME,
            f"429 with a Retry-After of {RETRY_AFTER_S} s: shortest time between two requests to a service",
            f"{RETRY_AFTER_S} s or more",
            f"{shortest_s:.1f} s" if ran.gaps_s else "no second request",
            shortest_s >= RETRY_AFTER_S,
        )
