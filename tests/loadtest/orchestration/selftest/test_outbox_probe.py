"""The outbox's own link."""

from collections.abc import Callable

import pytest

from include.loadtest.history import outbox
from include.loadtest.orchestration.selftest import outbox_probe
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link
from include.loadtest.orchestration.selftest.trial import Trial
from include.loadtest.publishing.services import Services

pytestmark = pytest.mark.integration


def test_a_row_is_refused_kept_and_delivered_once(trial_of: Callable[..., Trial]) -> None:
    """Also when the task is tried again; nothing waits afterwards."""
    trial = trial_of(Services())
    for _ in range(2):
        assert outbox_probe.check_outbox(trial).startswith("a row was refused, waited, was delivered")
    (row,) = outbox.rows_of(trial.engine, "smoke-1-alarm-outbox")
    assert (row.state, row.version) == ("delivered", 2)
    assert outbox.waiting(trial.engine) == []


def test_a_courier_that_delivers_nothing_is_named(
    trial_of: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is there, and waits for ever."""
    monkeypatch.setattr(outbox_probe.Courier, "deliver", lambda *_args, **_kwargs: None)
    with pytest.raises(BrokenLinkError, match="a row that was refused is waiting") as caught:
        outbox_probe.check_outbox(trial_of(Services()))
    assert caught.value.link is Link.OUTBOX


def test_a_history_that_is_away_is_named(bench) -> None:
    """With what to look at, and without its password."""
    trial = Trial(bench, Services(), "postgresql://nobody:secret@127.0.0.1:1/history", "smoke-1-alarm", None)
    with pytest.raises(BrokenLinkError, match=r"broken link: outbox.*connection loadtest_history") as caught:
        outbox_probe.check_outbox(trial)
    assert "secret" not in str(caught.value)
