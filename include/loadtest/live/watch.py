"""Thresholds over time: when an alert begins, its worst value, when it ends. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from include.loadtest.profile.thresholds import Threshold

HOST_PREFIX = "host_"


@dataclass
class Alert:
    """A threshold that was crossed for long enough. Times in seconds since the epoch.

    `since_s`: when the figure was first over the limit; `until_s`: when it was back, None while it is not. `value`: the
    worst so far. `shared_host`: about a machine that the target shares with the generator, so for information only.
    """

    threshold: Threshold
    value: float
    since_s: float
    shared_host: bool
    until_s: float | None = None

    @property
    def severity(self) -> str:
        """`critical`, `warning` or, of a shared host, `info`."""
        return "info" if self.shared_host else self.threshold.severity


@dataclass
class _State:
    """Of one threshold. `turned_s`: since when the figure has been on the other side than the alert says."""

    alert: Alert | None = None
    turned_s: float | None = None
    worst: float = 0.0


class Watch:
    """Follows the figures of one run. An alert begins, and ends, after `for_s` seconds on the other side of its limit.

    A figure that is missing is no sign of health: an alert stays, and one that was about to begin starts over.
    """

    def __init__(self, thresholds: Iterable[Threshold], *, shares_host: bool) -> None:
        self._states = {threshold: _State() for threshold in thresholds}
        self._shares_host = shares_host
        self._seen: set[str] = set()
        self.alerts: list[Alert] = []
        """All that have begun, in order."""

    @property
    def without_data(self) -> list[str]:
        """Metrics of thresholds that had no figure so far."""
        return sorted({threshold.metric for threshold in self._states} - self._seen)

    def update(self, now_s: float, figures: Mapping[str, float]) -> list[Alert]:
        """Take the figures of a moment; returns the alerts that have begun or ended with it."""
        self._seen |= figures.keys()
        changed = (
            self._step(threshold, state, now_s, figures.get(threshold.metric))
            for threshold, state in self._states.items()
        )
        return [alert for alert in changed if alert is not None]

    def _step(self, threshold: Threshold, state: _State, now_s: float, value: float | None) -> Alert | None:
        if value is None:
            state.turned_s = None
            return None
        crossed = threshold.is_crossed(value)
        if crossed and state.alert is not None:
            state.alert.value = _worse(threshold, state.alert.value, value)
        if crossed == (state.alert is not None):
            state.turned_s = None
            return None
        if state.turned_s is None:
            state.turned_s, state.worst = now_s, value
        state.worst = _worse(threshold, state.worst, value)
        if now_s - state.turned_s < threshold.for_s:
            return None
        return self._turn(threshold, state)

    def _turn(self, threshold: Threshold, state: _State) -> Alert:
        turned_s, state.turned_s = state.turned_s, None
        if state.alert is not None:
            ended, state.alert = state.alert, None
            ended.until_s = turned_s
            return ended
        shared = self._shares_host and threshold.metric.startswith(HOST_PREFIX)
        state.alert = Alert(threshold, state.worst, turned_s or 0.0, shared)
        self.alerts.append(state.alert)
        return state.alert


def _worse(threshold: Threshold, one: float, other: float) -> float:
    return max(one, other) if threshold.comparator in (">", ">=") else min(one, other)
