"""A DAG run's parameters become one checked order."""

from types import SimpleNamespace

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.profile import find_profile

pytestmark = pytest.mark.unit
PARAMS = {"profile": "smoke", "users": None, "duration_s": None, "engine": None, "target": "demo", "reason": "why"}


def test_a_committed_profile_with_overrides() -> None:
    """Parameters that are set change the profile; the others leave it."""
    order = RunOrder.from_params({**PARAMS, "users": 5})
    profile = order.load_profile()
    assert (profile.name, profile.users, profile.duration_s) == ("smoke", 5, 60)
    assert order.document()["overrides"] == {"users": 5}


def test_a_profile_given_as_text_must_carry_the_name() -> None:
    """Otherwise the run's name would say something else than what ran."""
    text = find_profile("smoke").read_text(encoding="utf-8")
    assert RunOrder.from_params({**PARAMS, "profile_yaml": text}).load_profile().name == "smoke"
    renamed = text.replace("name: smoke", "name: mine")
    with pytest.raises(ConfigError, match="its name is 'mine', but profile says 'smoke'"):
        RunOrder.from_params({**PARAMS, "profile_yaml": renamed}).load_profile()


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("name: mine\n", "mine", "scenario_limits"),
        ("", "profile_yaml", "none is chosen, and none is given as text"),
        ("name: [", "profile_yaml", "profile_yaml:1: not valid YAML"),
        ("name: Not A Name\n", "profile_yaml", "scenario_limits"),
        ("- smoke\n", "profile_yaml", "expected keys and values"),
    ],
)
def test_without_a_chosen_profile_the_text_has_the_name(text: str, name: str, said: str) -> None:
    """What is no profile has a stand-in for it, so that the run has an id, and one line says what is wrong."""
    order = RunOrder.from_params({**PARAMS, "profile": None, "profile_yaml": text})
    assert order.profile == name
    with pytest.raises(ConfigError, match=said):
        order.load_profile()


def test_a_text_of_another_name_runs_without_a_chosen_profile() -> None:
    """Nobody has to write its name twice."""
    text = find_profile("smoke").read_text(encoding="utf-8").replace("name: smoke", "name: mine")
    order = RunOrder.from_params({**PARAMS, "profile": None, "profile_yaml": text})
    assert (order.profile, order.load_profile().name) == ("mine", "mine")


def test_only_a_plain_yes_ignores_a_blackout() -> None:
    """Neither a missing field nor a text that means something to somebody."""
    assert RunOrder.from_params({**PARAMS, "ignore_blackout": True}).ignore_blackout is True
    assert not any(RunOrder.from_params({**PARAMS, "ignore_blackout": value}).ignore_blackout for value in (None, "no"))


def test_a_release_and_its_rival_stand_in_the_manifest() -> None:
    """Which release was tested against which target is what an approval rests on."""
    order = RunOrder.from_params({**PARAMS, "release": "2.0", "current_target": "demo"})
    assert (order.document()["release"], order.document()["current_target"]) == ("2.0", "demo")
    assert RunOrder.from_params(PARAMS).document()["current_target"] is None


@pytest.mark.parametrize(
    ("run_type", "dag_id", "params", "files"),
    [
        ("scheduled", "load_test_weekly", {"duration_s": 60}, True),
        ("manual", "load_test_weekly", {}, False),
        ("manual", "load_test_pre_release", {}, True),
        ("manual", "load_test_pre_release", {"users": 5}, False),
        ("manual", "load_test_manual", {}, False),
    ],
)
def test_only_scheduled_runs_and_those_before_a_release_file_issues(
    run_type: str, dag_id: str, params: dict, files: bool
) -> None:
    """A suite's own numbers are its test; a rehearsal before a release is none of the profile's."""
    from include.loadtest.orchestration.airflow_context import files_tickets

    dag_run = SimpleNamespace(run_type=run_type, dag_id=dag_id)
    assert files_tickets(dag_run, RunOrder.from_params({**PARAMS, **params})) is files


def test_a_pull_request_and_its_commit_say_where_the_verdict_is_told() -> None:
    """Both may be missing: then nobody is told."""
    order = RunOrder.from_params({**PARAMS, "pull_request": 12, "commit": "a" * 40})
    assert (order.pull_request, order.commit) == (12, "a" * 40)
    assert RunOrder.from_params({**PARAMS, "commit": ""}).commit is None
