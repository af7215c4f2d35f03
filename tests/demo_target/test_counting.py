import pytest

from include.demo_target.counting import MAX_RUNS, RequestCounter
from tests.helpers.demo import DemoTarget


@pytest.mark.unit
def test_oldest_run_is_forgotten_when_there_are_too_many() -> None:
    """The counter's memory is bounded."""
    counter = RequestCounter()
    for number in range(MAX_RUNS + 1):
        counter.count(f"run-{number}", "load")
    assert counter.of("run-0")["load"] == 0
    assert counter.of("run-1")["load"] == 1


@pytest.mark.integration
def test_requests_count_by_run_and_phase_whatever_becomes_of_them(demo: DemoTarget, no_faults: None) -> None:
    """A marked request counts when it arrives, also if it is refused or fails; an unmarked one does not."""
    del no_faults

    def call(phase: str | None, path: str = "/health") -> None:
        marks = {} if phase is None else {"X-Load-Test-Run-Id": "smoke-1", "X-Load-Test-Phase": phase}
        with demo.client() as client:
            client.get(path, headers=marks)

    with demo.client() as client:
        call("login")
        call("warm_up", "/api/v1/users/me")
        client.put("/admin/faults", json={"error_share": {"health": 1}})
        call("load")
        call("load", "/no/such/path")
        call(None)
        call("unheard_of")
        assert client.get("/admin/requests", params={"run_id": "smoke-1"}).json() == {
            "login": 1,
            "warm_up": 1,
            "load": 2,
        }
        assert client.get("/admin/requests", params={"run_id": "other"}).json() == {"login": 0, "warm_up": 0, "load": 0}
