"""How a reader of an issue repeats the run."""

import shlex
from collections.abc import Mapping
from typing import Any

from include.loadtest.errors import printable
from include.loadtest.profile import profile_names


def command(parameters: Mapping[str, Any]) -> str:
    """The command that repeats the run, as a shell takes it."""
    overrides = parameters.get("overrides") or {}
    given = {"PROFILE": parameters.get("profile"), "TARGET": parameters.get("target")}
    given |= {name.upper(): overrides.get(name) for name in ("users", "duration_s", "engine")}
    order = ("PROFILE", "USERS", "DURATION_S", "ENGINE", "TARGET")
    values = [f"{name}={shlex.quote(printable(str(given[name]), 200))}" for name in order if given[name] is not None]
    return " ".join(["make run", *values])


def file_needed(parameters: Mapping[str, Any]) -> str:
    """What else it takes: a profile that came as a text with the run has no file here. Empty for a committed one."""
    is_known = str(parameters.get("profile")) in profile_names()
    return "" if is_known else "This profile is none of the committed ones: give its file as `PROFILE`."
