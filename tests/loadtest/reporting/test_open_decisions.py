"""What the history leaves open is asked once, with its figures."""

from dataclasses import replace

import pytest

from include.loadtest.reporting.decision import Decision
from include.loadtest.reporting.open_decisions import proposals, regressions, silent, tickets
from tests.helpers.planted_review import nothing_open, open_things
from tests.helpers.reviewed_runs import reviewed
from tests.helpers.reviews import NO_STANDING

pytestmark = pytest.mark.unit


def test_a_regression_is_of_this_suite_or_still_open() -> None:
    """Both are named once, with their runs."""
    own = reviewed("normal_day", "REGRESSION", codes=("regression",))
    (found,) = regressions([own], open_things())
    assert found.evidence == (
        "normal_day: not accepted since 2027-02-24 04:05:06 UTC (normal_day-7)",
        "normal_day: because of regression (normal_day-1)",
    )


def test_tickets_and_baselines_are_named() -> None:
    """With their numbers, and since when."""
    (ticket,), (baseline,) = tickets(open_things()), proposals(open_things())
    since = "2027-02-24 04:05:06 UTC"
    assert ticket.evidence == (f"own/er#12: latency_p95_ms of peak_hours (all), open since {since}",)
    assert baseline.evidence == (f"baseline 7 of peak_hours: 8 runs, proposed {since} by quarterly review",)


def test_silence_is_asked_about_in_the_switchs_words() -> None:
    """And only where the dead man's switch speaks."""
    (found,) = silent(replace(nothing_open(), silence="no weekly verdict for more than 8 days"))
    assert (found.id, found.evidence) == ("weekly_silent", ("no weekly verdict for more than 8 days",))
    assert list(silent(nothing_open())) == []


@pytest.mark.parametrize("standing", [nothing_open(), NO_STANDING], ids=["nothing open", "no history"])
def test_nothing_open_asks_nothing(standing) -> None:
    """Nor does a history that does not answer."""
    found: list[Decision] = [*regressions([], standing), *tickets(standing), *proposals(standing), *silent(standing)]
    assert found == []
