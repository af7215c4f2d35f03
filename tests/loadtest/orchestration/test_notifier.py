"""Which failures are told as infrastructure faults, and what is said of them."""

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.orchestration import deliveries, settings
from include.loadtest.orchestration.notifier import NoVerdictError, RedVerdictError, tell_fault
from include.loadtest.publishing.services import Services

pytestmark = pytest.mark.unit


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The rows that were to be told."""
    rows: list[Any] = []
    monkeypatch.setattr(settings, "services", Services)
    monkeypatch.setattr(deliveries, "tell", lambda _url, _services, row: rows.append(row))
    return rows


def failure(
    error: BaseException | None, task: str = "publish", run_type: str = "scheduled", tries: int = 3
) -> dict[str, Any]:
    dag_run = SimpleNamespace(dag_id="load_test_weekly", run_id="scheduled__2026-11-29", run_type=run_type)
    return {"exception": error, "dag_run": dag_run, "ti": SimpleNamespace(task_id=task, try_number=tries)}


def test_a_red_verdict_is_no_fault(told: list[Any]) -> None:
    """Its own message tells it, also a WARN that nobody approved."""
    tell_fault(failure(RedVerdictError("SLA_BREACH: the report is in results/x"), "gate"))
    assert told == []


def test_a_run_that_did_not_begin_is_told_unless_a_person_started_it(told: list[Any]) -> None:
    """Whoever clicks sees the refusal; nobody watches a scheduled run."""
    error = NoVerdictError("no verdict: preflight ended before it knew a valid profile")
    tell_fault(failure(error, "gate", "manual"))
    assert told == []
    tell_fault(failure(error, "gate"))
    assert "no verdict: preflight ended before" in str(told[0].payload)


def test_a_fault_names_task_and_cause(told: list[Any]) -> None:
    """It cannot be taken for a verdict; a cleared task that fails again is told anew, as an edit tells nobody."""
    cause = InfrastructureError("history database h at db:5432: connection refused")
    error = AirflowException(str(cause))
    error.__cause__ = cause
    for tries in (3, 3, 6):
        tell_fault(failure(error, tries=tries))
    prefix = "slack/fault/load_test_weekly/scheduled__2026-11-29/publish"
    assert {row.key for row in told} == {f"{prefix}/3", f"{prefix}/6"}
    content = str(told[0].payload)
    assert "Infrastructure fault, not a verdict" in content
    assert "connection refused" in content
    assert "/dags/load_test_weekly/runs/scheduled__2026-11-29/tasks/publish" in content


@pytest.mark.parametrize(
    ("error", "said"),
    [(ValueError("password=geheim"), "ValueError"), (None, "its process was killed"), (AirflowFailException("x"), "x")],
)
def test_another_programs_text_may_hold_a_secret(told: list[Any], error: Exception | None, said: str) -> None:
    """Only our own words are quoted; of anything else its kind."""
    tell_fault(failure(error))
    assert said in str(told[0].payload)
    assert "geheim" not in str(told[0].payload)


def test_what_cannot_be_told_is_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, told: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The callback raises nothing into Airflow."""

    def away(*_: object) -> None:
        raise ConfigError("no history database; set connection loadtest_history")

    monkeypatch.setattr(deliveries, "tell", away)
    tell_fault(failure(ValueError("x")))
    assert "Slack is not told of this fault: no history database" in caplog.text
    assert told == []
