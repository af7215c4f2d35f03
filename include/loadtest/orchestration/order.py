"""What one run was asked to be: the DAG run's parameters or a suite's entry, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.loadtest.errors import ConfigError
from include.loadtest.profile import (
    Overrides,
    Profile,
    find_profile,
    load_profile,
    load_profile_text,
    profile_names,
    unknown_profile,
)
from include.loadtest.profile.model import PROFILE_NAME
from include.loadtest.profile.suites import SuiteRun
from include.loadtest.profile.yaml_source import parse_yaml

UNNAMED = "profile_yaml"
"""What a run is called whose profile is given as text and cannot be read."""


@dataclass(frozen=True)
class RunOrder:
    """One run's parameters; None leaves a value to the profile.

    `release` names what is tested before its release; `current_target` is the target that runs the current one, with
    which the candidate is measured in turns. `ignore_blackout`: a person wants load on a day that the calendar keeps
    free. `pull_request` and `commit`: where a pull request's run is told, its number and the full SHA.
    """

    profile: str
    profile_yaml: str | None
    overrides: Overrides
    target: str
    reason: str
    ignore_blackout: bool = False
    release: str | None = None
    current_target: str | None = None
    pull_request: int | None = None
    commit: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "RunOrder":
        """From a DAG run's parameters, whose types the form has checked. Without a profile's name it is the text's."""
        return cls(
            profile=str(params["profile"] or _name_in(params.get("profile_yaml"))),
            profile_yaml=params.get("profile_yaml") or None,
            overrides=Overrides(*(params.get(name) for name in ("users", "duration_s", "engine", "generators"))),
            release=params.get("release") or None,
            current_target=params.get("current_target") or None,
            pull_request=params.get("pull_request"),
            commit=params.get("commit") or None,
            **_common(params),
        )

    @classmethod
    def from_suite(cls, entry: SuiteRun, params: Mapping[str, Any]) -> "RunOrder":
        """One run of a suite: the suite says what, the DAG run's parameters say where and why."""
        return cls(profile=entry.profile, profile_yaml=None, overrides=entry.overrides, **_common(params))

    def load_profile(self) -> Profile:
        """The complete profile. Raises ConfigError; a given text must carry the profile's name."""
        if self.profile_yaml is None and self.profile == UNNAMED:
            raise ConfigError("profile: none is chosen, and none is given as text (profile_yaml); do one of both")
        if self.profile_yaml is None:
            if self.profile not in profile_names():  # a path would be read from the worker's disk
                raise unknown_profile(self.profile)
            return load_profile(find_profile(self.profile), self.overrides)
        profile = load_profile_text(self.profile_yaml, "profile_yaml", self.overrides)
        if profile.name != self.profile:
            raise ConfigError(
                f"profile_yaml: its name is {profile.name!r}, but profile says {self.profile!r}; make them equal"
            )
        return profile

    def document(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "profile": self.profile,
            "overrides": self.overrides.changed,
            "target": self.target,
            "reason": self.reason,
            "ignore_blackout": self.ignore_blackout,
            "release": self.release,
            "current_target": self.current_target,
            "pull_request": self.pull_request,
            "commit": self.commit,
        }


def _name_in(text: str | None) -> str:
    """The name of a profile that is given as text.

    What is no profile has a stand-in for a name, so that the run has an id: preflight says what is wrong.
    """
    try:
        data = parse_yaml(text or "", "profile_yaml").data
    except ConfigError:
        return UNNAMED
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) and re.fullmatch(PROFILE_NAME, name) else UNNAMED


def _common(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "target": str(params["target"]),
        "reason": str(params.get("reason") or ""),
        "ignore_blackout": params.get("ignore_blackout") is True,
    }
