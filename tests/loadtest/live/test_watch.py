"""An alert begins when its figure was over the limit for long enough, keeps its worst value, and ends likewise."""

import pytest

from include.loadtest.live.watch import Alert, Watch
from include.loadtest.profile.thresholds import Threshold

pytestmark = pytest.mark.unit


def threshold(metric: str = "error_rate", comparator: str = ">", limit: float = 0.01, unit: str = "ratio") -> Threshold:
    return Threshold(
        **{"id": "x", "metric": metric, "comparator": comparator, "limit": limit, "unit": unit},
        **{"for_s": 30, "severity": "critical", "page": "docs/alerts/x.md"},
    )


def followed(watch: Watch, values: list[float | None], metric: str = "error_rate") -> list[tuple[int, Alert]]:
    """A value every 10 s; what changed, with its time."""
    changes = []
    for number, value in enumerate(values):
        figures = {} if value is None else {metric: value}
        changes += [(10 * number, alert) for alert in watch.update(10.0 * number, figures)]
    return changes


def test_an_alert_begins_after_its_time_and_dates_from_the_crossing() -> None:
    """Over the limit from 10 s on: told at 40 s, with the worst value so far."""
    watch = Watch([threshold()], shares_host=False)
    ((told_s, alert),) = followed(watch, [0.01, 0.02, 0.5, 0.03, 0.02])
    assert told_s == 40
    assert (alert.since_s, alert.until_s, alert.value, alert.severity) == (10, None, 0.5, "critical")


def test_a_short_crossing_is_no_alert() -> None:
    """Neither is one that comes back: its time starts anew."""
    assert followed(Watch([threshold()], shares_host=False), [0.02, 0.02, 0.02, 0.01, 0.02, 0.02, 0.02]) == []


def test_an_alert_ends_after_the_same_time_within_the_limit() -> None:
    """A short recovery does not end it; its end dates from the figure's return."""
    watch = Watch([threshold()], shares_host=False)
    changes = followed(watch, [0.02, 0.02, 0.02, 0.02, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.0])
    assert [told_s for told_s, _ in changes] == [30, 100]
    (alert,) = watch.alerts
    assert (alert.since_s, alert.until_s, alert.value) == (0, 70, 0.9)


def test_missing_figures_neither_begin_nor_end_an_alert() -> None:
    """What is not known is no health, and no illness."""
    assert followed(Watch([threshold()], shares_host=False), [0.02, 0.02, None, 0.02, 0.02]) == []
    watch = Watch([threshold()], shares_host=False)
    assert len(followed(watch, [0.02] * 4 + [None] * 6 + [0.0])) == 1
    assert watch.alerts[0].until_s is None


def test_below_a_lower_limit_the_lowest_is_the_worst() -> None:
    """A hit rate."""
    watch = Watch([threshold("cache_hit_rate", "<", 0.7)], shares_host=False)
    ((_, alert),) = followed(watch, [0.6, 0.1, 0.65, 0.69], "cache_hit_rate")
    assert alert.value == 0.1


@pytest.mark.parametrize(
    ("metric", "unit", "severity"), [("host_cpu_pct", "%", "info"), ("error_rate", "ratio", "critical")]
)
def test_figures_of_a_shared_machine_are_for_information(metric: str, unit: str, severity: str) -> None:
    """The generator's own work is in them; other figures are the target's all the same."""
    watch = Watch([threshold(metric, limit=0.5, unit=unit)], shares_host=True)
    ((_, alert),) = followed(watch, [0.9] * 4, metric)
    assert (alert.severity, alert.shared_host) == (severity, severity == "info")


def test_what_never_had_a_figure_was_not_watched() -> None:
    """It is named, so that no alert is not taken for no trouble."""
    watch = Watch([threshold(), threshold("cache_hit_rate", "<", 0.7)], shares_host=False)
    followed(watch, [0.0])
    assert watch.without_data == ["cache_hit_rate"]
