"""The words of the trigger forms, made from the committed profiles, suites and targets. No heavy imports.

A file that cannot be read is named in its place: it must not take the forms of the others away.
"""

from collections.abc import Mapping
from functools import cache

from include.loadtest.errors import ConfigError, printable
from include.loadtest.orchestration.load_text import (
    about,
    estimate_of,
    llm_calls,
    load_sentence,
    rate_text,
    suite_sentence,
    time_text,
    users_text,
)
from include.loadtest.profile import MAX_USERS, Profile, find_profile, load_profile, profile_names
from include.loadtest.profile.reference import requirements
from include.loadtest.profile.suites import SuiteRun, suite_names, suite_outline
from include.loadtest.target.settings import load_target_file, target_names

AS_TEXT = "the profile as text, below"
"""What the form shows where no committed profile is chosen."""
_MAX_ERROR = 200


@cache
def _committed() -> Mapping[str, Profile | str]:
    """The committed profiles by name, or what is wrong with one: a broken file must not take the form away."""
    return {name: _profile_or_error(name) for name in profile_names()}


def _profile_or_error(name: str) -> Profile | str:
    try:
        return load_profile(find_profile(name))
    except ConfigError as error:
        return str(error)


def profile_labels() -> dict[str, str]:
    """What the form's list shows, by value: a profile with its users and minutes."""
    return {name: _label(name, found) for name, found in _committed().items()} | {"None": AS_TEXT}


def _label(name: str, found: Profile | str) -> str:
    if isinstance(found, str):
        return f"{name} (cannot be read)"
    most = "at most " if found.checks else ""
    return f"{name}: {users_text(found)}, {most}{time_text(found.load_s)}"


def manual_doc(doc: str | None) -> str:
    """The DAG's documentation: `doc`, and the load of each committed profile in words."""
    lines = [
        f"- **{name}**:{load_sentence(found).partition(':')[2]}"
        if isinstance(found, Profile)
        else f"- **{name}** cannot be read: {printable(found, _MAX_ERROR)}"
        for name, found in _committed().items()
    ]
    return "\n".join([doc or "", "", "**What each profile sends**", "", *lines])


def profile_help() -> str:
    """Markdown: what the field means, and how much each committed profile sends."""
    rows = [_row(name, found) for name, found in _committed().items() if isinstance(found, Profile)]
    return "\n".join(
        [
            f"Users, duration and limits of the run; “{AS_TEXT}”: the name is the one that stands in the text.",
            "",
            "| profile | requests | a user and minute | calls of the LLM |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "Requests: from the profile's own minimum throughput (without one: every answer takes its whole time-out) "
            "to no waiting for answers at all. Calls of the LLM: from new questions only to nothing from the cache; "
            "the warm-up's come on top, and a target may ask more than once a question. Preflight logs the same for "
            "the chosen target before anything is sent.",
        ]
    )


def _row(name: str, profile: Profile) -> str:
    estimate, calls = estimate_of(profile), llm_calls(profile, None)
    if estimate is None or calls is None:
        return f"| {name} | what its checks need | – | some |"
    a_user = _range(estimate.least_a_user_rpm, estimate.most_a_user_rpm)
    return f"| {name} | {_range(estimate.least, estimate.most)} | {a_user} | {_range(*calls)} |"


def _range(least: float, most: float | None) -> str:
    return f"{about(least)} – {'no bound' if most is None else about(most)}"


def suite_labels() -> dict[str, str]:
    """What the form's list of suites shows, by value."""
    return {name: _suite_label(name) for name in suite_names()} | {"None": "no suite: one profile"}


def _suite_label(name: str) -> str:
    try:
        suite = suite_outline(name)
        return suite_sentence(suite, [_of_run(entry) for entry in suite.runs]).rstrip(".")
    except ConfigError:
        return f"{name} (cannot be read)"


def _of_run(entry: SuiteRun) -> Profile:
    """The profile of a suite's run; one without overrides is read once for all suites."""
    found = None if entry.overrides.changed else _committed().get(entry.profile)
    return found if isinstance(found, Profile) else entry.load()


def users_help() -> str:
    """What another number of users does; the lower rate is that of the profiles with a minimum throughput."""
    known = [estimate_of(one) for one in _committed().values() if isinstance(one, Profile)]
    rate = rate_text([one for one in known if one is not None and one.keeps_minimum])
    return (
        f"Another number of users than the profile's, 1 to {MAX_USERS}: {rate}, by profile and by how fast the target "
        "answers. Limits then follow the requirement tables, and the run is comparable only with runs of the same "
        f"numbers. Above {requirements().by_users[-1].users} users a steady load is not judged."
    )


def duration_help() -> str:
    """What another duration does."""
    return (
        "Another duration than the profile's: of the hold, ramps come on top; of a spike, all phases. Requests and "
        "calls of the LLM grow with it: twice as long is twice as many. A run of another duration is compared with "
        "others of that duration only."
    )


def target_help(purpose: str) -> str:
    """What a target is, and where load may go for each: the allow-lists as they stand in the targets' files."""
    hosts = "; ".join(f"{name}: {_hosts(name)}" for name in target_names())
    return (
        f"{purpose} Load goes to hosts of its allow-list only, whatever its connection says ({hosts}); "
        "preflight refuses another one before anything is sent."
    )


def _hosts(name: str) -> str:
    try:
        return ", ".join(load_target_file(name).allowed_hosts)
    except ConfigError:
        return "its file cannot be read"
