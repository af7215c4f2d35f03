"""The utilisation law, U = X D: a resource's demand of one request, and the throughput at which none of it is left.

Denning and Buzen 1978, "The Operational Analysis of Queueing Network Models", ACM Computing Surveys 10(3): over any
time, the busy share of a resource is the throughput times the service demand of a request. With `servers` servers
(cores, connections) the throughput cannot pass servers / D.

A straight line by least squares through the steps gives D as its slope, and what is busy without any load as its
intercept; where nothing can be, the line goes through 0, which is surer. Intervals are Student's, of what the steps
scatter around the line; that of the throughput at which the line reaches `servers` is Fieller's (1954, J. R. Stat.
Soc. B 16, 175-185). Pure arithmetic.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_POINTS = 3
LEAST_DEGREES = 2
"""With one degree of freedom an interval says nothing."""
TAIL = 0.025
"""Probability on each side that a two-sided 95 % interval leaves out."""


@dataclass(frozen=True)
class Line:
    """busy = `idle` + `demand_s` x throughput a second.

    `around` is the point (throughput, busy) that the line turns around; `slope_variance` and `level_variance` are those
    of its slope and of its height there, times t squared. None where the points allow no interval.
    """

    demand_s: float
    idle: float
    points: int
    around: tuple[float, float]
    slope_variance: float | None
    level_variance: float | None

    @property
    def demand_interval_s(self) -> tuple[float, float] | None:
        """95 % interval of the demand."""
        if self.slope_variance is None:
            return None
        half = math.sqrt(self.slope_variance)
        return self.demand_s - half, self.demand_s + half

    @property
    def follows_load(self) -> bool:
        """Whether more load certainly uses more of it; without an interval, whether it did."""
        interval = self.demand_interval_s
        return (self.demand_s if interval is None else interval[0]) > 0

    def throughput_at(self, servers: float) -> float:
        """Throughput a second at which `servers` are busy."""
        return (servers - self.idle) / self.demand_s

    def interval_at(self, servers: float) -> tuple[float, float] | None:
        """95 % interval of `throughput_at`; None where the points allow none, or none that ends."""
        if self.slope_variance is None or self.level_variance is None:
            return None
        gap, slope = servers - self.around[1], self.demand_s
        lead = slope**2 - self.slope_variance
        inside = self.slope_variance * gap**2 + self.level_variance * lead
        if lead <= 0 or inside < 0:
            return None
        ends = [self.around[0] + (slope * gap + sign * math.sqrt(inside)) / lead for sign in (-1, 1)]
        return ends[0], ends[1]


def fitted(points: Sequence[tuple[float, float]], *, with_idle: bool = True) -> Line | None:
    """The line through (throughput a second, busy servers); None with too few points, or all at one throughput.

    `with_idle` false: nothing is busy without load, so the line goes through 0.
    """
    n = len(points)
    if n < LEAST_POINTS or len({x for x, _ in points}) == 1:
        return None
    mean_x, mean_u = (sum(point[side] for point in points) / n if with_idle else 0.0 for side in (0, 1))
    spread_x = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (u - mean_u) for x, u in points) / spread_x
    idle = mean_u - slope * mean_x
    degrees = n - 2 if with_idle else n - 1
    if degrees < LEAST_DEGREES:
        return Line(slope, idle, n, (mean_x, mean_u), None, None)
    scatter = student(degrees) ** 2 * sum((u - idle - slope * x) ** 2 for x, u in points) / degrees
    return Line(slope, idle, n, (mean_x, mean_u), scatter / spread_x, scatter / n if with_idle else 0.0)


def student(degrees: int) -> float:
    """Student's t of a two-sided 95 % interval."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 1 - TAIL))
