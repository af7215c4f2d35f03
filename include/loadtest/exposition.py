"""Prometheus' text format as a hostile server may write it: bounded lines, and nothing but finite numbers.

Its own library gives up a page at the first wrong line, and does not tell of a series whose value is no number; here
such a series is told of, so that a sum over its metric can be withheld.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

LONGEST_LINE = 2_000
_SERIES = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]{0,99})(?P<labels>\{.*\})?[ \t]+(?P<value>\S+)(?:[ \t]+-?\d+)?[ \t]*", re.ASCII
)
_NUMBER = re.compile(r"\+?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][-+]?\d{1,3})?", re.ASCII)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', re.ASCII)
_LABELS = re.compile(r'\{[A-Za-z0-9_ .,:=/"-]{0,100}\}', re.ASCII)


class Series(NamedTuple):
    """One line: `labels` with their braces ("" without any); `value` None where it is no finite number of 0 or more."""

    name: str
    labels: str
    value: float | None

    @property
    def is_plain(self) -> bool:
        """Whether the labels are short and of harmless characters, so that they may stand in a metric's name."""
        return not self.labels or _LABELS.fullmatch(self.labels) is not None

    @property
    def label_values(self) -> Mapping[str, str]:
        """Value by label, as it is written: escapes are left as they are."""
        return _label_values(self.labels)


@lru_cache(maxsize=1024)
def _label_values(labels: str) -> Mapping[str, str]:
    """A page has the same labels at each reading."""
    return MappingProxyType(dict(_LABEL.findall(labels)))


def every_name(_name: str) -> bool:
    """Wants all series."""
    return True


def series_of(page: str, wanted: Callable[[str], bool] = every_name) -> Iterator[Series]:
    """All series of a page whose name is wanted, in its order; what is no line of the format is left out.

    The format: https://prometheus.io/docs/instrumenting/exposition_formats. Nothing that is read here can be negative.
    """
    for line in page.split("\n"):
        if not line or line[0] == "#" or len(line) > LONGEST_LINE:
            continue
        if not wanted(line.partition("{")[0].partition(" ")[0]):
            continue
        found = _SERIES.fullmatch(line.rstrip("\r"))
        if found:
            yield Series(found["name"], found["labels"] or "", _number(found["value"]))


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
