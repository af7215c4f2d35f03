"""Candidate and current release measured in turns: what slows both is the host, what slows one is the release."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from experiments.unchanged import profile_yaml, verdict_of, word_of
from include.loadtest.orchestration.context import RunContext
from include.loadtest.run import COMPARISON
from include.loadtest.target.settings import Target, load_target_file
from tests.helpers.demo import DemoTarget, demo_target

NAME = "confirm"
BASELINE = 10
REFERENCE = "current"
SLOWER = {"latency_factor": {"all": 1.2}}
HOGS = 4
VALID = ("PASS", "WARN")


def claims(say: Say) -> Iterator[Claim]:
    """A baseline, then three candidates: slowed with its reference, beside hogs, and by itself."""
    with bench(say) as servers, demo_target(servers.folder / REFERENCE) as reference:
        bad = [
            word
            for number in range(BASELINE)
            if (word := verdict_of(_run(servers, reference, f"b{number}"))) not in VALID
        ]
        yield Claim(NAME, f"{BASELINE} runs as the baseline", "all valid", ", ".join(bad) or "all valid", not bad)
        with _slowed(servers.demo), _slowed(reference):
            yield _judged(
                _run(servers, reference, "both"), "+20 % in candidate and current release", is_regression=False
            )
        with _hogs():
            yield _judged(_run(servers, reference, "hogs"), f"{HOGS} CPU hogs on the host of both", is_regression=False)
        with _slowed(servers.demo):
            yield _judged(_run(servers, reference, "candidate"), "+20 % in the candidate only", is_regression=True)


def _run(servers: Bench, reference: DemoTarget, name: str) -> RunContext:
    context = replace(
        servers.context(f"smoke-{name}", profile_yaml()), load_target=lambda wanted: _target(servers, reference, wanted)
    )
    servers.run(context)
    servers.say(f"  {name}: {verdict_of(context)}, {word_of(context) or 'not compared'}")
    return context


def _target(servers: Bench, reference: DemoTarget, name: str) -> Target:
    """The demo target, whose current release is another one."""
    demo = reference if name == REFERENCE else servers.demo
    file = load_target_file("demo").model_copy(
        update={"name": name, "reference_target": None if name == REFERENCE else REFERENCE}
    )
    return Target.checked(file, demo.base_url, demo.database_url, demo.redis_url)


def _judged(context: RunContext, what: str, *, is_regression: bool) -> Claim:
    """A regression has to be called by the runs in turns; anything else must not be."""
    document: dict[str, Any] = context.bundle.read(COMPARISON).get("change_test") or {}
    turns = len(document.get("references") or [])
    verdict = verdict_of(context)
    measured = (
        f"{verdict}; {document.get('word')}: {document.get('text')}; {turns} runs of the current release in turns"
    )
    ok = (verdict == "REGRESSION" and turns > 0) if is_regression else verdict != "REGRESSION" and bool(document)
    return Claim(NAME, what, "REGRESSION" if is_regression else "no REGRESSION", measured, ok)


@contextmanager
def _slowed(demo: DemoTarget) -> Iterator[None]:
    with demo.client() as client:
        client.put("/admin/faults", json=SLOWER).raise_for_status()
        try:
            yield
        finally:
            client.delete("/admin/faults").raise_for_status()


@contextmanager
def _hogs() -> Iterator[None]:
    """Processes that use all the CPU time they get."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(HOGS)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
