import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("suite", max_examples=40, deadline=None)
settings.load_profile("suite")  # a third of the usual number: the suite has a quarter of an hour on two cores
for variable, folder in (("AIRFLOW_HOME", "airflow-of-tests"), ("MPLCONFIGDIR", "matplotlib")):
    os.environ.setdefault(variable, str(Path(__file__).parents[1] / ".embedded" / folder))  # not in the home
LONGEST_FIRST = ("e2e", "integration", "browser", "unit")


def _place(item: pytest.Item) -> int:
    marks = (place for place, mark in enumerate(LONGEST_FIRST) if item.get_closest_marker(mark))
    return next(marks, len(LONGEST_FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole files in the order of their longest kind of test, so that short ones level out the workers' last minute.

    The end-to-end file alone takes half of the whole time: behind others, it would end long after them.
    """
    places: dict[Path, int] = {}
    for item in items:
        places[item.path] = min(_place(item), places.get(item.path, len(LONGEST_FIRST)))
    items.sort(key=lambda item: places[item.path])
