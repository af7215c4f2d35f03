"""Runs in the environment of requirements.txt beside it: Otava's change points of series, JSON in and JSON out.

Standard input: `{"settings": [[window, p-value, minimum change], …], "series": [{"values": […], "first": n}, …]}`.
Standard output: for each setting and series, for each length from `first` to the whole, what Otava says of so many
values: `[[index, whether the values rise there], …]`. So it never looks ahead, and may change its mind.
"""

import json
import sys
from typing import Any

from otava.analysis import compute_change_points  # type: ignore[import-not-found]  # installed in its own environment

Points = list[tuple[int, bool]]


def main() -> None:
    """Answer the one request."""
    request = json.load(sys.stdin)
    json.dump([[_replayed(one, *own) for one in request["series"]] for own in request["settings"]], sys.stdout)


def _replayed(series: dict[str, Any], window: int, p_value: float, minimum: float) -> list[Points]:
    values = series["values"]
    return [_points(values[:length], window, p_value, minimum) for length in range(series["first"], len(values) + 1)]


def _points(values: list[float], window: int, p_value: float, minimum: float) -> Points:
    found, _ = compute_change_points(values, window, p_value, minimum)
    return [(int(point.index), bool(point.stats.mean_2 > point.stats.mean_1)) for point in found]


if __name__ == "__main__":
    main()
