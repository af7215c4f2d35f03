"""What a counter grew by in a span, and over how much of the span that was seen. Pure arithmetic."""

from typing import NamedTuple

import numpy as np

from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.series import Series


class Growth(NamedTuple):
    """`amount` in the counter's unit; `seconds`: how long it was read; `span`: from when to when that was."""

    amount: float
    seconds: float
    span: Span

    @property
    def per_s(self) -> float:
        """Growth a second while it was read; 0 where it was not."""
        return self.amount / self.seconds if self.seconds > 0 else 0.0


def grown(series: Series, span: Span) -> Growth:
    """Growth of a counter in a span; readings stand at the end of their intervals, and a fall is a new beginning."""
    lengths, steps = np.diff(series.at_s), np.diff(series.values)
    ends = series.at_s[1:]
    inside = (lengths > 0) & (steps >= 0) & (ends > span.start_s) & (ends <= span.end_s)
    own, covered = lengths[inside], np.minimum(lengths[inside], ends[inside] - span.start_s)
    if not inside.any():
        return Growth(0.0, 0.0, Span(span.start_s, span.start_s))
    read = Span(max(span.start_s, float((ends - lengths)[inside][0])), float(ends[inside][-1]))
    return Growth(float((steps[inside] * covered / own).sum()), float(covered.sum()), read)
