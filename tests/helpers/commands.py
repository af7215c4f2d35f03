"""The make commands as a person gives them, and what they leave."""

import os
import subprocess
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def make(goal: str, **inputs: str) -> subprocess.CompletedProcess[str]:
    """One make command with its inputs in the environment, as a shell would give them."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOAD_TEST", "MAKE"))}
    return subprocess.run(
        ["make", "--no-print-directory", goal],
        cwd=ROOT,
        env={**environment, **inputs},
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )


def left_over() -> list[str]:
    """Processes that have to do with this checkout's environment."""
    folder = str(ROOT / ".embedded")
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if folder in line]


def verdict_of(finished: subprocess.CompletedProcess[str]) -> tuple[str, Path]:
    """The two last lines of standard output."""
    verdict, bundle = finished.stdout.splitlines()[-2:]
    assert verdict.startswith("verdict: "), finished.stdout + finished.stderr
    assert bundle.startswith("bundle: "), finished.stdout
    return verdict.removeprefix("verdict: "), Path(bundle.removeprefix("bundle: "))
