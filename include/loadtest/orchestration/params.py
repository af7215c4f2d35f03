"""The form of a manual run. Airflow checks types and ranges here; preflight checks all of it again."""

from airflow.sdk import Param

from include.loadtest.orchestration.settings import default_target
from include.loadtest.profile import MAX_USERS, profile_names
from include.loadtest.profile.model import MAX_DURATION_S
from include.loadtest.profile.vocabulary import ENGINES
from include.loadtest.target.settings import target_names


def manual_params() -> dict[str, Param]:
    """The fields of the form, in order."""
    return {
        "profile": Param(
            "smoke",
            type="string",
            pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$",
            examples=profile_names(),
            title="Profile",
            description="Users, duration and limits of the run.",
        ),
        "users": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=MAX_USERS,
            title="Users",
            description="Another number of users than the profile's; limits then follow the requirement tables, and "
            "the run is comparable only with runs of the same numbers. Above 100 users a steady load is not judged.",
        ),
        "duration_s": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=MAX_DURATION_S,
            title="Duration in seconds",
            description="Another duration than the profile's: of the hold, ramps come on top; of a spike, all phases.",
        ),
        "engine": Param(
            None,
            type=["null", "string"],
            enum=[None, *ENGINES],
            title="Engine",
            description="Another load generator than the profile's.",
        ),
        **suite_params(),
        "profile_yaml": Param(
            None,
            type=["null", "string"],
            format="multiline",
            maxLength=65536,
            title="Profile as text",
            description="A whole profile as YAML, for a run that no committed profile describes. Its name must be the "
            "one given above.",
        ),
    }


def suite_params() -> dict[str, Param]:
    """The fields of a suite's form: what it runs stands in its file."""
    return {
        "target": Param(
            default_target(),
            type="string",
            enum=target_names(),
            title="Target",
            description="The system under test, from include/profiles/targets. Load goes only to its allowed hosts.",
        ),
        "reason": Param(
            "",
            type="string",
            maxLength=500,
            title="Reason",
            description="Why this run is made; it stands in the manifest.",
        ),
    }
