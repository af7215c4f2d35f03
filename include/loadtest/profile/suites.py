"""Suites: ordered lists of runs, as data. Every number that differs from a profile's own is stated here."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile.loading import PROFILES_DIR, Overrides, find_profile, load_profile
from include.loadtest.profile.model import Profile
from include.loadtest.profile.shape import Frozen
from include.loadtest.profile.yaml_source import YamlSource, model_of, read_yaml

SUITES_DIR = PROFILES_DIR / "suites"


Cadence = Literal["weekly", "monthly", "quarterly"]
"""How often a suite starts by itself; on which nights is the calendar's business."""


class Schedule(Frozen):
    """When a suite starts by itself; a start later than `grace_s` after its slot is refused."""

    cadence: Cadence
    grace_s: Annotated[int, Field(ge=60, le=24 * 3600)]


class SuiteRun(Frozen):
    """One run of a suite: a committed profile, and what is overridden.

    `repeated` false: a suspected regression is noted and not confirmed by repeats, which would take too long.
    """

    profile: str
    users: int | None = None
    duration_s: int | None = None
    engine: str | None = None
    generators: int | None = None
    repeated: bool = True

    @property
    def overrides(self) -> Overrides:
        """What differs from the profile's own numbers."""
        return Overrides(self.users, self.duration_s, self.engine, self.generators)

    def load(self) -> Profile:
        """The complete profile of this run. Raises ConfigError."""
        return load_profile(find_profile(self.profile), self.overrides)


class Suite(Frozen):
    """Runs one after the other, with users that are made before the first and removed after the last.

    `review_days`: a review of capacity, recommendations and the trends of so many days follows the runs; null: none.
    `renews_baselines`: the name of the suite whose latest runs are proposed as new baselines; null: none is.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    purpose: Annotated[str, Field(min_length=1, max_length=500)]
    max_load_s: Annotated[int, Field(ge=1)]
    schedule: Schedule | None = None
    review_days: Annotated[int, Field(ge=7, le=400)] | None = None
    renews_baselines: str | None = None
    runs: Annotated[tuple[SuiteRun, ...], Field(min_length=1)]

    def profiles(self) -> tuple[Profile, ...]:
        """The complete profiles, in order. Raises ConfigError."""
        return tuple(entry.load() for entry in self.runs)


_ENTRIES: dict[str, type[Frozen]] = {"runs": SuiteRun, "schedule": Schedule}
EXAMPLE = "include/profiles/suites/weekly.yaml"


def suite_names() -> list[str]:
    """Names of the committed suites, sorted."""
    return sorted(path.stem for path in SUITES_DIR.glob("*.yaml"))


def most_runs() -> int:
    """Runs of the longest committed suite, without checking them. Raises ConfigError for a file that is no YAML."""
    documents = (read_yaml(SUITES_DIR / f"{name}.yaml").data for name in suite_names())
    return max((len(data.get("runs") or ()) for data in documents if isinstance(data, dict)), default=0)


def load_suite(name: str) -> Suite:
    """A committed suite. Raises ConfigError: unknown name, or `file:line` of what is wrong in it."""
    if name not in suite_names():
        raise ConfigError(f"suite: unknown suite {name[:80]!r}; {nearest(name, suite_names())}")
    suite = read_suite(SUITES_DIR / f"{name}.yaml")
    if suite.name != name:
        raise ConfigError(f"{SUITES_DIR / name}.yaml: name is {suite.name!r}; it must be the file's own name, {name}")
    return suite


def suite_outline(name: str) -> Suite:
    """A committed suite whose runs are not checked: what a form shows. Raises ConfigError with `file:line`."""
    return model_of(read_yaml(SUITES_DIR / f"{name}.yaml"), Suite, _ENTRIES, EXAMPLE)


def read_suite(path: Path) -> Suite:
    """Read and check one file, its profiles and its total load. Raises ConfigError with `file:line`."""
    source = read_yaml(path)
    suite = model_of(source, Suite, _ENTRIES, EXAMPLE)
    _check_runs(source, suite)
    return suite


def _check_runs(source: YamlSource, suite: Suite) -> None:
    seen: set[str] = set()
    total_s = 0.0
    for index, entry in enumerate(suite.runs):
        where = source.where(["runs", index, "profile"])
        if entry.profile in seen:
            raise ConfigError(f"{where}: runs: {entry.profile} stands twice; a suite runs a profile once")
        seen.add(entry.profile)
        try:
            total_s += entry.load().load_s
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
    if total_s > suite.max_load_s:
        raise ConfigError(
            f"{source.where(['max_load_s'])}: the runs' load adds up to {total_s:.0f} s, more than max_load_s "
            f"({suite.max_load_s} s): shorten a run (key duration_s) or raise max_load_s"
        )
