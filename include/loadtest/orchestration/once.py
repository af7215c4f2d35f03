"""A run sends its load once: whoever clears one of its tasks makes no second one."""

import json
from pathlib import Path

from include.loadtest import run
from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.context import RunContext
from include.loadtest.runners.generator import FIRST
from include.loadtest.runners.process import state_file


def refuse_second_load(context: RunContext) -> None:
    """Raise ConfigError where the run has a verdict, or its load has begun: samples of two loads must not mix.

    The bundle answers, so it holds for whoever clears the task, on any machine, and after a process that was killed.
    The refusal is no fault of the run: it stands in the task's log only, and the verdict stays.
    """
    if _has_begun(context):
        raise ConfigError(
            f"run {context.bundle.run_id} has ended or sent its load already, and what it found stays; "
            "a repeat is a new run: trigger it anew"
        )


def _has_begun(context: RunContext) -> bool:
    bundle = context.bundle
    return (
        bundle.has(run.VERDICT)
        or "load" in context.manifest()
        or any(bundle.samples_dir.glob("*.parquet"))
        or _began_to_send(bundle.path / state_file(FIRST))
    )


def _began_to_send(account: Path) -> bool:
    """Whether a generator has noted when its load began, which it does before it has a sample."""
    try:
        return json.loads(account.read_text(encoding="utf-8")).get("started_ns") is not None
    except (OSError, ValueError):
        return False
