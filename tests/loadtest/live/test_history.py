"""A load of any length fits into a bounded table, in which no peak is lost."""

import json

import pytest

from include.loadtest.live.history import MAX_ROWS, History

pytestmark = pytest.mark.unit


def test_a_short_load_is_shown_look_by_look() -> None:
    """As it was read, with a gap where a figure was not known, and no band."""
    history = History()
    history.note(10.04, {"users": 1.0})
    history.note(12.0, {"users": 2.0, "latency_p95_ms": 1234.567})
    assert history.document() == {
        "t": [10.0, 12.0],
        "series": {
            "latency_p95_ms": {"value": [None, 1235.0], "low": None, "high": None},
            "users": {"value": [1.0, 2.0], "low": None, "high": None},
        },
    }


def test_a_long_load_keeps_its_peak_and_its_size() -> None:
    """Four hours, one look every 2 s: at most 600 rows, the one high look in `high`, the one low in `low`."""
    history = History()
    for look in range(7200):
        value = {3001: 9000.0, 5000: 1.0}.get(look, 100.0)
        history.note(2.0 * look, {"latency_p95_ms": value} if look % 7 else {})
    found = history.document()
    assert MAX_ROWS / 2 <= len(found["t"]) <= MAX_ROWS
    assert found["t"] == sorted(found["t"])
    series = found["series"]["latency_p95_ms"]
    assert (max(series["high"]), min(series["low"])) == (9000.0, 1.0)
    assert {len(values) for values in series.values()} == {len(found["t"])}
    assert len(json.dumps(found)) < 30_000


def test_rows_are_means_and_none_where_nothing_was_known() -> None:
    """A pair of rows that becomes one has the mean of what was known in it."""
    history = History()
    for look in range(MAX_ROWS + 1):
        history.note(float(look), {"a": float(look % 2)} if look < MAX_ROWS / 2 else {})
    series = history.document()["series"]["a"]
    assert series["value"][0] == 0.5
    assert (series["low"][0], series["high"][0]) == (0.0, 1.0)
    assert series["value"][-1] is series["low"][-1] is series["high"][-1] is None
