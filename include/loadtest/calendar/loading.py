"""From calendar.yaml, or the file that takes its place, to a Calendar."""

import os
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel

from include.loadtest.calendar.deadlines import ONE_DAY
from include.loadtest.calendar.model import CalendarFile, Rule, Window
from include.loadtest.calendar.nights import MAX_MOVE_DAYS, Calendar
from include.loadtest.errors import ConfigError
from include.loadtest.profile.loading import PROFILES_DIR
from include.loadtest.profile.yaml_source import YamlSource, model_of, read_yaml

CALENDAR_FILE = PROFILES_DIR / "calendar.yaml"
PATH_VARIABLE = "LOADTEST_CALENDAR"
EXAMPLE = "include/profiles/calendar.yaml"
_ENTRIES: dict[str, type[BaseModel]] = {"rules": Rule, "extra": Window}


def load_calendar() -> Calendar:
    """The calendar in force; a file that has changed is read anew. Raises ConfigError as `read_calendar` does."""
    path = Path(os.environ.get(PATH_VARIABLE) or CALENDAR_FILE)
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check {PATH_VARIABLE}") from error
    return _cached(path, changed_ns)


@lru_cache(maxsize=4)
def _cached(path: Path, _changed_ns: int) -> Calendar:
    return read_calendar(path)


def read_calendar(path: Path) -> Calendar:
    """Read and check one file. Raises ConfigError with `file:line`."""
    source = read_yaml(path)
    file = model_of(source, CalendarFile, _ENTRIES, EXAMPLE)
    _check_names(source, file)
    _check_windows(source, file)
    return Calendar(file, str(path))


def _check_names(source: YamlSource, file: CalendarFile) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(file.rules):
        if rule.name in seen:
            raise ConfigError(f"{source.where(['rules', index, 'name'])}: {rule.name} stands twice; rename one")
        seen.add(rule.name)


def _check_windows(source: YamlSource, file: CalendarFile) -> None:
    """Windows that touch or overlap count together; a slip in a year is found here and not when a run is due."""
    begin = end = None
    for index, window in sorted(enumerate(file.extra), key=lambda entry: entry[1].first):
        if begin is None or end is None or window.first > end + ONE_DAY:
            begin, end = window.first, window.last
        end = max(end, window.last)
        if (end - begin).days >= MAX_MOVE_DAYS:
            raise ConfigError(
                f"{source.where(['extra', index])}: extra: {begin} to {end} leaves no free night for more than "
                f"{MAX_MOVE_DAYS} days; shorten it, or pause the DAGs for so long"
            )
