"""A refusal of GitHub is told in its own words, with what fits them to be done."""

from typing import Any

import pytest
from github import GithubException

from include.loadtest.publishing.delivery import DeliveryError
from include.loadtest.publishing.github_refusals import CONNECTION, listed, of_request, of_service, part

pytestmark = pytest.mark.unit
DISABLED = "Issues has been disabled in this repository."


@pytest.mark.parametrize(
    ("status", "message", "action"),
    [
        (403, "Resource not accessible by personal access token", "check that the token has the permission"),
        (403, "Unable to create comment because issue is locked.", "unlock the conversation"),
        (403, "Repository was archived so is read-only.", "unarchive the repository"),
        (404, "Not Found", "check the repository's name"),
        (409, "Git Repository is empty.", "make the first commit"),
        (409, "Conflict", "docs.github.com/rest"),
        (410, DISABLED, "switch the feature on"),
        (410, "This issue was deleted", "docs.github.com/rest"),
        (422, "No commit found for SHA: abc", "push the commit"),
        (422, "Validation Failed", "the request breaks GitHub's rules: that is a fault of this program"),
        (451, "Repository access blocked", "docs.github.com/rest"),
    ],
)
def test_the_message_comes_first_and_what_to_do_fits_it(status: int, message: str, action: str) -> None:
    """Only the single request is concerned; broken rules are for ever."""
    error = of_request(GithubException(status, {"message": message}))
    assert str(error).startswith(f"GitHub refuses: {message.rstrip('.')} (HTTP {status}); {action}")
    assert error.is_permanent is (status == 422)
    assert not error.is_service_wide


@pytest.mark.parametrize("data", [None, [], {"errors": 7}, {"errors": ["x", 7]}, {"message": None}, "text"])
def test_a_refusal_of_any_form_is_told(data: Any) -> None:
    """A gateway's refusal has a form of its own."""
    assert "no reason given" in str(of_request(GithubException(403, data)))


def test_what_concerns_every_request_is_known() -> None:
    """An address that moved, a token, a failing service; not a number that does not exist."""
    texts = {status: of_service(GithubException(status, None), "POST", CONNECTION) for status in (301, 401, 404, 503)}
    assert texts[404] is None
    assert "has moved" in str(texts[301])
    assert "put a valid token into the password of connection loadtest_github" in str(texts[401])
    assert "HTTP 503" in str(texts[503])


@pytest.mark.parametrize("document", [None, [], "x", 7, {}, {"a": 7}, {"a": {}}, {"a": ["b"]}])
def test_a_field_that_an_answer_has_not_is_said(document: Any) -> None:
    """At any depth; a list is a list."""
    with pytest.raises(DeliveryError, match="unreadable: it has no"):
        part(document, "a", "b")
    assert part({"a": {"b": [1]}}, "a", "b") == [1]


def test_a_list_is_a_list() -> None:
    """Nothing else is gone through."""
    assert listed({"a": [1]}, "a") == [1]
    with pytest.raises(DeliveryError, match="a is no list"):
        listed({"a": {"b": 1}}, "a")
