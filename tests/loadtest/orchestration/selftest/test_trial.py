"""One trial: its names, and when a delivery counts as arrived."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.history import outbox
from include.loadtest.orchestration.selftest import trial as trials
from include.loadtest.orchestration.selftest.judging import Bench
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link
from include.loadtest.orchestration.selftest.recordings import BAD
from include.loadtest.orchestration.selftest.trial import Trial, deliver, usable
from include.loadtest.publishing.courier import Outcome
from include.loadtest.publishing.delivery import DeliveryError
from include.loadtest.publishing.services import Services
from include.loadtest.run import RUN_ID_PATTERN

pytestmark = pytest.mark.integration
SUBJECT = "smoke-1-alarm-bad"


def _taken(*_: Any) -> Mapping[str, Any]:
    return {"ts": "1"}


def _put(trial: Trial) -> None:
    outbox.put(trial.engine, outbox.Delivery("k", "slack", "note", "k", SUBJECT, {"text": "x"}))


def test_a_dag_run_has_one_trial_however_often_its_tasks_are_tried(bench: Bench) -> None:
    """Equal inputs give equal ids, which are run ids; another DAG run has others."""
    began = datetime(2026, 11, 30, 6, tzinfo=UTC)
    one, same, other = (
        Trial.of(bench, Services(), "", began=began, owner=owner, link=None).run_id_of(BAD)
        for owner in ("monday", "monday", "by hand")
    )
    assert one == same != other
    assert RUN_ID_PATTERN.match(one)
    assert one.startswith("smoke-20261130-060000-")


def test_what_is_told_of_a_recording_bears_the_trials_own_id(bench: Bench) -> None:
    """So nobody looks for a run of weeks ago."""
    trial = Trial(bench, Services(), "", "smoke-1-alarm", None)
    assert trial.conclusion(BAD).verdict["run_id"] == "smoke-1-alarm-bad"


def test_a_delivery_that_another_courier_has_in_hand_is_waited_for(
    trial_of: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The DAG that delivers every ten minutes may be at it just then."""
    trial, asked = trial_of(Services()), []
    real = trials.Courier.deliver

    def busy_once(courier: Any, **options: Any) -> Any:
        asked.append(options)
        return real(courier, **options) if len(asked) > 1 else real(trials.Courier(trial.engine, {}), **options)

    _put(trial)
    monkeypatch.setattr(trials, "OTHER_COURIER_S", 0.01)
    monkeypatch.setattr(trials.Courier, "deliver", busy_once)
    (row,) = deliver(trial, SUBJECT, {"note": _taken}, Link.SLACK, "wait")
    assert (row.state, len(asked)) == ("delivered", 2)


def test_a_refused_delivery_is_named_with_its_reason(trial_of: Callable[..., Trial]) -> None:
    """At once: what is refused now is not awaited."""
    trial = trial_of(Services())

    def refuse(*_: Any) -> Mapping[str, Any]:
        raise DeliveryError("Slack refuses: invalid_auth")

    _put(trial)
    with pytest.raises(BrokenLinkError, match="Slack note has not arrived: Slack refuses: invalid_auth"):
        deliver(trial, SUBJECT, {"note": refuse}, Link.SLACK, "repair it")


def test_a_delivery_that_nobody_makes_is_not_awaited_for_ever(
    trial_of: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends after its time, and says so."""
    trial = trial_of(Services())
    _put(trial)
    monkeypatch.setattr(trials, "ARRIVES_WITHIN_S", 0.2)
    monkeypatch.setattr(trials, "OTHER_COURIER_S", 0.01)
    monkeypatch.setattr(trials.Courier, "deliver", lambda *_, **__: Outcome(0, (), 1))
    with pytest.raises(BrokenLinkError, match=r"not delivered within 0.2 s"):
        deliver(trial, SUBJECT, {"note": _taken}, Link.SLACK, "wait")


def test_settings_that_cannot_work_break_the_link() -> None:
    """With the connection's own fault; those that can are returned."""
    assert usable("settings", Link.SLACK, "x") == "settings"
    with pytest.raises(BrokenLinkError, match=r"broken link: issue. no token. What to do: set one"):
        usable(ConfigError("no token"), Link.ISSUE, "set one")
