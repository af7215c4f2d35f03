"""The judge of GitHub's requests and answers refuses what breaks GitHub's description, and nothing else."""

import json
from typing import Any

import pytest

from tests.helpers.github_contract import answer_faults, description, operation_of, request_faults
from tests.helpers.trim_github_openapi import OPERATIONS, TRIMMED, trimmed

pytestmark = pytest.mark.unit
R = "/repos/example/assistant"
_RUN = {"name": "x", "head_sha": "a"}
_NOTE = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"}
VIOLATIONS: dict[str, tuple[str, str, Any]] = {
    "an issue without a title": ("POST", f"{R}/issues", {"body": "x"}),
    "a title that is a list": ("POST", f"{R}/issues", {"title": ["t"]}),
    "labels as one text": ("POST", f"{R}/issues", {"title": "t", "labels": "performance"}),
    "a misspelt field": ("POST", f"{R}/issues", {"title": "t", "lables": ["x"]}),
    "an unknown state": ("PATCH", f"{R}/issues/1", {"state": "done"}),
    "an unknown reason": ("PATCH", f"{R}/issues/1", {"state": "closed", "state_reason": "fixed"}),
    "a number that is none": ("PATCH", f"{R}/issues/one", {"state": "closed"}),
    "a comment without body": ("POST", f"{R}/issues/1/comments", {"text": "x"}),
    "a comment without anything": ("POST", f"{R}/issues/1/comments", None),
    "an unknown state in a query": ("GET", f"{R}/issues?state=opened", None),
    "a parameter given twice": ("GET", f"{R}/issues?state=open&state=all", None),
    "more on a page than GitHub gives": ("GET", f"{R}/issues?per_page=101", None),
    "an unknown parameter": ("GET", f"{R}/issues?label=x", None),
    "a body where none is asked for": ("GET", f"{R}/labels", {"x": 1}),
    "a status with an unknown state": ("POST", f"{R}/statuses/abc", {"state": "failed"}),
    "a check without commit": ("POST", f"{R}/check-runs", {"name": "x"}),
    "a check with an unknown conclusion": ("POST", f"{R}/check-runs", {**_RUN, "conclusion": "failed"}),
    "a misspelt field in a check's output": (
        "POST",
        f"{R}/check-runs",
        {**_RUN, "output": {"title": "t", "summary": "s", "txt": "x"}},
    ),
    "51 notes of a check": (
        "POST",
        f"{R}/check-runs",
        {**_RUN, "output": {"title": "t", "summary": "s", "annotations": [_NOTE] * 51}},
    ),
    "a tree of nothing": ("POST", f"{R}/git/trees", {"base_tree": "x"}),
    "an unknown mode of a file": ("POST", f"{R}/git/trees", {"tree": [{"path": "a", "mode": "100777"}]}),
    "a file by its content and by its name": (
        "POST",
        f"{R}/git/trees",
        {"tree": [{"path": "a", "mode": "100644", "type": "blob", "sha": "x", "content": "y"}]},
    ),
    "labels that are numbers": ("POST", f"{R}/issues/1/labels", [1]),
    "no labels": ("POST", f"{R}/issues/1/labels", []),
    "a branch without commit": ("POST", f"{R}/git/refs", {"ref": "refs/heads/x"}),
    "a blob without content": ("POST", f"{R}/git/blobs", {"encoding": "utf-8"}),
    "the path that PyGithub's GitRef.edit asks for": ("PATCH", f"{R}/git/ref/heads/pages", {"sha": "x"}),
    "a misspelt path": ("POST", f"{R}/isues", {"title": "x"}),
}
ALLOWED: list[tuple[str, str, Any]] = [
    ("POST", f"{R}/issues", {"title": "t", "body": "b", "labels": ["x"]}),
    ("GET", f"{R}/issues?state=open&labels=a,b&per_page=100&page=2", None),
    ("PATCH", f"{R}/issues/7", {"state": "closed", "state_reason": "completed"}),
    ("POST", f"{R}/issues/7/labels", {"labels": ["x"]}),
    ("POST", f"{R}/issues/7/labels", ["x", {"name": "y"}]),
    ("POST", f"{R}/statuses/abc", {"state": "failure", "context": "load-test", "target_url": None}),
    ("POST", f"{R}/check-runs", {**_RUN, "status": "completed", "conclusion": "neutral", "external_id": "e"}),
    ("POST", f"{R}/git/trees", {"tree": [{"path": "a", "mode": "100644", "type": "blob", "sha": None}]}),
    ("PATCH", f"{R}/git/refs/heads/a/b", {"sha": "x", "force": False}),
    ("GET", f"{R}/contents/reports/index.html?ref=pages", None),
    ("GET", "/user", None),
]


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_request_that_breaks_the_description_is_refused(name: str) -> None:
    """Path, query, body, and fields that GitHub would silently ignore."""
    method, url, body = VIOLATIONS[name]
    assert request_faults(method, url, None if body is None else json.dumps(body)) != []


@pytest.mark.parametrize(("method", "url", "body"), ALLOWED, ids=lambda value: str(value)[:60])
def test_a_request_within_the_description_is_let_through(method: str, url: str, body: Any) -> None:
    """The judge refuses nothing that GitHub takes."""
    assert request_faults(method, url, None if body is None else json.dumps(body)) == []


def test_an_answer_of_another_shape_is_a_fault() -> None:
    """A stand-in that answers what GitHub never would proves nothing."""
    operation = operation_of("GET", f"{R}/issues/1/comments")
    assert operation is not None
    assert answer_faults(operation, 200, "[]") == []
    assert answer_faults(operation, 200, '[{"id": "1", "body": "x"}]') != []
    assert answer_faults(operation, 201, "[]") != []


def test_the_description_holds_what_is_used_and_says_where_it_is_from() -> None:
    """The trimmed file is small, names its source, has its licence beside it, and holds what is listed."""
    assert TRIMMED.stat().st_size < 500_000
    assert "@octokit/openapi 23.0.2" in description()["x-source"]
    assert "MIT License" in (TRIMMED.parent / "LICENSE.octokit-openapi").read_text()
    found = {f"{method} {path}" for path, item in description()["paths"].items() for method in item}
    assert found == {line for line in OPERATIONS.split("\n") if line}


def test_null_stays_allowed_beside_a_choice() -> None:
    """Validators of OpenAPI 3.0 read "nullable" only beside a type: without care null would be refused there."""
    choice = {"nullable": True, "oneOf": [{"type": "string"}, {"type": "integer"}], "description": "words"}
    paths: dict[str, Any] = {}
    for line in (line for line in OPERATIONS.split("\n") if line):
        method, path = line.split()
        paths.setdefault(path, {})[method] = {"schema": choice}
    cut = trimmed({"openapi": "3.0.3", "paths": paths, "components": {}})
    (schema,) = cut["paths"]["/user"]["get"].values()
    assert schema["anyOf"][1]["enum"] == [None]
    assert "description" not in str(schema)
