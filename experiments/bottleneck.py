"""The diagnosis on planted faults: named first, among the first two, silent on healthy runs, two faults at once.

`SEEDS=5` is the full matrix, `SEEDS=3-5` a part of it; without it one seed is run. `RECORD=dir` keeps the bundles
there, and records only what is missing. `BUNDLES=dir` sends no load and diagnoses what lies there.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg2
from httpx import HTTPError

from experiments.claims import Claim, Say
from experiments.fault_matrix import Case, cases, seeds_of
from experiments.fault_recording import TARGET_OPTIONS, Recorder
from experiments.fault_scores import Score, diagnosed_runs, scores
from experiments.fault_truth import is_recorded
from experiments.in_process import bench
from include.loadtest.errors import ConfigError, LoadTestError

NAME = "bottleneck"
SEEDS, RECORD, BUNDLES = "SEEDS", "RECORD", "BUNDLES"


def claims(say: Say) -> Iterator[Claim]:
    """Record the runs, or take those that are there; then diagnose them all and hold them to what was planted."""
    there = os.environ.get(BUNDLES)
    if there:
        yield from _scored(Path(there), say)
        return
    wanted = wanted_cases(os.environ.get(SEEDS, ""))
    kept = os.environ.get(RECORD)
    with tempfile.TemporaryDirectory(prefix="loadtest-bottleneck-") as temporary:
        folder = Path(kept or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        yield record(wanted, folder, say)
        yield from _scored(folder, say)


def wanted_cases(seeds: str) -> list[Case]:
    """The runs of those seeds; at a target that exposes little only with more than one. Raises ConfigError."""
    try:
        chosen = seeds_of(seeds)
    except ValueError as error:
        raise ConfigError(f"{error}; leave it empty for one") from error
    return list(cases(chosen, with_bare=len(chosen) > 1))


def record(wanted: Sequence[Case], folder: Path, say: Say) -> Claim:
    """Record what is not there yet; a run that fails is named, and the others go on."""
    missing = [case for case in wanted if not is_recorded(folder, case)]
    failed = _record(missing, folder, say) if missing else []
    whole = len(wanted) - len(failed)
    measured = "; ".join([f"{whole} of {len(wanted)}", *failed])
    return Claim(
        NAME, "runs are recorded whole, with what was planted in force", f"{len(wanted)}", measured, not failed
    )


def _record(missing: Sequence[Case], folder: Path, say: Say) -> list[str]:
    failed = []
    with bench(say, *TARGET_OPTIONS) as servers:
        recorder = Recorder(servers, folder, say)
        for number, case in enumerate(missing, 1):
            say(f"{number} of {len(missing)}: {case.name}")
            try:
                recorder.record(case)
            except (LoadTestError, RuntimeError, OSError, HTTPError, psycopg2.Error) as error:
                say(f"  {type(error).__name__}: {error}")
                failed.append(f"{case.name}: {type(error).__name__}: {error}")
        recorder.finish()
    return failed


def _scored(folder: Path, say: Say) -> Iterator[Claim]:
    say(f"diagnosing what lies in {folder}")
    answers = diagnosed_runs(folder)
    for answer in answers:
        say(f"  {answer.name}: {', '.join(answer.causes) or answer.state}: {answer.sentence}")
    yield from map(_claim, scores(answers))


def _claim(score: Score) -> Claim:
    return Claim(NAME, score.title, score.expected, score.measured, score.holds)
