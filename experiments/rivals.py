"""What the change test is compared with: the rule of ten per cent, and Apache Otava in an environment of its own."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.claims import Say
from experiments.scoring import Alarm, new_alarms
from include.loadtest.analysis.figures import RunFigures
from include.loadtest.backtest.recorded import History
from include.loadtest.backtest.replay import Case
from include.loadtest.errors import LoadTestError

RELEVANT = 0.10
P95 = "latency_p95_ms"
OTAVA_SETTINGS = {
    "Otava (50, 0.001, 0)": (50, 0.001, 0.0),
    "Otava (30, 0.001, 0.05)": (30, 0.001, 0.05),
    "Otava (50, 0.001, 0.10)": (50, 0.001, 0.10),
}
"""(window, p-value, minimum change): its default, and two stricter ones that were picked beforehand."""
_ROOT = Path(__file__).parents[1]
_SOURCES = Path(__file__).parent / "otava"
_ENVIRONMENT = _ROOT / ".embedded" / "otava"
_INSTALL_TIMEOUT_S, _REPLAY_TIMEOUT_S = 300, 900
_SHOWN_CHARACTERS = 300
_ADDRESS = re.compile(r"https?://\S+")  # a package index may be a private one


class OtavaUnavailableError(LoadTestError):
    """Otava could not be installed, or did not answer."""


def naive_calls(history: History, case: Case) -> bool:
    """Whether P95 of any endpoint is >10 % above that of the latest baseline run; repeats are not looked at."""
    last, new = (history.runs[run_id].figures for run_id in (case.baseline[-1], case.candidate[0]))
    return any(
        _log_p95(new, scope) - _log_p95(last, scope) > math.log1p(RELEVANT)
        for scope in new.points
        if P95 in new.points[scope] and P95 in last.points.get(scope, {})
    )


def _log_p95(run: RunFigures, scope: str) -> float:
    return run.points[scope][P95].log


def naive_alarms(values: Sequence[float], *, higher_is_better: bool) -> list[Alarm]:
    """Each value that is more than 10 % above or below the one before."""
    alarms = []
    for index in range(1, len(values)):
        change = values[index] / values[index - 1] - 1
        if abs(change) > RELEVANT:
            alarms.append(Alarm(index, index, (change > 0) != higher_is_better))
    return alarms


class Otava:
    """Otava's change-point function; the environment is made at the first use and kept."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def calls(self, history: History, cases: Mapping[str, Case]) -> dict[str, dict[str, bool]]:
        """For each setting and case: whether P95 of any endpoint rises at the candidate or one of its repeats."""
        series, owners = [], []
        for name, case in cases.items():
            for values in _p95_series(history, case):
                series.append({"values": values, "first": len(values)})
                owners.append((name, len(case.baseline)))
        found = {setting: dict.fromkeys(cases, False) for setting in OTAVA_SETTINGS}
        for setting, replies in zip(OTAVA_SETTINGS, self._asked(series), strict=True):
            for (name, baseline_runs), (points,) in zip(owners, replies, strict=True):
                found[setting][name] |= any(rises and index >= baseline_runs for index, rises in points)
        return found

    def alarms(self, series: Sequence[tuple[Sequence[float], bool]]) -> dict[str, list[list[Alarm]]]:
        """For each setting: the alarms in each of (values, whether higher is better), replayed run by run."""
        replies = self._asked([{"values": list(values), "first": 1} for values, _ in series])
        return {
            setting: [
                new_alarms(own, 1, higher_is_better=better) for own, (_, better) in zip(of_setting, series, strict=True)
            ]
            for setting, of_setting in zip(OTAVA_SETTINGS, replies, strict=True)
        }

    def _asked(self, series: Sequence[Mapping[str, Any]]) -> list[Any]:
        python = installed(self._say)
        request = json.dumps({"settings": list(OTAVA_SETTINGS.values()), "series": list(series)})
        answer = _run([str(python), "-I", str(_SOURCES / "replay.py")], _REPLAY_TIMEOUT_S, request)
        try:
            replies: list[Any] = json.loads(answer)
        except ValueError as error:
            raise OtavaUnavailableError(f"Otava's answer is no JSON: {error}") from error
        return replies


def _p95_series(history: History, case: Case) -> list[list[float]]:
    runs = [history.runs[run_id].figures for run_id in (*case.baseline, *case.candidate, *case.confirm)]
    scopes = [scope for scope in runs[0].points if all(P95 in run.points.get(scope, {}) for run in runs)]
    return [[math.exp(_log_p95(run, scope)) for run in runs] for scope in scopes]


def installed(say: Say) -> Path:
    """The Python of Otava's environment, made by uv from the locked list if it is not there yet.

    Raises OtavaUnavailableError, as where there is no network.
    """
    locked, stamp = _SOURCES / "requirements.txt", _ENVIRONMENT / ".installed"
    python = _ENVIRONMENT / "bin" / "python"
    if stamp.is_file() and stamp.read_bytes() == locked.read_bytes():
        return python
    say("installing Apache Otava into .embedded/otava")
    uv = [str(Path(sys.executable).parent / "uv")]
    _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_ENVIRONMENT)], _INSTALL_TIMEOUT_S)
    install = ["pip", "install", "--quiet", "--system-certs", "--require-hashes", "--python", str(python)]
    _run([*uv, *install, "-r", str(locked)], _INSTALL_TIMEOUT_S)
    stamp.write_bytes(locked.read_bytes())
    return python


def _run(command: Sequence[str], timeout_s: float, given: str = "") -> str:
    try:
        ended = subprocess.run(command, input=given, capture_output=True, text=True, timeout=timeout_s, check=True)
    except subprocess.CalledProcessError as error:
        said = " ".join(_ADDRESS.sub("…", error.stderr).split())[-_SHOWN_CHARACTERS:]
        raise OtavaUnavailableError(f"{Path(command[0]).name} ended with {error.returncode}: {said}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OtavaUnavailableError(f"{Path(command[0]).name}: {type(error).__name__}") from error
    return ended.stdout
