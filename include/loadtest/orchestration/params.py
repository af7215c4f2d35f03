"""The forms. Airflow checks types and ranges here; preflight checks all of it again."""

from airflow.sdk import Param

from include.loadtest.orchestration.form_text import (
    duration_help,
    profile_help,
    profile_labels,
    suite_labels,
    target_help,
    users_help,
)
from include.loadtest.orchestration.settings import default_target
from include.loadtest.profile import MAX_USERS, profile_names
from include.loadtest.profile.model import MAX_DURATION_S, MAX_GENERATORS
from include.loadtest.profile.suites import suite_names
from include.loadtest.profile.vocabulary import ENGINES
from include.loadtest.target.settings import target_names

PULL_REQUEST_PROFILE = "smoke"
RELEASE_PROFILE = "peak_hours"
PRE_RELEASE_DAG = "load_test_pre_release"


def manual_params() -> dict[str, Param]:
    """The fields of a manual run or suite, in order."""
    return {
        "profile": Param(
            "smoke",
            type=["null", "string"],
            enum=[*profile_names(), None],
            values_display=profile_labels(),
            title="Profile",
            description_md=profile_help(),
        ),
        "suite": Param(
            None,
            type=["null", "string"],
            enum=[None, *suite_names()],
            values_display=suite_labels(),
            title="Suite",
            description="A suite instead of one profile. It fixes its runs' numbers, so the fields for one run do not "
            "count.",
        ),
        **_overrides(),
        **common_params(),
        **_of_this_dag_only(),
    }


def _of_this_dag_only() -> dict[str, Param]:
    """What no other DAG's form has a place for."""
    return {
        "confirm_production": Param(
            None,
            type=["null", "string"],
            maxLength=500,
            title="Confirm production",
            description="Only for a target on a production host: type the name of that host. Who may, stands in the "
            "target's file (production_operators).",
        ),
        "profile_yaml": Param(
            None,
            type=["null", "string"],
            format="multiline",
            maxLength=65536,
            title="Profile as text",
            description="A whole profile as YAML, for a run that no committed profile describes; "
            "include/profiles/smoke.yaml is one to start from. Choose no profile above, or the committed one of "
            "the same name.",
        ),
    }


def _overrides() -> dict[str, Param]:
    return {
        "users": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=MAX_USERS,
            title="Users",
            description=users_help(),
        ),
        "duration_s": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=MAX_DURATION_S,
            title="Duration in seconds",
            description=duration_help(),
        ),
        "engine": Param(
            None,
            type=["null", "string"],
            enum=[None, *ENGINES],
            values_display={"None": "the profile's own"},
            title="Engine",
            description="Another load generator than the profile's. Runs of two engines are never compared.",
        ),
        "generators": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=MAX_GENERATORS,
            title="Generators",
            description="Another number of load generators than the profile's: from 2 on, Locust processes on as many "
            "of Airflow's workers share the users. Each needs a free slot. Runs of another number are never compared.",
        ),
    }


def common_params() -> dict[str, Param]:
    """The fields of every form: a scheduled suite has no others, since what it runs stands in its file."""
    return {
        "target": _target("The system under test, from include/profiles/targets."),
        "reason": Param(  # null, not an empty text: the form takes an empty one of type string for missing
            None,
            type=["null", "string"],
            maxLength=500,
            title="Reason",
            description="Why this run is made; it stands in the manifest.",
        ),
        "ignore_blackout": Param(
            False,
            type="boolean",
            title="Ignore a blackout",
            description="Send load on a day that include/profiles/calendar.yaml keeps free, such as a tax deadline.",
        ),
    }


def _target(description: str) -> Param:
    help_text = target_help(description)
    return Param(default_target(), type="string", enum=target_names(), title="Target", description=help_text)


def pull_request_params() -> dict[str, Param]:
    """The fields of a pull request's run, which is started over the REST API."""
    return {
        **_fixed_profile(PULL_REQUEST_PROFILE),
        "pull_request": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Pull request",
            description="Its number in the repository of connection loadtest_github: it gets one comment, renewed by "
            "each run. Empty: none.",
        ),
        "commit": Param(
            None,
            type=["null", "string"],
            pattern="^[0-9a-f]{40}$",
            title="Commit",
            description="Full SHA of what is tested: it gets a check, or a status. Empty: none.",
        ),
        **common_params(),
    }


def pre_release_params() -> dict[str, Param]:
    """The fields of a run before a release."""
    return {
        "release": Param(
            "unnamed",
            type="string",
            minLength=1,
            maxLength=80,
            title="Release",
            description="Name of the release that the candidate becomes.",
        ),
        **_fixed_profile(RELEASE_PROFILE),
        **common_params(),
        "target": _target("The candidate, from include/profiles/targets."),
        "current_target": Param(
            None,
            type=["null", "string"],
            enum=[None, *target_names()],
            title="Current release",
            description="The target that runs the current release: the candidate is measured in turns with it. Empty: "
            "it is compared with the history only.",
        ),
    }


def _fixed_profile(name: str) -> dict[str, Param]:
    description = "What such a run is: its numbers are comparable only among themselves."
    return {"profile": Param(name, type="string", enum=[name], title="Profile", description=description)}
