"""Recorded histories of all three kinds."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.backtest.__main__ import main
from include.loadtest.backtest.recorded import read_history
from include.loadtest.errors import ConfigError
from include.loadtest.profile import find_profile, load_profile

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[3] / "experiments" / "data"


def test_recorded_runs_come_in_order_with_their_cpu_time(tmp_path: Path) -> None:
    """What was planted stands in the same file and is not read."""
    text = (DATA / "measured" / "runs.csv").read_text().splitlines()
    (tmp_path / "runs.csv").write_text("\n".join([text[0], text[2], text[1]]))
    for line in text[1:3]:
        shutil.copy(DATA / "measured" / f"{line.split(',')[0]}.parquet", tmp_path)
    runs = read_history(tmp_path).runs
    assert list(runs) == [line.split(",")[0] for line in text[1:3]]
    figures = runs[text[1].split(",")[0]].figures
    assert figures.target_cpu_ms_per_request == pytest.approx(1000 * 1.83 / 902)
    assert set(figures.points) == {
        f"endpoint:{name}" for name in ("chat_simple", "chat_complex", "tax", "upload", "search", "user")
    }


def test_a_missing_run_and_a_bad_number_are_named(tmp_path: Path) -> None:
    """File and line."""
    (tmp_path / "runs.csv").write_text("run_id,order\nr1,1\n")
    with pytest.raises(ConfigError, match=r"runs.csv:2: there is no file r1.parquet"):
        read_history(tmp_path)
    (tmp_path / "runs.csv").write_text("run_id,order\nr1,first\n")
    with pytest.raises(ConfigError, match=r"runs.csv:2: order is 'first'; write a number"):
        read_history(tmp_path)
    (tmp_path / "runs.csv").write_text("run_id,order\nr1,1\n")
    (tmp_path / "r1.parquet").write_bytes(b"no parquet")
    with pytest.raises(ConfigError, match=r"r1.parquet: not a recorded run"):
        read_history(tmp_path)


def test_series_keep_their_direction_and_their_order(tmp_path: Path) -> None:
    """Ids are name:index; a value of 0 has no logarithm and is refused with its line."""
    (tmp_path / "index.json").write_text(json.dumps({"s": {"higher_is_better": True}}))
    (tmp_path / "s.csv").write_text("index,timestamp,value\n0,,5\n1,,6\n")
    history = read_history(tmp_path)
    assert history.series == {"s": ["s:0", "s:1"]}
    assert history.runs["s:1"].figures.higher_is_better
    (tmp_path / "s.csv").write_text("index,timestamp,value\n0,,5\n1,,0\n")
    with pytest.raises(ConfigError, match=r"s.csv:3: value is '0'; write a number above 0"):
        read_history(tmp_path)


def _bundle(folder: Path, run_id: str, started: str, **manifest: Any) -> None:
    bundle = folder / run_id
    bundle.mkdir()
    profile = load_profile(find_profile("smoke")).model_dump(mode="json")
    documents = {
        "manifest.json": {"started": started, "profile": profile, "target": {"name": "demo"}, **manifest},
        "metrics.json": {"metrics": []},
        "verdict.json": {"verdict": "PASS"},
    }
    for name, content in documents.items():
        (bundle / name).write_text(json.dumps(content))


def test_bundles_come_in_order_of_their_start_and_old_ones_are_understood(tmp_path: Path) -> None:
    """A run of an earlier release lacks today's rules; an unfinished one and a suite's folder are left out."""
    _bundle(tmp_path, "smoke-b", "2026-01-02T00:00:00Z", repeat_of="smoke-a")
    _bundle(tmp_path, "smoke-a", "2026-01-01T00:00:00Z")
    manifest = tmp_path / "smoke-a" / "manifest.json"
    content = json.loads(manifest.read_text())
    for name in ("auto_stop", "change_test", "stall_limit_s", "arrival"):
        del content["profile"][name]
    manifest.write_text(json.dumps(content))
    (tmp_path / "weekly-1").mkdir()
    runs = read_history(tmp_path).runs
    assert list(runs) == ["smoke-a", "smoke-b"]
    assert runs["smoke-b"].repeat_of == "smoke-a"
    assert runs["smoke-a"].key == runs["smoke-b"].key


def test_the_command_prints_only_csv_and_refuses_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row for each point of a series; without a folder, or with an empty one, exit code 2."""
    (tmp_path / "index.json").write_text(json.dumps({"s": {"higher_is_better": False}}))
    values = [100 + n % 3 for n in range(20)] + [140] * 5
    rows = "\n".join(f"{index},,{value}" for index, value in enumerate(values))
    (tmp_path / "s.csv").write_text(f"index,timestamp,value\n{rows}\n")
    assert main({"DIR": str(tmp_path)}) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "case,verdict,metric,scope,change,ci_low,ci_high"
    assert len(lines) == 26
    assert lines[1] == "s:0,NOT_ENOUGH_RUNS,,,,,"
    assert lines[23].startswith("s:22,REGRESSION,value,all,0.38")
    empty = tmp_path / "empty"
    empty.mkdir()
    for environment, text in (
        ({}, "DIR: no folder given"),
        ({"DIR": str(empty)}, "holds no bundle with metrics"),
        ({"DIR": str(empty / "x")}, "is no folder"),
        ({"DIR": str(tmp_path), "PROFILE": "smok"}, "did you mean smoke?"),
    ):
        assert main(environment) == 2
        output = capsys.readouterr()
        assert text in output.err
        assert output.out == ""
