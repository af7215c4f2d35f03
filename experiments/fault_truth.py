"""What was planted in recorded runs: a file beside their bundles, which the diagnosis never sees."""

import json
import os
from pathlib import Path
from typing import Any

from experiments.fault_matrix import Case
from include.loadtest import run

TRUTH = "truth.json"


def read_truth(folder: Path) -> dict[str, dict[str, Any]]:
    """What was planted, by run; empty where nothing was recorded."""
    path = folder / TRUTH
    found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def note_truth(folder: Path, case: Case) -> None:
    """Add a run that was recorded whole."""
    path = folder / TRUTH
    temporary = path.with_name(f".{TRUTH}.{os.getpid()}.tmp")
    truth = {**read_truth(folder), case.name: case.truth()}
    temporary.write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def is_recorded(folder: Path, case: Case) -> bool:
    """Whether a bundle of that very case is there already."""
    return (
        read_truth(folder).get(case.name) == json.loads(json.dumps(case.truth()))
        and (folder / case.name / run.MANIFEST).exists()
    )
