"""A run sends its load once, whatever is cleared: the bundle says whether it has begun."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.once import refuse_second_load
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.pipeline import SENDING, run_stage
from include.loadtest.profile import Overrides

pytestmark = pytest.mark.unit
BEGUN: dict[str, Callable[[Bundle], object]] = {
    "a verdict": lambda bundle: bundle.write(run.VERDICT, {"verdict": "PASS", "reasons": []}),
    "a load in the manifest, although it had no request": lambda bundle: bundle.update_manifest(load={"samples": 0}),
    "samples": lambda bundle: _put(bundle.samples_dir / "w0-17-000000.parquet", "rows"),
    "a generator that was killed before its first sample": lambda bundle: _put(
        bundle.path / "generator-w0.json", json.dumps({"started_ns": 17, "completed": False})
    ),
}
NOT_BEGUN: dict[str, Callable[[Bundle], object]] = {
    "nothing": lambda _: None,
    "generators that did not all come": lambda bundle: _put(
        bundle.path / "generator-w0.json", json.dumps({"started_ns": None, "completed": False})
    ),
    "an account that was cut": lambda bundle: _put(bundle.path / "generator-w0.json", '{"star'),
}


def _put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    """A run up to its warm-up."""
    made = RunContext(
        bundle=Bundle(tmp_path / "smoke-1"), bundle_uri="smoke-1", target_name="demo", load_target=None, history_url="",
        work_dir=tmp_path / "work", owner="test", order=RunOrder("smoke", None, Overrides(), "demo", "test"),
    )  # fmt: skip
    made.bundle.update_manifest(profile={}, seed={"usable": [1]})
    return made


@pytest.mark.parametrize("left", BEGUN)
@pytest.mark.parametrize("name", sorted(SENDING))
def test_a_cleared_stage_sends_no_second_load(context: RunContext, name: str, left: str) -> None:
    """One line says what to do instead; no file of the bundle changes, so neither samples nor verdict do."""
    BEGUN[left](context.bundle)
    before = {path: path.read_bytes() for path in context.bundle.path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=r"^run smoke-1 has ended or sent its load already, .* trigger it anew$"):
        run_stage(context, name)
    assert {path: path.read_bytes() for path in context.bundle.path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("left", NOT_BEGUN)
def test_a_run_that_has_sent_nothing_may_begin(context: RunContext, left: str) -> None:
    """A task that failed before its load is cleared for good reason."""
    NOT_BEGUN[left](context.bundle)
    refuse_second_load(context)
