"""What a step says to GitHub: annotations in its log, values for later steps, the job's summary."""

import os
import sys
from pathlib import Path
from typing import Literal


def say(text: str) -> None:
    """A line of the log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def annotate(level: Literal["notice", "warning", "error"], text: str) -> None:
    """An annotation on the run's page. Line ends and per cent signs are escaped, so that `text` commands nothing."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    say(f"::{level}::{escaped}")


def set_output(name: str, value: str) -> None:
    """An output of the step. Raises ValueError for a value of several lines: it could set other outputs."""
    if len(f"{value}x".splitlines()) > 1:
        raise ValueError(f"output {name}: a value is one line")
    _append("GITHUB_OUTPUT", f"{name}={value}\n")


def add_summary(markdown: str) -> None:
    """A part of the summary on the run's page."""
    _append("GITHUB_STEP_SUMMARY", f"{markdown}\n")


def _append(variable: str, text: str) -> None:
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(text)
