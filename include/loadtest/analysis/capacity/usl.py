"""The universal scalability law beside the utilisation law, where the steps determine its peak.

Gunther 2007, "Guerrilla Capacity Planning", chapter 4: X(N) = l N / (1 + s (N - 1) + k N (N - 1)), with its peak at
N* = sqrt((1 - s) / k). Its curvature shows only in steps near the peak; below, any k fits and the peak is anywhere. So
it is shown only where the 95 % interval of the peak is finite and lies within what may be said of that load.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_STEPS = 5
"""Three parameters, and two degrees of freedom to see how well they fit."""
_DRAWS, _SEED = 1000, 20241205
_TAILS_PCT = (2.5, 97.5)


def usl_peak(points: Sequence[tuple[float, float]], most_users: float) -> dict[str, Any] | None:
    """The peak from (users, requests a minute): `{"users", "users_low", "users_high", "rpm", "rpm_low", "rpm_high"}`.

    None where its interval is open, or does not end before `most_users`. The interval is that of the parameters'
    covariance, by draws.
    """
    if len(points) < LEAST_STEPS:
        return None
    import numpy as np

    found = _parameters(points)
    if found is None:
        return None
    best, covariance = found
    draws = np.random.default_rng(_SEED).multivariate_normal(best, covariance, _DRAWS)
    users, rpm = (np.percentile(column, _TAILS_PCT, method="nearest") for column in _peaks(draws))
    at, top = (float(column[0]) for column in _peaks(best[None, :]))
    if not (np.isfinite([at, *users, *rpm]).all() and users[1] <= most_users):
        return None
    return {
        "users": at,
        "users_low": float(users[0]),
        "users_high": float(users[1]),
        "rpm": top,
        "rpm_low": float(rpm[0]),
        "rpm_high": float(rpm[1]),
    }


def _law(n: "NDArray[np.float64]", rate: float, s: float, k: float) -> "NDArray[np.float64]":
    return rate * n / (1 + s * (n - 1) + k * n * (n - 1))


def _parameters(points: Sequence[tuple[float, float]]) -> tuple["NDArray[np.float64]", "NDArray[np.float64]"] | None:
    """Best rate, s and k with their covariance; None where nothing fits."""
    import warnings

    import numpy as np
    from scipy.optimize import OptimizeWarning, curve_fit

    users, rpm = (np.array([point[side] for point in points], dtype=float) for side in (0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error", OptimizeWarning)
        try:
            best, covariance = curve_fit(_law, users, rpm, p0=(rpm[0] / users[0], 0.01, 1e-4), maxfev=10_000)
        except (RuntimeError, OptimizeWarning, ValueError, FloatingPointError):
            return None
    return (best, covariance) if np.isfinite(covariance).all() else None


def _peaks(draws: "NDArray[np.float64]") -> tuple["NDArray[np.float64]", "NDArray[np.float64]"]:
    """Users and throughput at the peak of each draw; infinite where the curve has none."""
    import numpy as np

    rate, s, k = draws.T
    has_peak = (k > 0) & (s < 1)
    safe = np.where(has_peak, k, 1.0)
    users = np.where(has_peak, np.sqrt(np.where(has_peak, 1 - s, 1.0) / safe), np.inf)
    at = np.where(has_peak, users, 1.0)
    return users, np.where(has_peak, _law(at, 1.0, s, k) * rate, np.inf)
