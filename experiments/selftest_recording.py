"""Makes the recordings of the alarm self-test anew: `python -m experiments.selftest_recording [bad unchanged slower]`.

Real loads against a real demo target on this machine: runs of an unchanged target, three of a slower one, and one that
misses every critical limit of `smoke`, each by little, so that a limit that is loosened by much is noticed. What is
kept of a bundle is what the self-test computes its figures from, and the figures as they are computed today.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from experiments.claims import Say
from experiments.in_process import Bench, bench
from include.loadtest import run
from include.loadtest.analysis.figures import run_figures
from include.loadtest.analysis.ruling import Word, rule
from include.loadtest.bundle import Bundle
from include.loadtest.history.runs import METRIC_COLUMNS
from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.orchestration.selftest import judging, recordings
from include.loadtest.profile import find_profile
from include.loadtest.profile.reference import requirements
from include.loadtest.validation.evidence import read_evidence
from include.loadtest.verdict import Verdict

UNCHANGED = 9
WARM_UP_MAX_S = 20
UNCHANGED_LLM = {"llm_first_token_ms": 400}
"""As slow as a real one: waiting for it, and not the machine's other work, is what an answer takes."""
SLOWER = {"latency_factor": {"chat": 1.45, "chat_stream": 1.45}}
RARE = ("settings_get", "settings_put", "billing_usage", "analytics_usage")
"""Called by 3 of 100 requests: slow enough, they are the P99 and not the P95."""
BAD = {
    "latency_added_ms": {"chat": 4200, "chat_stream": 4200, **dict.fromkeys(RARE, 6250)},
    "error_share": {"chat": 0.05, "chat_stream": 0.05},
}
BAD_HOLD_S = 55
SHORT = {"duration_s": 20, "think_time_s": {"min": 0.1, "max": 0.3}}
"""With shorter pauses a short run has enough requests of each endpoint."""
ATTEMPTS = 6
KEPT_OF_MANIFEST = ("started", "phases", "load", "warm_up", "restart", "cpu_probe_ms")
KEPT_OF_ENVIRONMENT = ("git_sha",)


def record(say: Say, folder: Path, parts: Sequence[str]) -> None:
    """Send the loads of these parts, all of them where none is named, and replace their recordings in `folder`."""
    makers = {"bad": _record_bad, "unchanged": _record_unchanged, "slower": _record_slower}
    with bench(say) as servers:
        for name in parts or makers:
            makers[name](servers, folder)
    conclude(folder)


def _record_bad(servers: Bench, folder: Path) -> None:
    with _faults(servers, BAD):
        bad = _wanted(servers, "bad", {"duration_s": BAD_HOLD_S}, _misses_all)
    _keep(bad, folder / recordings.BAD)


def _record_unchanged(servers: Bench, folder: Path) -> None:
    with _faults(servers, UNCHANGED_LLM):
        unchanged = [_wanted(servers, f"unchanged{number}", SHORT, _is_pass) for number in range(UNCHANGED + 1)]
    _write_history(folder, unchanged[:-1])
    _keep(unchanged[-1], folder / recordings.CLEAN)


def _record_slower(servers: Bench, folder: Path) -> None:
    with _faults(servers, UNCHANGED_LLM | SLOWER):
        for name in recordings.SLOWER:
            _keep(_wanted(servers, name, SHORT, partial(_is_suspected, folder)), folder / name)


def conclude(folder: Path) -> None:
    """Keep what is concluded from the recordings today. Raises BrokenLinkError where that is not what they are for."""
    with tempfile.TemporaryDirectory() as temporary:
        judged = judging.Bench(Path(temporary), folder)
        for check in (judging.check_recordings, judging.check_validation, judging.check_change_test):
            check(judged)
        for name in judging.JUDGED:
            document = judging.conclusion_of(judged, name)
            content = {"verdict": document.verdict, **(document.comparison or {})}
            _dump(folder / name / judging.CONCLUDED, content)
        judging.check_verdict(judged)


def _misses_all(bundle: Bundle) -> bool:
    slos = bundle.read(run.VERDICT)["slos"]
    missed = {slo["metric"] for slo in slos if (slo["level"], slo["outcome"]) == ("critical", "missed")}
    return missed >= set(recordings.MISSED)


def _is_pass(bundle: Bundle) -> bool:
    return bool(bundle.read(run.VERDICT)["verdict"] == Verdict.PASS)


def _is_suspected(folder: Path, bundle: Bundle) -> bool:
    """Against the recorded history; not so on a machine that was busy with something else meanwhile."""
    rules = requirements()
    new = run_figures(bundle.run_id, bundle.read(run.METRICS)["metrics"])
    ruling = rule(recordings.read_history(folder), [new], rules.change_test, rules.stall_limit_s)
    return ruling.word is Word.SUSPECTED


def _wanted(servers: Bench, name: str, load: dict[str, Any], is_wanted: Callable[[Bundle], bool]) -> Bundle:
    """A run that shows what it is to show. Raises RuntimeError where none of several does."""
    for attempt in range(ATTEMPTS):
        bundle = _run(servers, f"{name}-{attempt}", load)
        if is_wanted(bundle):
            return bundle
    raise RuntimeError(f"{name}: not one of {ATTEMPTS} runs shows it; is the machine busy?")


def _run(servers: Bench, name: str, load: dict[str, Any]) -> Bundle:
    data: dict[str, Any] = yaml.safe_load(find_profile(recordings.PROFILE).read_text(encoding="utf-8")) | load
    data["warm_up"]["max_s"] = WARM_UP_MAX_S
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    context = replace(servers.context(f"smoke-{name}", text), repeats=False)
    servers.run(context)
    verdict = context.bundle.read(run.VERDICT)
    servers.say(f"  {name}: {verdict['verdict']}")
    for reason in verdict["reasons"]:
        servers.say(f"    {reason['code']}: {reason['text']}")
    return context.bundle


@contextmanager
def _faults(servers: Bench, faults: dict[str, Any]) -> Iterator[None]:
    servers.demo.switch(**faults).raise_for_status()
    try:
        yield
    finally:
        with servers.demo.client() as client:
            client.delete("/admin/faults").raise_for_status()


def _keep(bundle: Bundle, folder: Path) -> None:
    """The part of a bundle that its figures are computed from; readings that nothing judges are left out."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    manifest = bundle.read(run.MANIFEST)
    environment = {name: manifest["environment"].get(name) for name in KEPT_OF_ENVIRONMENT}
    kept = {name: manifest[name] for name in KEPT_OF_MANIFEST if name in manifest}
    load = {name: manifest["profile"][name] for name in recordings.LOAD_KEYS}
    seed = {"created": manifest["seed"]["created"]}
    _dump(folder / recordings.MANIFEST, {**kept, "seed": seed, "environment": environment, recordings.LOAD: load})
    judged = {reading.metric for reading in read_evidence(bundle, manifest).readings}
    names = ", ".join(f"'{name}'" for name in sorted(judged))
    of_machine = "CASE WHEN source = 'generator' THEN instance ELSE 'demo' END"
    wanted = f"* REPLACE ({of_machine} AS instance) FROM read_parquet(?) WHERE metric IN ({names})"
    _copy_rows(bundle.resources_dir, folder / recordings.RESOURCES, wanted)
    _copy_rows(bundle.samples_dir, folder / recordings.SAMPLES, "* FROM read_parquet(?)")
    with tempfile.TemporaryDirectory() as temporary:
        opened = recordings.open_recording(folder, Path(temporary) / bundle.run_id)
        metrics = compute_metrics(opened, recordings.profile_of(folder))
    _dump(folder / recordings.FIGURES, recordings.figures(metrics))


def _copy_rows(parts: Path, target: Path, wanted: str) -> None:
    """All parts as one; `wanted` is what follows SELECT."""
    import duckdb

    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        made = f"COPY (SELECT {wanted}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        opened.execute(made, [[str(part) for part in sorted(parts.glob("*.parquet"))]])


def _write_history(folder: Path, bundles: list[Bundle]) -> None:
    """The unchanged runs as the history keeps them: the rows of the hold that the change test looks at."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = {bundle.run_id: _compared_rows(bundle) for bundle in bundles}
    _dump(folder / recordings.HISTORY, runs)


def _compared_rows(bundle: Bundle) -> list[list[Any]]:
    rows = bundle.read(run.METRICS)["metrics"]
    return [[row[name] for name in METRIC_COLUMNS] for row in rows if recordings.is_compared(row)]


def _dump(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n", encoding="utf-8")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    record(_say, recordings.FOLDER, sys.argv[1:])
