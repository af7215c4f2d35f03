"""The methods that the change test is compared with."""

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from experiments import rivals
from experiments.rivals import OTAVA_SETTINGS, Otava, OtavaUnavailableError, installed, naive_alarms, naive_calls
from experiments.scoring import Alarm
from include.loadtest.analysis.figures import Point, RunFigures
from include.loadtest.backtest.recorded import History, RecordedRun
from include.loadtest.backtest.replay import Case

OTAVA = Path(rivals.__file__).parent / "otava"


def history(**p95_ms: float) -> History:
    """A run a name, with one endpoint."""
    return History(
        {
            name: RecordedRun(RunFigures(name, {"endpoint:tax": {"latency_p95_ms": Point(math.log(value))}}))
            for name, value in p95_ms.items()
        }
    )


@pytest.mark.unit
@pytest.mark.parametrize(("value", "called"), [(109.0, False), (112.0, True), (50.0, False)])
def test_the_naive_rule_looks_at_the_latest_baseline_run_only(value: float, called: bool) -> None:
    """More than 10 % slower than that, whatever the earlier ones were."""
    runs = history(b1=10.0, b2=100.0, new=value)
    assert naive_calls(runs, Case(["b1", "b2"], ["new"])) is called


@pytest.mark.unit
def test_the_naive_rule_alarms_at_each_jump_of_a_series() -> None:
    """Up is better for a throughput; a step of 9 % is none."""
    assert naive_alarms([100, 109, 125, 90], higher_is_better=True) == [Alarm(2, 2, False), Alarm(3, 3, True)]


@pytest.mark.unit
def test_otava_blames_a_rise_from_the_candidate_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point among the baseline's runs, or a fall, blames nobody."""
    answers = [[[(1, True), (2, False)]]], [[[(2, True)]]], [[[]]]
    monkeypatch.setattr(Otava, "_asked", lambda _self, _series: list(answers))
    calls = Otava(print).calls(history(b1=10.0, b2=10.0, new=20.0), {"c1": Case(["b1", "b2"], ["new"])})
    assert [calls[setting]["c1"] for setting in OTAVA_SETTINGS] == [False, True, False]


@pytest.mark.unit
def test_otava_is_asked_after_each_run_and_sees_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program beside its locked packages, with a detector that names the last value it was given."""
    seen: list[tuple[list[float], int]] = []

    def detector(values: list[float], window: int, _p_value: float, _minimum: float) -> tuple[list, None]:
        seen.append((values, window))
        return [SimpleNamespace(index=len(values) - 1, stats=SimpleNamespace(mean_1=1.0, mean_2=2.0))], None

    package, analysis = ModuleType("otava"), ModuleType("otava.analysis")
    analysis.compute_change_points = detector
    monkeypatch.setitem(sys.modules, "otava", package)
    monkeypatch.setitem(sys.modules, "otava.analysis", analysis)
    spec = importlib.util.spec_from_file_location("replay_of_otava", OTAVA / "replay.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    found = program._replayed({"values": [1.0, 2.0, 3.0], "first": 2}, 50, 0.001, 0.0)
    assert found == [[(1, True)], [(2, True)]]
    assert seen == [([1.0, 2.0], 50), ([1.0, 2.0, 3.0], 50)]


@pytest.mark.integration
def test_without_a_network_it_is_said_that_otava_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, without the address of a package index."""
    monkeypatch.setattr(rivals, "_ENVIRONMENT", tmp_path / "otava")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(OtavaUnavailableError, match=r"uv ended with \d+: .*apache-otava") as raised:
        installed(lambda _text: None)
    assert "//" not in str(raised.value)
    assert not (tmp_path / "otava" / ".installed").exists()


@pytest.mark.unit
def test_the_locked_list_names_no_address_and_hashes_every_package() -> None:
    """It installs from whatever index is configured, and nothing else than what was locked."""
    text = (OTAVA / "requirements.txt").read_text(encoding="utf-8")
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert "apache-otava==0.8.0 \\" in packages
    assert all(line.endswith("\\") for line in packages)
    assert "//" not in text
    assert "--index" not in text
