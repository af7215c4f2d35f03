"""The quarter's question about baselines, with Airflow's context made by hand."""

from types import SimpleNamespace

import pytest

from include.loadtest.orchestration import renewal
from include.loadtest.orchestration.renewal import DECIDE, NUMBERS, PROPOSE, carry_out

pytestmark = pytest.mark.unit
BY = {"responded_by_user": {"id": "1", "name": "giulia"}, "responded_at": "2027-01-04T09:00:00Z"}


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch):
    """Carries out an answer; returns what was decided of which proposals, and by whom."""

    def answered(option: str) -> list[tuple]:
        pushed = {(DECIDE, "return_value"): {"chosen_options": [option], **BY}, (PROPOSE, NUMBERS): [4, 5]}
        instance = SimpleNamespace(xcom_pull=lambda task_ids, key="return_value": pushed[task_ids, key])
        monkeypatch.setattr(renewal, "get_current_context", lambda: {"ti": instance})
        monkeypatch.setattr("include.loadtest.orchestration.settings.history_url", lambda: "url")
        monkeypatch.setattr("include.loadtest.history.store.connect", lambda url: url)
        calls: list[tuple] = []

        def decide(_engine, numbers, *, accepted, by, reason):
            calls.append((numbers, accepted, by, reason))
            return ["done"]

        monkeypatch.setattr("include.loadtest.orchestration.baseline_actions.decide_proposals", decide)
        carry_out()
        return calls

    return answered


@pytest.mark.parametrize(("option", "accepted"), [("Pin", True), ("Reject", False)])
def test_the_answer_goes_to_all_proposals_with_its_name(decided, option: str, accepted: bool) -> None:
    """Who decided stands beside the baseline for ever."""
    assert decided(option) == [([4, 5], accepted, "giulia", "quarterly review")]


def test_without_an_answer_the_proposals_stay_open(decided, caplog) -> None:
    """The default of the question; the log says where to go on."""
    with caplog.at_level("INFO", logger="loadtest"):
        assert decided("Later") == []
    assert "load_test_housekeeping" in caplog.text
