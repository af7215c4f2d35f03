"""From a profile's name, file or text to a Profile, or to one line that says what is wrong and where."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError

from include.loadtest.errors import ConfigError, nearest, printable
from include.loadtest.profile.checks import refuse_overrides, slowest_requirement_s
from include.loadtest.profile.explaining import explained_line
from include.loadtest.profile.model import MAX_DURATION_S, MAX_GENERATORS, MAX_USERS, Profile
from include.loadtest.profile.reference import requirements
from include.loadtest.profile.scenarios import check_scenarios
from include.loadtest.profile.shape import Steady
from include.loadtest.profile.slo import Slo
from include.loadtest.profile.vocabulary import ENGINES, Level
from include.loadtest.profile.yaml_source import YamlSource, parse_yaml, read_yaml

MAX_PATH_CHARS = 1000
FEW_USERS = 10
PROFILES_DIR = Path(__file__).parents[2] / "profiles"
NO_PROFILES = frozenset({"calendar", "costs", "housekeeping", "optimisations", "thresholds", "tickets"})
"""Files that lie beside the profiles and are none."""
_BY_USERS_METRICS = frozenset(
    {"latency_p95_ms", "latency_p99_ms", "error_rate", "throughput_rpm", "throughput_worst_minute_rpm"}
)
NO_LIMITS_NOTE = "No limits are defined above 100 users: this run measures, and judges nothing."


@dataclass(frozen=True)
class Overrides:
    """What a person may change for one run; None leaves the profile's own value."""

    users: int | None = None
    duration_s: int | None = None
    engine: str | None = None
    generators: int | None = None

    def check(self) -> None:
        """Raise ConfigError for a value outside its range."""
        if self.users is not None and not 1 <= self.users <= MAX_USERS:
            raise ConfigError(f"users: {self.users} is outside 1 to {MAX_USERS} (there are {MAX_USERS} test users)")
        if self.duration_s is not None and not 1 <= self.duration_s <= MAX_DURATION_S:
            raise ConfigError(f"duration_s: {self.duration_s} is outside 1 to {MAX_DURATION_S} seconds")
        if self.engine is not None and self.engine not in ENGINES:
            raise ConfigError(f"engine: unknown engine {self.engine!r}; {nearest(self.engine, ENGINES)}")
        if self.generators is not None and not 1 <= self.generators <= MAX_GENERATORS:
            raise ConfigError(f"generators: {self.generators} is outside 1 to {MAX_GENERATORS}")

    @property
    def changed(self) -> dict[str, int | str]:
        """The values that are set, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


MAX_SHOWN = 80
"""Characters of a wrong name that a message repeats."""


def profile_names() -> list[str]:
    """Names of the committed profiles, sorted."""
    return sorted(path.stem for path in PROFILES_DIR.glob("*.yaml") if path.stem not in NO_PROFILES)


def find_profile(name_or_path: str) -> Path:
    """The file of a committed profile's name, or of a path (with a slash or ending in .yaml). Raises ConfigError."""
    if not name_or_path.strip():
        raise ConfigError(f"profile: no name given; valid: {', '.join(profile_names())}")
    if "\x00" in name_or_path:
        raise ConfigError("profile: a name cannot contain a NUL character")
    if "/" in name_or_path or name_or_path.endswith((".yaml", ".yml")):
        path = Path(name_or_path)
        if len(name_or_path) > MAX_PATH_CHARS:
            raise ConfigError(
                f"profile: a path of {len(name_or_path)} characters is too long (at most {MAX_PATH_CHARS})"
            )
        if not path.is_file():
            hint = "it is a folder" if path.is_dir() else "no such file"
            shown, known = printable(name_or_path, MAX_PATH_CHARS), ", ".join(profile_names())
            raise ConfigError(f"{shown}: {hint}; give a YAML file or one of: {known}")
        return path
    if name_or_path not in profile_names():
        raise unknown_profile(name_or_path)
    return PROFILES_DIR / f"{name_or_path}.yaml"


def unknown_profile(name: str) -> ConfigError:
    """What is said of a name that no committed profile has."""
    return ConfigError(f"profile: unknown profile {name[:MAX_SHOWN]!r}; {nearest(name, profile_names())}")


def load_profile(path: Path, overrides: Overrides | None = None) -> Profile:
    """Read, complete and check a profile file. Raises ConfigError with `file:line`."""
    return build_profile(read_yaml(path), overrides)


def load_profile_text(text: str, name: str, overrides: Overrides | None = None) -> Profile:
    """The same for a profile given as text; `name` stands for the file in messages."""
    return build_profile(parse_yaml(text, name), overrides)


def build_profile(source: YamlSource, overrides: Overrides | None = None) -> Profile:
    """Check a parsed document, fill in shared limits, apply overrides. Raises ConfigError with `file:line`."""
    data = _mapping(source)
    overrides = overrides or Overrides()
    overrides.check()
    check_scenarios(source, data.get("mix_pct"))
    levels = Levels(_level(source, data, "scenario_limits"), _level(source, data, "resource_limits"))
    own = _validated(source, requirements().completed(_with_users(data)))
    return _completed(source, own, levels, overrides)


def _mapping(source: YamlSource) -> dict[str, Any]:
    if source.data is None:
        raise ConfigError(f"{source.name}:1: the file is empty; start from include/profiles/smoke.yaml")
    if not isinstance(source.data, dict):
        raise ConfigError(f"{source.name}:1: expected keys and values (name: …), found a {type(source.data).__name__}")
    return dict(source.data)


def _with_users(data: dict[str, Any]) -> dict[str, Any]:
    """Arrivals on a schedule have at most so many users, and the profile says it once."""
    arrival = data.get("arrival")
    if isinstance(arrival, dict) and "users" not in data and "max_users" in arrival:
        return {**data, "users": arrival["max_users"]}
    return data


@dataclass(frozen=True)
class Levels:
    """How strictly a profile takes the limits that all profiles share."""

    scenario_limits: Level
    resource_limits: Level


def _level(source: YamlSource, data: dict[str, Any], key: str) -> Level:
    level = data.pop(key, None)
    if level not in get_args(Level):
        raise ConfigError(f"{source.where([key])}: {key} is {level!r}; write critical or warning")
    return cast("Level", level)


def _validated(source: YamlSource, data: dict[str, Any]) -> Profile:
    try:
        return Profile.model_validate(_tuples(data))
    except ValidationError as error:
        raise ConfigError(explained_line(source, error)) from error


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    """YAML has lists where the frozen models have tuples."""
    return {
        key: tuple(value) if key in ("slos", "notes") and isinstance(value, list) else value
        for key, value in data.items()
    }


def _completed(source: YamlSource, own: Profile, levels: Levels, overrides: Overrides) -> Profile:
    """The profile with the shared limits and time-outs filled in, and what a person overrode."""
    refuse_overrides(own.name, own.checks, overrides.changed)
    users = overrides.users or own.users
    duration_s = overrides.duration_s or own.duration_s
    slos, notes = _own_limits(own, users)
    if slos:
        given = {slo["scope"] for slo in slos if slo["metric"] == "latency_p95_ms"}
        shared = requirements().scenario_slos(levels.scenario_limits, own.scenario_shares)
        slos += [slo for slo in shared if slo["scope"] not in given]
        slos += requirements().resource_slos(levels.resource_limits)
    if duration_s != own.duration_s:
        notes.append(f"Duration overridden ({own.duration_s} s → {duration_s} s): compared with runs of it only.")
    changed = {
        "users": users,
        "arrival": None if own.arrival is None else own.arrival.model_copy(update={"max_users": users}).model_dump(),
        "duration_s": duration_s,
        "engine": overrides.engine or own.engine,
        "generators": overrides.generators or own.generators,
        "throughput_target_rpm": requirements().target_rpm(users) if isinstance(own.shape, Steady) else None,
        "stall_limit_s": _stall_limit_s(own, users),
        "stage_timeouts_s": requirements().stage_timeouts_s | own.stage_timeouts_s,
        "slos": tuple(slos),
        "notes": (*own.notes, *notes),
    }
    return _validated(source, own.model_dump() | changed)


def _stall_limit_s(own: Profile, users: int) -> float:
    """Few users may all wait for a slow answer, which is no stall: one has to be longer than any scenario may take."""
    if own.checks is not None:
        return max(own.stall_limit_s, slowest_requirement_s(own.slos))
    if users >= FEW_USERS:
        return own.stall_limit_s
    stated = {slo.scope.partition(":")[2]: slo.limit for slo in own.slos if slo.metric == "latency_p95_ms"}
    limits_ms = requirements().scenario_p95_ms | stated
    slowest_ms = max((limit for name, limit in limits_ms.items() if own.mix_pct.get(name)), default=0.0)
    return max(own.stall_limit_s, slowest_ms / 1000)


def _own_limits(own: Profile, users: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Limits of the profile for that many users, and what to say of an override.

    A steady load with other users takes its row of the table; steps and spikes are judged by how they degrade and
    recover, which does not hang on the number of users, and arrivals on a schedule come whoever is there.
    """
    slos = [slo.model_dump() for slo in own.slos]
    if users == own.users:
        return slos, []
    notes = [f"Users overridden ({own.users} → {users}): comparable only with runs of the same numbers."]
    if not isinstance(own.shape, Steady) or own.arrival is not None:
        return slos, notes
    by_users = requirements().slos_for_users(users)
    if by_users is None:
        return [], [*notes, NO_LIMITS_NOTE]
    kept = [slo for slo in slos if slo["metric"] not in _BY_USERS_METRICS or slo["scope"] != "all"]
    return [*(Slo.model_validate(slo).model_dump() for slo in by_users), *kept], notes
