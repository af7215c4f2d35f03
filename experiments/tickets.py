"""The life of issues, from filing processes through a real PostgreSQL to a GitHub that knows GitHub's own rules."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from experiments.claims import Claim, Say
from experiments.ticket_stand import FILERS, Stand, stand
from include.loadtest.verdict import Reason, SloResult
from tests.helpers.github_service import REPOSITORY, Trouble, too_many
from tests.helpers.ticket_runs import change, comparison, diagnosis, slo, verdict

NAME = "tickets"
BAD_RUNS, GOOD_RUNS, SCOPES = 5, 3, 30
WINDOW_DAYS = 30
WAIT_S = 60.0
CREATE = "issues/create"
_BAD = [slo("latency_p95_ms"), slo("error_rate", outcome="met")]
_GOOD = [slo("latency_p95_ms", outcome="met"), slo("error_rate", outcome="met")]
_REGRESSION = Reason("regression", "chat: body +20 %", "latency_body_ms", "endpoint:chat", 0.2, 0.1, "ratio")


def claims(say: Say) -> Iterator[Claim]:
    """Each part has a profile of its own, so that no issue of one is met by another."""
    with stand() as at:
        for part in _PARTS:
            say(part.__name__.strip("_").replace("_", " "))
            yield from part(at)
        faults = at.github.faults
        measured = f"requests={len(at.github.seen)}, broken rules={len(faults)} {' '.join(faults[:2])}".strip()
        yield Claim(NAME, "all requests against GitHub's description", "broken rules=0", measured, not faults)


def order(profile: str, number: int, slos: list[SloResult], *reasons: Reason, **parts: Any) -> dict[str, Any]:
    """One run to be filed."""
    run_id = f"{profile}-{number}"
    document = verdict(slos, *reasons, run_id=run_id, profile=profile)
    return {"run_id": run_id, "profile": profile, "verdict": document, **parts}


def _life(at: Stand) -> Iterator[Claim]:
    runs = [order("life", number, _BAD) for number in range(BAD_RUNS)]
    runs += [order("life", number, _GOOD) for number in range(BAD_RUNS, BAD_RUNS + GOOD_RUNS)]
    at.file(*runs)
    found = at.issues("life")
    updates = [text for text in at.comments(found[0]) if text.startswith("**Still there**")]
    others = len(at.comments(found[0])) - len(updates)
    state = f"{found[0]['state']} as {found[0]['state_reason']}"
    shown = (len(found), at.github.count(CREATE), len(updates), others, state)
    what = f"{BAD_RUNS} bad and {GOOD_RUNS} good runs, each filed by {FILERS} processes at once"
    names = ("issues", "creations", "update comments", "closing comments", "state")
    yield _claim(what, names, (1, 1, BAD_RUNS - 1, 1, "closed as completed"), shown)


def _back(at: Stand) -> Iterator[Claim]:
    first, *_ = at.issues("life")
    at.file(order("life", 10, _BAD))
    shown = (len(at.issues("life")), first["state"], at.comments(first)[-1].split(" in ")[0])
    names = ("issues", "state", "last comment")
    yield _claim("bad again within the window", names, (1, "open", "**Back**"), shown)
    at.file(*(order("life", number, _GOOD) for number in range(11, 14)))
    at.let_pass(WINDOW_DAYS + 1)
    at.file(order("life", 14, _BAD))
    found = at.issues("life")
    names_old = f"told in {REPOSITORY}#{first['number']} before" in found[-1]["body"]
    measured = (len(found), *(issue["state"] for issue in found), names_old)
    parts = ("issues", "old", "new", "the new one names the old")
    yield _claim(f"bad again {WINDOW_DAYS + 1} days after its closing", parts, (2, "closed", "open", True), measured)


def _thirty(at: Stand) -> Iterator[Claim]:
    scopes = [slo("latency_p95_ms", f"scenario:s{number}", factor=1 + number / 10) for number in range(1, SCOPES + 1)]
    at.file(order("cause", 1, scopes, diagnosis=diagnosis()))
    (issue,) = at.issues("cause")
    told = sum(issue["body"].count(f"scenario s{number} ") for number in range(1, SCOPES + 1))
    worst = f"scenario s{SCOPES} " in issue["title"]
    names = ("issues", "scopes told in it", "titled by the worst")
    shown = (len(at.issues("cause")), told, worst)
    yield _claim(f"{SCOPES} scopes bad at once, one cause", names, (1, SCOPES, True), shown)
    metrics = ("error_rate", "throughput_rpm", "host_cpu_pct")
    every = [*(slo(metric, factor=2) for metric in metrics), *scopes[: SCOPES - len(metrics)]]
    at.file(order("capped", 1, every))
    found = at.issues("capped")
    rows = sum(issue["body"].count("| hold |") for issue in found)
    what = f"{SCOPES} limits of four kinds missed at once, no cause known"
    yield _claim(what, ("issues", "findings told"), (3, SCOPES), (len(found), rows))


def _nothing(at: Stand) -> Iterator[Claim]:
    at.file(order("untrusted", 1, _BAD))
    before = len(at.github.seen)
    codes = ("generator_starved", "operator", "cost_cap")
    at.file(*(order("untrusted", place, _BAD, Reason(code, "…")) for place, code in enumerate(codes, 2)))
    shown = (len(at.issues("untrusted")), len(at.github.seen) - before)
    names = ("issues", "further requests to GitHub")
    yield _claim("INCONCLUSIVE, ended by an operator, ended by the cost cap", names, (1, 0), shown)


def _disproved(at: Stand) -> Iterator[Claim]:
    slos = [slo("latency_p95_ms", outcome="met")]
    slower = comparison("REGRESSION", change("endpoint:chat", 0.2), repeats=("a", "b"))
    same = comparison("OK", change("endpoint:chat", 0.01), repeats=("c", "d"))
    at.file(order("doubt", 1, slos, _REGRESSION, comparison=slower))
    (issue,) = at.issues("doubt")
    opened = issue["state"]
    at.file(order("doubt", 2, slos, Reason("regression_disproved", "not seen again"), comparison=same))
    shown = (opened, issue["state"], at.comments(issue)[-1].split(":")[0])
    names = ("after the confirmed regression", "after the disproved one", "last comment")
    yield _claim("a confirmation disproves", names, ("open", "closed", "**Not confirmed**"), shown)


def _killed_while_asking(at: Stand) -> Iterator[Claim]:
    """GitHub has made the issue, and the process dies before it hears of it."""
    at.github.troubles[CREATE] = Trouble(slow_s=WAIT_S, is_processed=True, times=1)
    asked, victim = at.github.count(CREATE), at.started()
    victim.order(order("lost", 1, _BAD))
    _until(lambda: bool(at.issues("lost")))
    victim.process.kill()
    victim.process.wait()
    at.let_wait(1)
    at.file(order("lost", 1, _BAD))
    shown = (len(at.issues("lost")), at.github.count(CREATE) - asked)
    yield _claim("killed while GitHub made the issue, its answer lost", ("issues", "creations"), (1, 1), shown)


def _killed_before_asking(at: Stand) -> Iterator[Claim]:
    """The claim is committed, and nobody has asked GitHub yet."""
    victim = at.started()
    victim.order(order("claimed", 1, _BAD, dies=True))
    victim.process.wait()
    before = len(at.issues("claimed"))
    at.file(order("claimed", 1, _BAD))
    shown = (before, len(at.issues("claimed")))
    yield _claim("killed between claim and creation", ("issues then", "issues after the next attempt"), (0, 1), shown)


def _refused_while_closing(at: Stand) -> Iterator[Claim]:
    """Each of the calls that close an issue is refused once, and made again."""
    calls = ("issues/get", "issues/update", "issues/list-comments", "issues/create-comment")
    told = []
    for number, call in enumerate(calls):
        profile = f"refused{number}"
        at.file(*(order(profile, place, slos) for place, slos in enumerate((_BAD, _GOOD, _GOOD))))
        at.github.troubles[call] = too_many(60)
        last = order(profile, 3, _GOOD)
        at.file(last)
        del at.github.troubles[call]
        at.let_wait(1)
        at.file(last)
        (issue,) = at.issues(profile)
        told.append((issue["state"], len(at.comments(issue))))
    what = f"each of the {len(calls)} calls that close an issue is refused, and made again after the time asked for"
    yield _claim(what, ("state and comments",), ([("closed", 1)] * len(calls),), (told,))


def _somebody_elses(at: Stand) -> Iterator[Claim]:
    """The number that the history has is a person's issue now, as after a change of repository."""
    at.file(order("moved", 1, _BAD))
    (theirs,) = at.issues("moved")
    theirs |= {"title": "Customers cannot pay", "body": "A person's text"}
    before = dict(theirs)
    at.file(*(order("moved", number, slos) for number, slos in enumerate((_BAD, _GOOD, _GOOD, _GOOD), 2)))
    new = at.issues("moved")[-1]
    says_so = f"{REPOSITORY}#{before['number']}, cannot be written" in new["body"]
    names = ("theirs unchanged", "their comments", "ours", "ours says so")
    shown = (theirs == before, len(at.comments(theirs)), new["state"], says_so)
    yield _claim("the number is somebody else's issue: bad, then good runs", names, (True, 0, "closed", True), shown)


def _stopped(at: Stand) -> Iterator[Claim]:
    """A run that was stopped by a rule stands between the clean ones."""
    rule = Reason("auto_stop_errors", "nearly all requests failed")
    at.file(*(order("stopped", number, slos) for number, slos in enumerate((_BAD, _GOOD, _GOOD))))
    at.file(order("stopped", 3, _GOOD, rule), order("stopped", 4, _GOOD))
    states = [issue["state"] for issue in at.issues("stopped")]
    at.file(*(order("stopped", number, _GOOD) for number in (5, 6)))
    later = [issue["state"] for issue in at.issues("stopped")]
    expected = (["open"] * 2, ["closed"] * 2)
    yield _claim("good, good, stopped by a rule, good", ("then", "two good runs later"), expected, (states, later))


_PARTS = (
    _life,
    _back,
    _thirty,
    _nothing,
    _disproved,
    _stopped,
    _somebody_elses,
    _refused_while_closing,
    _killed_while_asking,
    _killed_before_asking,
)


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {WAIT_S:.0f} s")
        time.sleep(0.05)


def _claim(what: str, names: tuple[str, ...], expected: tuple[object, ...], shown: tuple[object, ...]) -> Claim:
    return Claim(NAME, what, _listed(names, expected), _listed(names, shown), shown == expected)


def _listed(names: tuple[str, ...], values: tuple[object, ...]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
