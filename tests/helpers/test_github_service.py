"""The local GitHub keeps GitHub's rules, also those that its description does not state."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests

from tests.helpers.github_service import REPOSITORY, TOKEN, USER, WORKFLOW_TOKEN, GitHubService, Trouble, github_service

pytestmark = pytest.mark.integration
R = f"/repos/{REPOSITORY}"


@pytest.fixture
def github() -> Iterator[GitHubService]:
    with github_service() as service:
        yield service


def ask(github: GitHubService, method: str, path: str, body: Any = None, token: str = TOKEN) -> requests.Response:
    headers = {"Authorization": f"token {token}"}
    return requests.request(method, github.url + path, json=body, headers=headers, timeout=10)


REFUSED: dict[str, tuple[str, str, Any]] = {
    "a colour with a #": ("POST", f"{R}/labels", {"name": "x", "color": "#d73a4a"}),
    "a label that is there": ("POST", f"{R}/labels", {"name": "Known", "color": "d73a4a"}),
    "a description of a label of 101 characters": ("POST", f"{R}/labels", {"name": "x", "description": "d" * 101}),
    "a title of 257 characters": ("POST", f"{R}/issues", {"title": "t" * 257}),
    "a body of 65,537 characters": ("POST", f"{R}/issues", {"title": "t", "body": "b" * 65_537}),
    "a comment of 65,537 characters": ("POST", f"{R}/issues/1/comments", {"body": "b" * 65_537}),
    "an empty comment": ("POST", f"{R}/issues/1/comments", {"body": " "}),
    "a status' description of 141 characters": (
        "POST",
        f"{R}/statuses/HEAD",
        {"state": "success", "description": "d" * 141},
    ),
    "a status of no commit": ("POST", f"{R}/statuses/{'0' * 40}", {"state": "success"}),
    "a completed check without conclusion": (
        "POST",
        f"{R}/check-runs",
        {"name": "x", "head_sha": "HEAD", "status": "completed"},
    ),
    "a branch that is there": ("POST", f"{R}/git/refs", {"ref": "refs/heads/main", "sha": "HEAD"}),
    "a commit without tree": ("POST", f"{R}/git/commits", {"message": "m", "tree": "0" * 40}),
    "an empty tree": ("POST", f"{R}/git/trees", {"tree": []}),
    "a rule of the description": ("POST", f"{R}/issues", {"body": "x"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_github_refuses_is_refused(github: GitHubService, name: str) -> None:
    """With 422, as GitHub does."""
    github.issues.add_label("known")
    github.issues.add_issue(USER, {"title": "first"})
    method, path, body = REFUSED[name]
    if "head_sha" in body or "sha" in body:
        body = {key: github.api.head if value == "HEAD" else value for key, value in body.items()}
    answer = ask(github, method, path.replace("HEAD", github.api.head), body, WORKFLOW_TOKEN)
    assert answer.status_code == 422, answer.text


def test_a_broken_rule_of_the_description_is_kept(github: GitHubService) -> None:
    """A test looks at `faults` at its end: a program might hide a refusal."""
    ask(github, "POST", f"{R}/issues", {"title": "t", "colour": "red"})
    assert len(github.faults) == 1
    assert "colour" in github.faults[0]


@pytest.mark.parametrize("trouble", [None, Trouble(500), Trouble(is_cut=True), Trouble(slow_s=0.1), Trouble(307)])
@pytest.mark.parametrize("token", [TOKEN, "wrong"])
def test_a_request_is_judged_whatever_comes_of_it(github: GitHubService, trouble: Trouble | None, token: str) -> None:
    """Its rules are broken also where GitHub is in trouble or does not know the token."""
    if trouble is not None:
        github.troubles["issues/create"] = trouble
    with suppress(requests.ConnectionError):
        ask(github, "POST", f"{R}/issues", {"ttle": "x"}, token)
    assert any("ttle" in fault for fault in github.faults)
    assert len(github.faults) == len(set(github.faults)), "judged twice"
    assert github.issues.issues == {}


def test_an_api_may_begin_at_a_path() -> None:
    """A request beside it is outside of the API."""
    with github_service("/api/v3") as github:
        assert ask(github, "GET", f"{R}/issues").json() == []
        assert github.faults == []
        outside = github.url.removesuffix("/api/v3") + f"{R}/issues"
        assert requests.get(outside, headers={"Authorization": f"token {TOKEN}"}, timeout=10).status_code == 404
        assert "outside of the API" in github.faults[0]


def test_who_may_do_what(github: GitHubService) -> None:
    """A wrong token is 401, a check run by a personal one 403, another repository 404; a workflow is no user."""
    run = {"name": "x", "head_sha": github.api.head}
    assert ask(github, "GET", f"{R}/issues", token="wrong").status_code == 401
    assert ask(github, "POST", f"{R}/check-runs", run).status_code == 403
    assert ask(github, "POST", f"{R}/check-runs", run, WORKFLOW_TOKEN).status_code == 201
    assert ask(github, "GET", "/repos/example/other/issues").status_code == 404
    assert ask(github, "GET", "/user").json()["login"] == USER.login
    assert ask(github, "GET", "/user", token=WORKFLOW_TOKEN).status_code == 403
    assert github.faults == []


def test_lists_come_in_pages_with_links(github: GitHubService) -> None:
    """30 at a time, as many as are asked for up to 100; the links point to the service itself."""
    for number in range(101):
        github.issues.add_issue(USER, {"title": f"issue {number}"})
    first = ask(github, "GET", f"{R}/issues")
    assert len(first.json()) == 30
    assert first.links["next"]["url"].startswith(github.url)
    assert len(ask(github, "GET", f"{R}/issues?per_page=100").json()) == 100
    assert len(ask(github, "GET", f"{R}/issues?per_page=100&page=2").json()) == 1


def test_a_branch_moves_forward_only(github: GitHubService) -> None:
    """A commit on an older head is refused; on the newest it is taken; nothing is lost on the way."""
    tree = ask(github, "POST", f"{R}/git/trees", {"tree": [_file("a/b.txt", "one")], "base_tree": github.api.head})
    commits = [
        ask(
            github,
            "POST",
            f"{R}/git/commits",
            {"message": name, "tree": tree.json()["sha"], "parents": [github.api.head]},
        )
        for name in ("first", "second")
    ]
    moves = [ask(github, "PATCH", f"{R}/git/refs/heads/main", {"sha": one.json()["sha"]}) for one in commits]
    assert [move.status_code for move in moves] == [200, 422]
    assert github.git.content("main") == {"README.md": b"An assistant.\n", "a/b.txt": b"one"}
    assert github.git.history("main") == [commits[0].json()["sha"], github.api.head]
    branch = ask(github, "GET", f"{R}/branches/main").json()
    listed = ask(github, "GET", f"{R}/git/trees/{branch['commit']['commit']['tree']['sha']}?recursive=1").json()
    assert {item["path"] for item in listed["tree"]} == {"README.md", "a", "a/b.txt"}
    assert github.faults == []


def test_trees_are_named_as_git_names_them(github: GitHubService) -> None:
    """The empty-file blob and a tree of it have the names that git itself gives."""
    assert ask(github, "POST", f"{R}/git/blobs", {"content": ""}).json()["sha"] == (
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    )
    tree = ask(github, "POST", f"{R}/git/trees", {"tree": [_file("empty", "")]}).json()
    assert tree["sha"] == "417c01c8795a35b8e835113a85a5c0c1c77f67fb"


def _file(path: str, content: str) -> dict[str, str]:
    return {"path": path, "mode": "100644", "type": "blob", "content": content}
