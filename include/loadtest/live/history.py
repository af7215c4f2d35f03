"""Figures over time in a bounded table: a long load has coarser rows, each with its lowest and highest value. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_ROWS = 600
"""At 2 s a look, a row is one look for the first 20 minutes; then pairs of rows become one."""
DIGITS = 4
"""Significant digits of what is written: finer than a line of a chart."""


@dataclass
class _Cell:
    total: float
    count: int
    low: float
    high: float

    def join(self, other: "_Cell") -> "_Cell":
        return _Cell(
            self.total + other.total,
            self.count + other.count,
            min(self.low, other.low),
            max(self.high, other.high),
        )


@dataclass
class _Row:
    at_s: float
    looks: int
    cells: dict[str, _Cell]

    def join(self, other: "_Row") -> "_Row":
        cells = dict(self.cells)
        for key, cell in other.cells.items():
            cells[key] = cells[key].join(cell) if key in cells else cell
        return _Row(self.at_s, self.looks + other.looks, cells)


class History:
    """Takes the figures of one look after the other; what is not known in a look is absent there."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._looks_a_row = 1

    def note(self, at_s: float, figures: Mapping[str, float]) -> None:
        """The figures of a look; `at_s` in seconds since the epoch, rising."""
        row = _Row(at_s, 1, {key: _Cell(value, 1, value, value) for key, value in figures.items()})
        if self._rows and self._rows[-1].looks < self._looks_a_row:
            self._rows[-1] = self._rows[-1].join(row)
            return
        if len(self._rows) == MAX_ROWS:
            pairs = zip(self._rows[::2], self._rows[1::2], strict=True)
            self._rows = [first.join(second) for first, second in pairs]
            self._looks_a_row *= 2
        self._rows.append(row)

    def document(self) -> dict[str, Any]:
        """`t`: when each row began; by key of a figure `value` (mean), `low` and `high`, null where it was not known.

        `low` and `high` are null as a whole as long as each row is one look.
        """
        keys = sorted({key for row in self._rows for key in row.cells})
        return {
            "t": [round(row.at_s, 1) for row in self._rows],
            "series": {key: self._series(key) for key in keys},
        }

    def _series(self, key: str) -> dict[str, Any]:
        cells = [row.cells.get(key) for row in self._rows]
        is_thinned = self._looks_a_row > 1
        return {
            "value": [_short(cell.total / cell.count) if cell else None for cell in cells],
            "low": [_short(cell.low) if cell else None for cell in cells] if is_thinned else None,
            "high": [_short(cell.high) if cell else None for cell in cells] if is_thinned else None,
        }


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
