"""The engine of a profile sends its load."""

from pathlib import Path

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.vocabulary import ENGINES
from include.loadtest.runners import k6
from include.loadtest.runners.engines import RUNNERS, check_engine
from include.loadtest.runners.generator import ORDERLY_EXITS, exit_meaning
from include.loadtest.runners.k6 import check_k6

pytestmark = pytest.mark.unit


def profile_with(**changes: object) -> Profile:
    return Profile.model_validate(load_profile(find_profile("smoke")).model_dump() | changes)


def test_every_engine_has_a_runner_and_its_orderly_exits() -> None:
    """A name that a profile may have is one that can be run."""
    assert set(RUNNERS) == set(ENGINES) == set(ORDERLY_EXITS)


@pytest.mark.parametrize(
    ("engine", "code", "text"),
    [
        ("k6", 99, "exit code 99 (one of k6's own thresholds was crossed)"),
        ("k6", 104, "exit code 104 (k6 was configured wrongly)"),
        ("k6", 105, "exit code 105 (k6 was told to end by a signal)"),
        ("k6", 107, "exit code 107 (the script raised an error)"),
        ("k6", 137, "exit code 137 (ended by signal 9)"),
        ("locust", 1, "exit code 1 (a request failed)"),
        ("locust", -9, "exit code -9 (ended by signal 9)"),
        ("locust", 77, "exit code 77"),
    ],
)
def test_an_exit_code_is_explained(engine: str, code: int, text: str) -> None:
    """For people only."""
    assert exit_meaning(engine, code) == text


def test_a_machine_without_k6_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither beside this Python nor on PATH: what to do; the other engine needs none."""
    monkeypatch.setattr(k6.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        check_engine(profile_with(engine="k6"))
    assert str(caught.value).startswith("engine k6: no program k6")
    assert "ENGINE=locust" in str(caught.value)
    assert "\n" not in str(caught.value)
    check_engine(profile_with(engine="locust"))


def test_a_k6_on_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For platforms for which PyPI has none."""
    own = tmp_path / "bin" / "k6"
    own.parent.mkdir()
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setattr(k6.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(own.parent))
    assert k6.find_k6() == str(own)


@pytest.mark.parametrize(
    ("script", "mode", "text"),
    [
        ("echo 'k6 v2.0.0 (go1.30, linux/amd64)'", 0o755, "says that it is v2.0.0, and this project knows"),
        ("echo 'k6 v0.57.0 (go1.24)'", 0o755, "says that it is v0.57.0, and this project knows"),
        ("printf '\\377 something else'", 0o755, "says that it is unknown, and this project knows"),
        ("exit 3", 0o755, "version` failed (CalledProcessError)"),
        ("sleep 30", 0o755, "version` failed (TimeoutExpired)"),
        ("echo 'k6 v1.1.0'", 0o644, "version` failed (PermissionError)"),
    ],
)
def test_a_k6_that_is_not_the_known_one_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, mode: int, text: str
) -> None:
    """Another major version, another program, one that fails, hangs or cannot be started: before anything is sent."""
    own = tmp_path / "k6"
    own.write_text(f"#!/bin/sh\n{script}\n")
    own.chmod(mode)
    monkeypatch.setattr(k6.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(k6, "VERSION_WITHIN_S", 1)
    with pytest.raises(ConfigError) as caught:
        check_engine(profile_with(engine="k6"))
    assert str(caught.value).startswith("engine k6: ")
    assert text in str(caught.value)
    assert "ENGINE=locust" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_scenario_without_a_function_for_k6_is_told_in_one_line(tmp_path: Path) -> None:
    """File and function to add; a scenario without a card needs none."""
    script = tmp_path / "scenarios.js"
    script.write_text("export function simple_query(user) {\n}\n// export function complex_query(user)\n")
    check_k6(profile_with(mix_pct={"simple_query": 100, "complex_query": 0}, slos=()), script)
    with pytest.raises(ConfigError) as caught:
        check_k6(profile_with(mix_pct={"simple_query": 50, "complex_query": 50}, slos=()), script)
    assert "include/k6/scenarios.js has no function for the scenario complex_query" in str(caught.value)
    assert "`export function complex_query(user)`" in str(caught.value)
