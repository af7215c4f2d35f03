"""The scenarios of a load, found by their names."""

import subprocess
import sys
from pathlib import Path

import pytest

from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.scenarios import scenario_names
from include.locustfiles.registry import called, next_calls

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PROBE = """
import sys
from include.loadtest.profile import find_profile, load_profile
from include.locustfiles.registry import next_calls
mix_pct = {"user_operations": 100, "simple_query": 0}
next_calls(load_profile(find_profile("smoke")).model_copy(update={"mix_pct": mix_pct}))
print(sorted(name for name in sys.modules if name.startswith("include.locustfiles.")))
"""


def with_mix(**shares: int) -> Profile:
    return load_profile(find_profile("smoke")).model_copy(update={"mix_pct": shares})


def test_every_scenario_that_a_profile_may_name_can_be_called() -> None:
    """What the parser takes for a scenario is one for Locust too."""
    for name in scenario_names():
        assert callable(next_calls(with_mix(**{name: 100}))[name])


def test_only_scenarios_with_a_share_are_imported() -> None:
    """A broken file of another profile does not stop this one's load."""
    probe = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert probe.returncode == 0, probe.stderr
    imported = probe.stdout
    assert "user_operations" in imported
    assert "simple_query" not in imported
    assert "studio_settings" not in imported


def test_a_scenario_whose_file_is_gone_is_an_error() -> None:
    """The load does not start without it."""
    with pytest.raises(ImportError):
        next_calls(with_mix(long_gone=100))


def test_what_is_no_call_is_named() -> None:
    """A scenario that forgot to return one is told so, in words of its own author."""
    with pytest.raises(TypeError, match=r"^next_call gave NoneType, not a Call$"):
        called(None)
