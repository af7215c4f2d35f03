"""A planted fault happens in its stage and nowhere else, and is counted."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments.injection import Fault, arm, fired, plant

pytestmark = pytest.mark.unit


@pytest.fixture
def pipeline(tmp_path: Path) -> SimpleNamespace:
    module = SimpleNamespace(
        STAGES={name: lambda context, name=name: context.append(name) for name in ("warm_cache", "publish")},
        check_target=lambda: None,
        seed_users=lambda: None,
        close=lambda context: context.append("gate"),
    )
    arm(module, tmp_path)
    return module


def test_an_exception_takes_the_place_of_its_stage_only(pipeline, tmp_path: Path) -> None:
    """The other stages run, and it is over when the fault is taken away."""
    done: list[str] = []
    plant(tmp_path, Fault("publish", "exception"))
    pipeline.STAGES["warm_cache"](done)
    with pytest.raises(RuntimeError, match="planted exception in publish"):
        pipeline.STAGES["publish"](done)
    assert (done, fired(tmp_path)) == (["warm_cache"], 1)
    plant(tmp_path, None)
    pipeline.STAGES["publish"](done)
    pipeline.close(done)
    assert (done, fired(tmp_path)) == (["warm_cache", "publish", "gate"], 0)


def test_a_fault_within_a_stage_waits_for_its_place(pipeline, tmp_path: Path) -> None:
    """The users are made before the fault; the check of the target is not made any more."""
    plant(tmp_path, Fault.worst("seed_users", "exception"))
    pipeline.check_target()
    with pytest.raises(RuntimeError, match="planted exception in seed_users"):
        pipeline.seed_users()
