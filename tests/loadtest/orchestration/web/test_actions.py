"""Baselines are changed from the pages by who may start the housekeeping, from these pages only, with a reason."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from include.loadtest.errors import ConfigError
from include.loadtest.history.baselines import list_baselines, list_intended_changes
from include.loadtest.orchestration import settings
from include.loadtest.orchestration.web.actions import ACTIONS, MOST_BYTES
from tests.helpers.trend_runs import fill

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("engine")]
HEADERS = {"X-Loadtest": "1", "Sec-Fetch-Site": "same-origin"}
Act = Callable[..., Response]


@pytest.fixture
def engine(fresh_history: str, results: object, monkeypatch: pytest.MonkeyPatch) -> Engine:  # noqa: ARG001 - it sets other settings
    monkeypatch.setenv("LOADTEST_HISTORY_URL", fresh_history)
    return fill(fresh_history)


@pytest.fixture
def act(browse: Callable[[str | None], TestClient]) -> Iterator[Act]:
    """Sends one action as a role."""

    def send(name: str, role: str | None = "op", headers: dict[str, str] = HEADERS, **fields: Any) -> Response:
        order = {"target": "demo", "reason": "the new level", **fields}
        return browse(role).post(f"/loadtest/actions/{name}", json=order, headers=headers)

    yield send


def state(engine: Engine) -> tuple[list[Any], list[Any]]:
    return list_baselines(engine), list_intended_changes(engine)


def test_from_a_proposal_to_its_end(engine: Engine, act: Act) -> None:
    """Propose, pin and retire, each told in one line and kept with Airflow's name of the user and the reason."""
    assert act("propose", profile="smoke").json()["done"].startswith("proposed: baseline")
    number = list_baselines(engine)[0]["id"]
    assert act("pin", baseline_id=number, reason="as of May").json() == {"done": f"pinned: baseline {number}"}
    assert act("retire", role="admin", baseline_id=number).json() == {"done": f"retired: baseline {number}"}
    (entry,) = list_baselines(engine)
    assert (entry["proposed_by"], entry["pinned_by"], entry["retired_by"]) == ("op", "op", "admin")
    assert (entry["status"], entry["pinned_reason"]) == ("retired", "as of May")


def test_runs_by_name_and_a_regression_that_is_accepted(engine: Engine, act: Act) -> None:
    """With commas or as a list; a regression's level only where the operator says so."""
    names = ["smoke-regression", *(f"smoke-{index}" for index in range(8))]
    refused = act("pin", run_ids=names)
    assert (refused.status_code, state(engine)) == (422, ([], []))
    assert "accept_regression takes it" in refused.json()["detail"]
    assert act("pin", run_ids=", ".join(names), accept_regression=True).status_code == 200
    assert len(list_baselines(engine)[0]["run_ids"]) == 9


def test_marks_for_a_profile_and_for_all(engine: Engine, act: Act) -> None:
    """With the moment that was given, or now."""
    assert "comparisons start anew at 2026-03-01 09:00 UTC" in act("mark", since="2026-03-01T09:00Z").json()["done"]
    assert act("mark", profile="smoke").status_code == 200
    assert [(one["profile"], one["marked_by"]) for one in list_intended_changes(engine)] == [
        *(("smoke", "op"), (None, "op"))
    ]


@pytest.mark.parametrize("name", sorted(ACTIONS))
@pytest.mark.parametrize(("role", "code"), [(None, 401), ("viewer", 403)])
def test_who_may_not_start_the_housekeeping(engine: Engine, act: Act, name: str, role: str | None, code: int) -> None:
    """Nothing changes, also where the order itself would do."""
    order = {"profile": "smoke"} if name in ("propose", "mark") else {"baseline_id": 1}
    assert act(name, role, **order).status_code == code
    assert state(engine) == ([], [])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        ({"X-Loadtest": "1", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-Loadtest": "1", "Sec-Fetch-Site": "same-site"}, 403),
        ({"X-Loadtest": "1", "Content-Type": "text/plain"}, 415),
    ],
)
def test_a_request_from_another_site(engine: Engine, act: Act, headers: dict[str, str], code: int) -> None:
    """Refused, although the browser sends the operator's login along."""
    assert act("mark", headers=headers, profile="smoke").status_code == code
    assert state(engine) == ([], [])


@pytest.mark.parametrize(
    ("name", "fields", "line"),
    [
        ("mark", {"reason": ""}, "reason: missing; say why, it is kept and listed"),
        ("mark", {"reason": " \n"}, "reason: missing"),
        ("mark", {"reason": "x" * 501}, "reason: String should have at most 500 characters"),
        ("mark", {"since": "yesterday"}, "since: 'yesterday' is no moment; write 2026-03-01T09:00:00Z"),
        ("mark", {"since": "2026-03-01T09:00"}, "has no time zone"),
        ("mark", {"profile": "smok"}, "did you mean smoke?"),
        ("mark", {"target": "dem"}, "did you mean demo?"),
        ("propose", {}, "propose: give profile"),
        ("propose", {"profile": "smoke", "reason": ""}, "reason: missing"),
        ("pin", {}, "pin: give either baseline_id"),
        ("pin", {"run_ids": "smoke-1"}, "a baseline needs at least"),
        ("pin", {"run_ids": "smoke-77"}, "is not in the history; did you mean smoke-"),
        ("pin", {"baseline_id": 99}, "there is no baseline 99; valid: none"),
        ("retire", {}, "retire: give baseline_id"),
        ("retire", {"baseline_id": 0}, "baseline_id: Input should be greater than or equal to 1"),
        ("retire", {"baseline_id": 2**70}, "baseline_id: "),
        ("retire", {"baseline_id": "1"}, "baseline_id: Input should be a valid integer"),
        ("mark", {"action": "pin"}, "action: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    engine: Engine, act: Act, name: str, fields: dict[str, Any], line: str
) -> None:
    """In the words of the housekeeping's form, and nothing has changed."""
    answer = act(name, **fields)
    assert (answer.status_code, state(engine)) == (422, ([], []))
    assert line in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


def test_other_addresses_and_other_bodies(engine: Engine, browse: Callable[[str | None], TestClient]) -> None:
    """An action that is none, no JSON, JSON of another kind, a body without end."""
    client, headers = browse("op"), HEADERS | {"Content-Type": "application/json"}
    answer = client.post("/loadtest/actions/proposes", json={}, headers=HEADERS)
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "there is no action 'proposes'; did you mean propose?",
    )
    for body, code in (
        (b"{", 422), (b"\xff", 422), (b"[" * 10_000, 422), (b"[]", 422), (b" " * (MOST_BYTES + 1), 413),
    ):  # fmt: skip
        assert client.post("/loadtest/actions/mark", content=body, headers=headers).status_code == code, body[:5]
    nul = {"target": "demo", "reason": "a\0b"}
    assert client.post("/loadtest/actions/mark", content=json.dumps(nul), headers=headers).status_code == 200
    assert list_intended_changes(engine)[0]["reason"] == "a b"


def test_nothing_of_an_action_keeps_other_requests_waiting(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the connection is looked up, a slow answer must not stop the server: not in the event loop."""
    asked = []

    def look_up() -> str:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        asked.append(1)
        raise ConfigError("no history database")

    monkeypatch.setattr(settings, "history_url", look_up)
    assert (act("mark").json(), asked) == ({"detail": "no history database"}, [1])
