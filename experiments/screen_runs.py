"""Runs of every verdict in a real environment, for the pages that show them. Their limits are chosen; they are real."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from experiments.api import Api
from experiments.claims import Say
from experiments.environment import Environment
from experiments.freeze import profile_yaml
from include.loadtest.history.store import store_bundle
from include.loadtest.orchestration.selftest import judging
from include.loadtest.reporting.page.report_page import write_report_page
from include.loadtest.reporting.report import build_report

STOP = "loadtest_stop"
USERS, HOLD_S, LONG_S = 5, 20, 90
BEGIN_WITHIN_S = 120.0
MIX = {"simple_query": 35, "complex_query": 25, "tax_calculation": 25, "knowledge_search": 10, "user_operations": 5}
QUESTIONS = {"pool_size": 40, "zipf_exponent": 1.1, "new_share": 0.3}
FAST_MS, SLOW_MS = 100, 20_000
"""A limit that the answers of the LLM miss, and one that none does."""


@dataclass(frozen=True)
class Shown:
    """A run to look at: its verdict, or `running`, and its id."""

    verdict: str
    run_id: str


def made_runs(environment: Environment, say: Say) -> Iterator[Shown]:
    """One run of each verdict, one after the other; REGRESSION is the recorded one of the alarm's self-test."""
    yield _run(environment, say, "PASS", _limits(SLOW_MS, "critical"))
    yield _run(environment, say, "WARN", _limits(FAST_MS, "warning"))
    yield _run(environment, say, "SLA_BREACH", _limits(FAST_MS, "critical"))
    yield _run(environment, say, "ABORTED", _limits(SLOW_MS, "critical"), hold_s=LONG_S, meanwhile=_stop)
    yield _run(environment, say, "INCONCLUSIVE", _limits(SLOW_MS, "critical"), hold_s=LONG_S, meanwhile=_kill_generator)
    yield _recorded_regression(environment)


@contextmanager
def running(environment: Environment, say: Say) -> Iterator[Shown]:
    """A run whose load is under way for the length of the block, and then ends by the operator's switch."""
    before = environment.bundles()
    thread = threading.Thread(
        target=_run, args=(environment, say, "running", _limits(SLOW_MS, "critical")), kwargs={"hold_s": 10 * LONG_S}
    )
    thread.start()
    try:
        yield Shown("running", _sampled(environment, before).name)
    finally:
        _stop(environment, before)
        thread.join()
        _switch(environment, "off")


def _limits(limit_ms: int, level: str) -> list[dict[str, Any]]:
    return [
        {"metric": "latency_p95_ms", "comparator": "<", "limit": limit_ms, "level": level},
        {"metric": "error_rate", "comparator": "<", "limit": 0.5},
    ]


def _run(
    environment: Environment,
    say: Say,
    wanted: str,
    slos: list[dict[str, Any]],
    *,
    hold_s: int = HOLD_S,
    meanwhile: Callable[[Environment, set[Path]], None] | None = None,
) -> Shown:
    say(f"a run for {wanted}")
    file = environment.folder / f"screens-{wanted.lower()}.yaml"
    file.write_text(
        profile_yaml(
            users=USERS, ramp_up_s=3, duration_s=hold_s, mix_pct=MIX, questions=QUESTIONS, slos=slos, name=file.stem
        )
    )
    before = environment.bundles()
    helper = threading.Thread(target=meanwhile, args=(environment, before)) if meanwhile else None
    if helper is not None:
        helper.start()
    ran = environment.run(file)
    if helper is not None:
        helper.join()
        _switch(environment, "off")
    if ran.bundle is None:
        raise RuntimeError(f"the run for {wanted} made no bundle:\n{ran.output[-2000:]}")
    return Shown(ran.shown, ran.bundle.name)


def _sampled(environment: Environment, before: set[Path]) -> Path:
    """The new run, once a part of its samples is closed."""
    until_s = time.monotonic() + BEGIN_WITHIN_S
    while time.monotonic() < until_s:
        for bundle in environment.bundles() - before:
            if any(bundle.glob("samples/*.parquet")):
                return bundle
        time.sleep(0.2)
    raise RuntimeError("no load has begun")


def _stop(environment: Environment, before: set[Path]) -> None:
    _sampled(environment, before)
    _switch(environment, "on")


def _kill_generator(environment: Environment, before: set[Path]) -> None:
    name = _sampled(environment, before).name
    time.sleep(10)
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        if "include/locustfiles/pratikoai.py" in command and name in command:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _switch(environment: Environment, value: str) -> None:
    api = Api.of(environment.layout)
    try:
        api.set_variable(STOP, value)
    finally:
        api.close()


def _recorded_regression(environment: Environment) -> Shown:
    """A regression takes more than ten runs: this one was recorded from real loads, and is judged anew."""
    bench = judging.Bench(environment.results)
    conclusion = judging.conclusion_of(bench, judging.SUSPECT)
    bundle = bench.opened(judging.SUSPECT)
    bundle.write("comparison.json", conclusion.comparison or {})
    started = json.loads((bundle.path / "manifest.json").read_text()).get("started")
    if started is None:
        phases = bundle.read("manifest.json")["phases"]
        bundle.update_manifest(started=phases[0]["start"])
    write_report_page(bundle, build_report(bundle))
    store_bundle(environment.history_url, bundle, bench.profile(judging.SUSPECT))
    return Shown(str(conclusion.verdict["verdict"]), bundle.run_id)
