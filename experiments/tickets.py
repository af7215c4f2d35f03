"""The life of issues, from filing processes through a real PostgreSQL to a GitHub that knows GitHub's own rules."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from experiments.claims import Claim, Say
from experiments.ticket_filer import READY
from include.embedded.state import CHECKOUT
from include.loadtest.verdict import Reason, SloResult
from tests.helpers.github_service import GitHubService, Trouble, github_service
from tests.helpers.ticket_runs import change, comparison, diagnosis, history_database, slo, verdict

NAME = "tickets"
FILERS = 2
BAD_RUNS, GOOD_RUNS, SCOPES = 5, 3, 30
WINDOW_DAYS = 30
WAIT_S = 60.0
CREATE = "issues/create"
_BAD = [slo("latency_p95_ms"), slo("error_rate", outcome="met")]
_GOOD = [slo("latency_p95_ms", outcome="met"), slo("error_rate", outcome="met")]
_REGRESSION = Reason("regression", "chat: body +20 %", "latency_body_ms", "endpoint:chat", 0.2, 0.1, "ratio")
Issue = Mapping[str, Any]


@dataclass
class Filer:
    """One filing process."""

    process: subprocess.Popen[str]

    def order(self, order: Mapping[str, Any]) -> None:
        """Tell it what to file; it begins at once."""
        if self.process.stdin is not None:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def answer(self) -> str:
        """Its next line; empty where it has ended."""
        return self.process.stdout.readline().strip() if self.process.stdout else ""


@dataclass
class Stand:
    """History, GitHub, and how processes that file are started."""

    history_url: str
    github: GitHubService
    filers: list[Filer] = field(default_factory=list)

    def started(self) -> Filer:
        """A new filing process, ready."""
        command = [sys.executable, "-m", "experiments.ticket_filer", self.history_url, self.github.url]
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        filer = Filer(process)
        self.filers.append(filer)
        if filer.answer() != READY:
            raise RuntimeError("a filing process has not started")
        return filer

    def stop(self) -> None:
        """End all of them."""
        for filer in self.filers:
            filer.process.kill()
            filer.process.wait()

    def file(self, *orders: Mapping[str, Any]) -> None:
        """Each order is filed and delivered by two processes at the same time; then the next."""
        for order in orders:
            for filer in self.filers[:FILERS]:
                filer.order(order)
            for filer in self.filers[:FILERS]:
                if not filer.answer():
                    raise RuntimeError("a filing process has ended")

    def issues(self, profile: str) -> list[Issue]:
        """The issues of a profile, the oldest first."""
        wanted = f"profile:{profile}"
        return [
            issue for issue in self.github.issues.issues.values() if wanted in [one["name"] for one in issue["labels"]]
        ]

    def comments(self, issue: Issue) -> list[str]:
        """The first visible line of each comment."""
        return [str(one["body"]).splitlines()[2] for one in self.github.issues.of_issue(issue["number"])]

    def let_pass(self, days: int) -> None:
        """Closed issues were closed so many days earlier."""
        connection = psycopg2.connect(self.history_url)
        try:
            with connection, connection.cursor() as cursor:
                statement = "UPDATE loadtest.ticket SET closed_at = closed_at - make_interval(days => %s)"
                cursor.execute(statement, (days,))
        finally:
            connection.close()


@contextmanager
def stand() -> Iterator[Stand]:
    """For the length of a block."""
    folder = Path(tempfile.mkdtemp(prefix="loadtest-tickets-"))
    try:
        with ExitStack() as opened:
            url = opened.enter_context(history_database(folder))
            found = Stand(url, opened.enter_context(github_service()))
            opened.callback(found.stop)
            for _ in range(FILERS):
                found.started()
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def claims(say: Say) -> Iterator[Claim]:
    """Each part has a profile of its own, so that no issue of one is met by another."""
    with stand() as at:
        for part in (_life, _back, _thirty, _nothing, _disproved, _killed_while_asking, _killed_before_asking):
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
    names_old = f"told in #{first['number']} before" in found[-1]["body"]
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
