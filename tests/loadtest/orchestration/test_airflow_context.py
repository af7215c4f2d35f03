"""Who started a DAG run, as a target on a production host asks."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.utils.types import DagRunType

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration import airflow_context, settings
from include.loadtest.orchestration.airflow_context import trigger_of
from include.loadtest.orchestration.pipeline import SENDING
from include.loadtest.target.production import Trigger
from include.loadtest.target.settings import Target, TargetFile

pytestmark = pytest.mark.unit


def _context(task_id: str = "publish", *, asks: bool = True, **changes: Any) -> dict[str, Any]:
    started = {"run_type": DagRunType.MANUAL, "triggering_user_name": "anna", "run_after": datetime.now(UTC)}
    return {
        "dag_run": SimpleNamespace(**{**started, **changes}),
        "ti": SimpleNamespace(task_id=task_id),
        "dag": SimpleNamespace(params={"confirm_production": None} if asks else {}),
        "params": {"confirm_production": "localhost"},
    }


def test_the_user_and_what_was_typed() -> None:
    """As Airflow's task context has them; a user that it does not name is none."""
    assert trigger_of(_context()) == Trigger("manual", "anna", "localhost")
    of_nobody = _context(run_type="scheduled", triggering_user_name=None)
    assert trigger_of(of_nobody) == Trigger("scheduled", None, "localhost")
    unnamed = _context()
    del unnamed["dag_run"].triggering_user_name
    assert trigger_of(unnamed).user is None
    assert trigger_of(_context(triggering_user_name="")).user is None


def test_a_confirmation_counts_only_where_the_form_asks_for_it() -> None:
    """Whoever triggers another DAG over the API may send any field."""
    assert trigger_of(_context(asks=False)).confirmed is None


@pytest.mark.parametrize("task_id", ["preflight", "suite.run_1.warm_cache", "run_profile", "generators"])
def test_the_age_counts_where_something_is_sent(task_id: str) -> None:
    """The clean-up of a long run is never refused."""
    old = trigger_of(_context(task_id, run_after=datetime.now(UTC) - timedelta(hours=13)))
    assert old.age_s == pytest.approx(13 * 3600, abs=60)
    assert trigger_of(_context("cleanup_users")).age_s is None
    assert SENDING <= airflow_context.SENDING


def test_every_target_of_a_task_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's own and the current release's, in every stage."""
    file = TargetFile(name="live", production_hosts=("localhost",), production_operators=("anna",))
    monkeypatch.setattr(settings, "load_target", lambda _name: Target(file, "http://localhost"))
    monkeypatch.setattr(airflow_context, "get_current_context", lambda: _context("preflight"))
    assert airflow_context._target("live").base_url == "http://localhost"
    monkeypatch.setattr(airflow_context, "get_current_context", lambda: _context(triggering_user_name="bob"))
    with pytest.raises(ConfigError, match="bob may not confirm it, but anna"):
        airflow_context._target("live")
