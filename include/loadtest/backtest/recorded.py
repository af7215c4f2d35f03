"""Reads recorded histories: folders of bundles, of Parquet runs with `runs.csv`, of CSV series with `index.json`."""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.loadtest.analysis.figures import RunFigures, run_figures, series_run
from include.loadtest.backtest.parquet_runs import parquet_rows
from include.loadtest.errors import ConfigError
from include.loadtest.history.comparability import comparability, comparability_key
from include.loadtest.profile import Profile
from include.loadtest.profile.reference import requirements
from include.loadtest.run import MANIFEST, METRICS, VERDICT
from include.loadtest.verdict import GREEN

RUNS_FILE, INDEX_FILE = "runs.csv", "index.json"


@dataclass(frozen=True)
class RecordedRun:
    """A run of a history: `key` is equal for comparable runs, `is_valid` says that it may be part of a baseline.

    `repeat_of`: the run that this one repeated. `stall_limit_s`: its profile's, None where the history has no profile.
    """

    figures: RunFigures
    key: str = ""
    is_valid: bool = True
    repeat_of: str | None = None
    stall_limit_s: float | None = None


@dataclass(frozen=True)
class History:
    """A folder's content: `runs` by id in order of time; `series` by name, the ids of their runs in order."""

    runs: Mapping[str, RecordedRun]
    series: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_history(folder: Path) -> History:
    """What a folder holds. Raises ConfigError for one that holds no history, and for files that cannot be read."""
    if not folder.is_dir():
        raise ConfigError(f"DIR: {folder} is no folder; give one with bundles, with {RUNS_FILE} or with {INDEX_FILE}")
    if (folder / RUNS_FILE).is_file():
        return History(dict(_parquet_runs(folder)))
    if (folder / INDEX_FILE).is_file():
        return _series(folder)
    runs = dict(_bundles(folder))
    if not runs:
        raise ConfigError(f"DIR: {folder} holds no bundle with metrics, no {RUNS_FILE} and no {INDEX_FILE}")
    return History(runs)


def _parquet_runs(folder: Path) -> Iterator[tuple[str, RecordedRun]]:
    """Only what a product would know is read of `runs.csv`: order, CPU seconds of the target and requests."""
    file = folder / RUNS_FILE
    entries = list(read_csv(file, ("run_id", "order")))
    for line, entry in sorted(entries, key=lambda found: _number(file, found[0], found[1], "order") or 0):
        run_id = entry["run_id"]
        path = folder / f"{run_id}.parquet"
        if not path.is_file():
            raise ConfigError(f"{file}:{line}: there is no file {path.name} for run {run_id}")
        rows = parquet_rows(path)
        cpu_s = _number(file, line, entry, "server_cpu_s")
        requests = _number(file, line, entry, "requests")
        if cpu_s and requests:
            rows.append(_cpu_row(1000 * cpu_s / requests))
        yield run_id, RecordedRun(run_figures(run_id, rows))


def _cpu_row(value: float) -> dict[str, Any]:
    return {"metric": "target_cpu_ms_per_request", "scope": "all", "phase": "hold", "value": value}


def _number(path: Path, line: int, entry: Mapping[str, str], name: str) -> float | None:
    text = entry.get(name) or ""
    try:
        return float(text) if text else None
    except ValueError:
        raise ConfigError(f"{path}:{line}: {name} is {text[:40]!r}; write a number") from None


def read_csv(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers. Raises ConfigError where it cannot be read or lacks a column."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in wanted if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigError(f"{path}:1: the column {missing[0]} is missing; wanted: {', '.join(wanted)}")
            for row in reader:
                yield reader.line_num, {key: value or "" for key, value in row.items() if key}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read as CSV: {error}") from error


def _series(folder: Path) -> History:
    path = folder / INDEX_FILE
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        directions = {name: bool(entry["higher_is_better"]) for name, entry in index.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: not an index of series (name: {{higher_is_better: …}}): {error!r}") from error
    runs: dict[str, RecordedRun] = {}
    series: dict[str, list[str]] = {}
    for name, higher_is_better in directions.items():
        series[name] = []
        for line, row in read_csv(folder / f"{name}.csv", ("index", "value")):
            value = _number(folder / f"{name}.csv", line, row, "value")
            if value is None or not math.isfinite(value) or value <= 0:
                raise ConfigError(f"{folder / name}.csv:{line}: value is {row['value']!r}; write a number above 0")
            run_id = f"{name}:{row['index']}"
            runs[run_id] = RecordedRun(series_run(run_id, value, higher_is_better=higher_is_better), key=name)
            series[name].append(run_id)
    return History(runs, series)


def _bundles(folder: Path) -> Iterator[tuple[str, RecordedRun]]:
    """Runs that have metrics, a manifest and a verdict, in order of their start."""
    found: list[tuple[str, str, RecordedRun]] = []
    for path in sorted(folder.iterdir()):
        manifest, metrics, verdict = (_document(path / name) for name in (MANIFEST, METRICS, VERDICT))
        if manifest and metrics and verdict:
            found.append((manifest.get("started") or "", path.name, _bundle_run(path.name, manifest, metrics, verdict)))
    for _, run_id, recorded in sorted(found, key=lambda entry: entry[:2]):
        yield run_id, recorded


def _bundle_run(
    run_id: str, manifest: Mapping[str, Any], metrics: Mapping[str, Any], verdict: Mapping[str, Any]
) -> RecordedRun:
    """A bundle of any release: rules that its profile does not have yet are today's."""
    try:
        profile = Profile.model_validate_json(json.dumps(requirements().completed(manifest["profile"])))
        return RecordedRun(
            run_figures(run_id, metrics["metrics"]),
            comparability_key(comparability(profile, manifest)),
            verdict["verdict"] in GREEN,
            manifest.get("repeat_of"),
            profile.stall_limit_s,
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"DIR: bundle {run_id} cannot be read: {str(error).splitlines()[0][:200]}") from error


def _document(path: Path) -> dict[str, Any]:
    """A file of a bundle; empty where it is not there. Raises ConfigError where it is no JSON object."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a JSON object")
    return content
