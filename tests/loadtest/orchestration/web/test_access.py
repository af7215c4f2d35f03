"""Nobody sees a page without Airflow's login, and who may only look changes nothing."""

import inspect
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from include.loadtest.orchestration.web.access import CHANGE_DAG, READ_DAG, REQUEST_HEADER, may_change, user_name
from include.loadtest.orchestration.web.app import OTHER_METHODS, PAGES, create_app
from tests.helpers.web_app import COOKIE

pytestmark = pytest.mark.unit
Browse = Callable[[str | None], TestClient]
ACT = {REQUEST_HEADER: "1", "Sec-Fetch-Site": "same-origin"}
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
NOWHERE = "/loadtest/x"
"""What no page has: the two functions that answer there change nothing."""


def _routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Each method and address of the app, with something in place of each parameter."""
    for route in app.routes:
        assert isinstance(route, APIRoute), route
        parts = [("x" if part.startswith("{") else part) for part in route.path.split("/")]
        yield from ((method, "/loadtest" + "/".join(parts)) for method in sorted(route.methods))


def _own_routes() -> list[tuple[str, str]]:
    return sorted(_routes(create_app()))


def test_the_walk_knows_all_routes() -> None:
    """Every module with a router is part of the app, and the walk has pages, files and actions."""
    found = {path for _, path in _own_routes()}
    assert {"/loadtest/", "/loadtest/runs/x", "/loadtest/static/x", "/loadtest/actions/x", "/loadtest/x"} <= found
    assert len(_own_routes()) == 1 + len(OTHER_METHODS) + sum(len(module.router.routes) for module in PAGES)
    assert all(inspect.getdoc(route.endpoint) for module in PAGES for route in module.router.routes)


@pytest.mark.parametrize(("method", "path"), _own_routes())
def test_no_route_without_a_login(browse: Browse, method: str, path: str) -> None:
    """401, also for an address that leads nowhere: nothing is told to who has not logged in; and 403 for a forgery."""
    client = browse(None)
    assert client.request(method, path, headers=ACT, json={}).status_code == 401
    client.cookies.set(COOKIE, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGUiOiJhZG1pbiJ9.")
    assert client.request(method, path, headers=ACT, json={}).status_code == 403


@pytest.mark.parametrize(("method", "path"), [one for one in _own_routes() if one[0] in CHANGING and one[1] != NOWHERE])
def test_who_may_only_look_changes_nothing(browse: Browse, method: str, path: str) -> None:
    """Airflow's viewer is refused by every changing route, and told what is missing."""
    answer = browse("viewer").request(method, path, headers=ACT, json={})
    assert answer.status_code == 403
    assert "load_test_housekeeping" in answer.json()["detail"]


def test_pages_are_no_changing_routes() -> None:
    """What is not a changing route answers GET only (and HEAD)."""
    pages = {method for method, path in _own_routes() if "/actions/" not in path and path != NOWHERE}
    assert pages == {"GET"}


@pytest.mark.parametrize("method", OTHER_METHODS)
def test_other_methods_are_refused_after_the_login(browse: Browse, method: str) -> None:
    """Who has not logged in learns nothing of which pages there are."""
    for path in ("runs/smoke-1", "nowhere"):
        assert browse(None).request(method, f"/loadtest/{path}").status_code == 401
        answer = browse("viewer").request(method, f"/loadtest/{path}")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("role", ["viewer", "user", "op", "admin"])
def test_every_role_may_look(browse: Browse, role: str) -> None:
    """The overview is for all who may see DAG runs."""
    assert browse(role).get("/loadtest/").status_code == 200


@pytest.mark.parametrize("role", [None, "viewer", "user", "op", "admin"])
def test_every_route_and_every_role(browse: Browse, role: str | None) -> None:
    """Nobody without a login, reading for all who may see DAG runs, changing for all but viewers."""
    client, refused = browse(role), {}
    for method, path in _own_routes():
        answer = client.request(method, path, headers=ACT, json={})
        if answer.status_code in (401, 403):
            refused[method, path] = answer.status_code
        elif path == NOWHERE:
            assert answer.status_code == (404 if method == "GET" else 405)
        assert answer.headers["Content-Security-Policy"]
    changing = [one for one in _own_routes() if one[0] in CHANGING and one[1] != NOWHERE]
    expected: dict[str | None, dict[tuple[str, str], int]] = {
        None: dict.fromkeys(_own_routes(), 401),
        "viewer": dict.fromkeys(changing, 403),
    }
    assert refused == expected.get(role, {})


@pytest.mark.parametrize(("method", "path"), [one for one in _own_routes() if one[0] in CHANGING and one[1] != NOWHERE])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example", "Content-Type": "text/plain"},
        {"Sec-Fetch-Site": "cross-site", REQUEST_HEADER: "1", "Content-Type": "application/json"},
        {"Sec-Fetch-Site": "same-site", REQUEST_HEADER: "1", "Content-Type": "application/json"},
        {"Sec-Fetch-Site": "none", "Content-Type": "application/x-www-form-urlencoded"},
        {"Sec-Fetch-Mode": "no-cors", "Content-Type": "multipart/form-data; boundary=x"},
    ],
)
def test_no_changing_route_acts_for_another_site(
    browse: Browse, method: str, path: str, headers: dict[str, str]
) -> None:
    """What a page elsewhere can make a browser send without asking first, with the administrator's login."""
    answer = browse("admin").request(method, path, headers=headers, content=b"{}")
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("refused")


def test_another_site_is_never_allowed_to_ask(browse: Browse) -> None:
    """A browser's question before such a request gets no permission."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = REQUEST_HEADER
    for client in (browse(None), browse("admin")):
        answer = client.options("/loadtest/actions/mark", headers=asked)
        assert answer.status_code in (401, 405)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({REQUEST_HEADER: ""}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_another_sites_page_cannot_act_as_the_user(browse: Browse, headers: dict[str, str], status: int) -> None:
    """A login that the browser sends along is not enough: form posts and foreign origins are refused."""
    sent = {"Content-Type": "application/json", **ACT, **headers}
    answer = browse("admin").post("/loadtest/actions/mark", headers=sent, content=b"{}")
    assert answer.status_code == status
    assert answer.json()["detail"].startswith("refused")


def test_a_bearer_token_is_a_login_too(browse: Browse, tokens: dict[str, str]) -> None:
    """Programs send what Airflow's API gives them."""
    client = browse(None)
    assert client.get("/loadtest/", headers={"Authorization": f"Bearer {tokens['viewer']}"}).status_code == 200


def test_who_may_change_and_how_they_are_named(tokens: dict[str, str]) -> None:
    """Who may start the DAG that changes baselines: in Airflow's simple manager all but viewers."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    users = {role: SimpleAuthManagerUser(username=f"the {role}", role=role) for role in tokens}
    assert {role for role, user in users.items() if may_change(user)} == {"user", "op", "admin"}
    assert user_name(users["op"]) == "the op"


@pytest.mark.parametrize("has_teams", [False, True])
def test_the_team_of_a_dag_is_told_to_the_auth_manager(
    browse: Browse, monkeypatch: pytest.MonkeyPatch, has_teams: bool
) -> None:
    """Where Airflow has teams, permissions are theirs; elsewhere its database is not asked for one."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.models.dag import DagModel

    asked, told = [], []
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", str(has_teams))
    monkeypatch.setattr(DagModel, "get_team_name", lambda dag_id: asked.append(dag_id) or "payments")
    monkeypatch.setattr(type(get_auth_manager()), "is_authorized_dag", lambda _self, **how: told.append(how["details"]))
    assert browse("op").get("/loadtest/docs/").status_code == 403
    assert browse("op").post("/loadtest/actions/mark", headers=ACT, json={}).status_code == 403
    team = "payments" if has_teams else None
    assert [(one.id, one.team_name) for one in told] == [(READ_DAG, team), (CHANGE_DAG, team)]
    assert asked == ([READ_DAG, CHANGE_DAG] if has_teams else [])
