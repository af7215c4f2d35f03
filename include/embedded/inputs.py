"""What a person gives to `make run`, checked before anything is contacted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.orchestration.load_text import load_sentence, suite_sentence
from include.loadtest.profile import PROFILES_DIR, Overrides, Profile, find_profile, load_profile, profile_names
from include.loadtest.profile.suites import load_suite, suite_names
from include.loadtest.target.settings import load_target_file, target_names

MANUAL_DAG = "load_test_manual"
SUITE_GROUP = "suite."
"""What the names of a suite's tasks begin with in the manual DAG."""


@dataclass(frozen=True)
class RunInputs:
    """A valid order for one run or one suite: the manual DAG's conf. `target` None: the default one.

    `profile`: the complete profile of one run; None for a suite.
    """

    settings: Mapping[str, Any]
    target: str | None
    profile: Profile | None = None
    ignore_blackout: bool = False
    confirm_production: str | None = None

    @property
    def group(self) -> str:
        """What the names of its tasks begin with: nothing for a run by itself."""
        return SUITE_GROUP if self.settings.get("suite") else ""

    def load_text(self, default_target: str) -> str:
        """What is going to be sent, in words. Raises ConfigError for a wrong target file."""
        if self.profile is None:
            return suite_sentence(load_suite(str(self.settings["suite"])))
        return load_sentence(self.profile, load_target_file(self.target or default_target))

    def conf(self, default_target: str, reason: str) -> dict[str, Any]:
        """The DAG run's conf."""
        common = {"target": self.target or default_target, "reason": reason, "ignore_blackout": self.ignore_blackout}
        return {**self.settings, **common, "confirm_production": self.confirm_production}


def read_inputs(values: Mapping[str, str]) -> RunInputs:
    """Check what Makefile's INPUTS name for a run; an empty one counts as not given.

    Raises ConfigError.
    """
    suite, profile = values.get("SUITE", ""), values.get("PROFILE", "")
    if suite and profile:
        raise ConfigError(f"SUITE={suite} and PROFILE={profile}: give one of them")
    if not (suite or profile):
        names = f"PROFILE={'|'.join(profile_names())} or SUITE={'|'.join(suite_names())}"
        raise ConfigError(f"neither PROFILE nor SUITE is given; write {names}")
    found = _suite_inputs(values, suite) if suite else _profile_inputs(values, profile)
    return replace(
        found,
        target=_target(values.get("TARGET", "")),
        ignore_blackout=_is_yes(values, "IGNORE_BLACKOUT"),
        confirm_production=values.get("CONFIRM_PRODUCTION") or None,
    )


def _suite_inputs(values: Mapping[str, str], name: str) -> RunInputs:
    load_suite(name)
    for fixed in ("USERS", "DURATION_S", "ENGINE", "GENERATORS"):
        if values.get(fixed):
            text = f"{fixed}: a suite fixes it for each of its runs (include/profiles/suites/{name}.yaml); leave it out"
            raise ConfigError(text)
    return RunInputs({"suite": name}, None)


def _profile_inputs(values: Mapping[str, str], name: str) -> RunInputs:
    file = find_profile(name)
    overrides = Overrides(
        users=_whole_number(values, "USERS"),
        duration_s=_whole_number(values, "DURATION_S"),
        engine=values.get("ENGINE") or None,
        generators=_whole_number(values, "GENERATORS"),
    )
    profile = load_profile(file, overrides)
    is_committed = file.parent == PROFILES_DIR and file.stem == name
    settings = {
        "profile": profile.name if is_committed else None,
        "profile_yaml": None if is_committed else file.read_text(encoding="utf-8"),
        "users": overrides.users,
        "duration_s": overrides.duration_s,
        "engine": overrides.engine,
        "generators": overrides.generators,
    }
    return RunInputs(settings, None, profile)


def read_port(values: Mapping[str, str]) -> int | None:
    """AIRFLOW_PORT, None when it is not given. Raises ConfigError."""
    port = _whole_number(values, "AIRFLOW_PORT")
    if port is not None and not 1024 <= port <= 65535:
        raise ConfigError(f"AIRFLOW_PORT: {port} is outside 1024 to 65535")
    return port


def _target(name: str) -> str | None:
    if name and name not in target_names():
        raise ConfigError(f"TARGET: unknown target {name[:80]!r}; {nearest(name, target_names())}")
    return name or None


def _is_yes(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "")
    if text not in ("", "yes", "no"):
        raise ConfigError(f"{name}: {text[:40]!r} is neither yes nor no")
    return text == "yes"


def _whole_number(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ConfigError(f"{name}: {text[:40]!r} is not a whole number; write digits only, such as {name}=30")
    return int(text)
