"""The command: its exit codes, and that standard output holds nothing but lines of measures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.integration
MADE = """
import logging, sys, types
import experiments.bench.__main__ as command
from experiments.bench.measure import Measure
module = types.ModuleType("experiments.bench.k6")
def measures(say):
    logging.getLogger("loadtest").warning("a line of a log")
    say("a line of progress")
    yield Measure("a", "b", "c", 2.0, "<= 1", False)
    {then}
module.measures = measures
sys.modules["experiments.bench.k6"] = module
raise SystemExit(command.main("k6"))
"""
LINES = ["name | measured | peer | ratio | goal | ok", "a | b | c | 2.000 | <= 1 | missed"]


def run(*arguments: str, **inputs: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ONLY": "", "SAMPLES": "", **inputs}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_bad_input_is_one_line_and_exit_code_2() -> None:
    """Nothing runs."""
    ended = run("-m", "experiments.bench", ONLY="memories")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "ONLY: unknown experiment 'memories'; did you mean memory?\n"
    ended = run("-m", "experiments.bench", SAMPLES="many")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith("SAMPLES: 'many' is no whole number")


def test_a_missed_goal_is_printed_and_no_failure() -> None:
    """Logs and progress go to standard error."""
    ended = run("-c", MADE.format(then=""))
    assert (ended.returncode, ended.stdout.splitlines()) == (0, LINES)
    assert "a line of a log" in ended.stderr
    assert "a line of progress" in ended.stderr


def test_what_cannot_be_measured_is_a_failure() -> None:
    """What was measured before is there; the reason is on standard error."""
    ended = run("-c", MADE.format(then="raise RuntimeError('the target did not start')"))
    assert (ended.returncode, ended.stdout.splitlines()) == (1, LINES)
    assert "bench k6 could not be measured: RuntimeError: the target did not start" in ended.stderr
