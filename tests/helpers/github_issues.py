"""Issues, labels, comments and pulls of the local GitHub, with the rules that its description does not state."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.helpers.github_answers import filled
from tests.helpers.github_git import Refused

Json = dict[str, Any]
MOST_BODY_CHARS = 65_536
MOST_TITLE_CHARS = 256
_DEFAULT_COLOR = "ededed"


@dataclass(frozen=True)
class User:
    """Who asks: `kind` "User" (a personal token) or "Bot" (an App's, or that of a workflow)."""

    login: str
    kind: str = "User"


@dataclass
class IssueStore:
    """A repository's issues; pull requests are issues too, and share their numbers. Kept as GitHub would answer."""

    base_url: str
    api: str
    """Address of the repository within the API."""
    page: str
    """Address of the repository for people."""
    labels: dict[str, Json] = field(default_factory=dict)
    issues: dict[int, Json] = field(default_factory=dict)
    comments: dict[int, Json] = field(default_factory=dict)
    pulls: dict[int, Json] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def of_issue(self, number: int) -> list[Json]:
        """The comments of an issue or pull request, the oldest first."""
        self.issue(number)
        return [comment for comment in self.comments.values() if comment["issue_url"].endswith(f"/issues/{number}")]

    def user(self, user: User) -> Json:
        """As part of an answer."""
        return filled("simple-user", self.base_url, login=user.login, type=user.kind, id=_number(user.login))

    def label(self, name: str) -> Json:
        """One by its name; upper and lower case are the same."""
        if name.lower() not in self.labels:
            raise Refused(404, "Not Found")
        return self.labels[name.lower()]

    def add_label(self, name: str, color: str = _DEFAULT_COLOR, description: str | None = None) -> Json:
        """A new label."""
        # GitHub's page of labels: at most 50 characters of a name, 100 of a description; a colour without "#".
        if not name.strip() or len(name) > 50:
            raise _invalid("Label", "name")
        if not re.fullmatch(r"[0-9a-fA-F]{6}", color):
            raise _invalid("Label", "color")
        if len(description or "") > 100:
            raise _invalid("Label", "description")
        if name.lower() in self.labels:
            raise _invalid("Label", "name", "already_exists")
        values = {"name": name, "color": color, "description": description, "url": f"{self.api}/labels/{name}"}
        self.labels[name.lower()] = filled("label", self.base_url, id=next(self._ids), **values)
        return self.labels[name.lower()]

    def issue(self, number: int) -> Json:
        """One by its number."""
        if number not in self.issues:
            raise Refused(404, "Not Found")
        return self.issues[number]

    def add_issue(self, user: User, body: Mapping[str, Any]) -> Json:
        """A new issue, with the fields of the request."""
        number = max([0, *self.issues]) + 1
        url = f"{self.api}/issues/{number}"
        values: Json = {
            "number": number,
            "id": next(self._ids),
            "url": url,
            "html_url": f"{self.page}/issues/{number}",
            "comments_url": f"{url}/comments",
            "labels_url": f"{url}/labels{{/name}}",
            "repository_url": self.api,
            "state": "open",
            "state_reason": None,
            "body": None,
            "comments": 0,
            "user": self.user(user),
        }
        values |= dict.fromkeys(("created_at", "updated_at"), _now())
        values |= self._checked(body)
        self.issues[number] = filled("issue", self.base_url, **values)
        return self.issues[number]

    def change_issue(self, number: int, body: Mapping[str, Any]) -> Json:
        """Change the fields that the request names."""
        issue = self.issue(number)
        changes = self._checked(body)
        if changes.get("state") == "closed":
            reason = body.get("state_reason") or "completed"
            changes |= {"state_reason": reason, "closed_at": _now()}
        elif changes.get("state") == "open" and issue["state"] == "closed":
            changes |= {"state_reason": "reopened", "closed_at": None}
        issue |= changes | {"updated_at": _now()}
        return issue

    def add_labels(self, number: int, names: Sequence[str]) -> list[Json]:
        """Labels beside those that an issue has."""
        issue = self.issue(number)
        issue["labels"] += [label for label in self._labels(names) if label not in issue["labels"]]
        found: list[Json] = issue["labels"]
        return found

    def _checked(self, body: Mapping[str, Any]) -> Json:
        changes = {key: body[key] for key in ("title", "body", "state", "state_reason") if key in body}
        if "title" in changes and not 0 < len(str(changes["title"]).strip()) <= MOST_TITLE_CHARS:
            raise _invalid("Issue", "title")
        if len(changes.get("body") or "") > MOST_BODY_CHARS:
            raise _invalid("Issue", "body")
        if "labels" in body:
            changes["labels"] = self._labels([one if isinstance(one, str) else one["name"] for one in body["labels"]])
        return changes

    def _labels(self, names: Sequence[str]) -> list[Json]:
        """GitHub makes a label that an issue names and that is not there yet."""
        return [self.labels.get(name.lower()) or self.add_label(name) for name in names]

    def listed(self, query: Mapping[str, str]) -> list[Json]:
        """The issues of a query, by default the open ones, the newest first."""
        state, wanted = query.get("state", "open"), [one for one in query.get("labels", "").split(",") if one]
        found = [
            issue
            for issue in self.issues.values()
            if state in ("all", issue["state"])
            and {name.lower() for name in wanted} <= {label["name"].lower() for label in issue["labels"]}
            and issue["updated_at"] >= query.get("since", "")
        ]
        key = {"updated": "updated_at", "comments": "comments"}.get(query.get("sort", ""), "number")
        return sorted(found, key=lambda issue: issue[key], reverse=query.get("direction", "desc") == "desc")

    def comment(self, comment_id: int) -> Json:
        """One by its id."""
        if comment_id not in self.comments:
            raise Refused(404, "Not Found")
        return self.comments[comment_id]

    def add_comment(self, user: User, number: int, text: str) -> Json:
        """A comment on an issue or pull request."""
        issue, comment_id = self.issue(number), next(self._ids)
        _check_comment(text)
        values = {
            "id": comment_id,
            "body": text,
            "user": self.user(user),
            "url": f"{self.api}/issues/comments/{comment_id}",
            "html_url": f"{issue['html_url']}#issuecomment-{comment_id}",
            "issue_url": f"{self.api}/issues/{number}",
            "created_at": _now(),
            "updated_at": _now(),
        }
        self.comments[comment_id] = filled("issue-comment", self.base_url, **values)
        issue["comments"] += 1
        issue["updated_at"] = _now()
        return self.comments[comment_id]

    def change_comment(self, comment_id: int, text: str) -> Json:
        """Another text for a comment."""
        comment = self.comment(comment_id)
        _check_comment(text)
        comment |= {"body": text, "updated_at": _now()}
        return comment

    def add_pull(self, user: User, title: str, sha: str) -> Json:
        """A pull request whose newest commit is `sha`."""
        issue = self.add_issue(user, {"title": title})
        number = issue["number"]
        issue["html_url"] = f"{self.page}/pull/{number}"
        issue["pull_request"] = dict.fromkeys(("url", "html_url", "diff_url", "patch_url"), issue["html_url"])
        values = {
            "number": number,
            "title": title,
            "html_url": issue["html_url"],
            "state": "open",
            "head": {"sha": sha},
        }
        self.pulls[number] = filled("pull-request", self.base_url, url=f"{self.api}/pulls/{number}", **values)
        return self.pulls[number]


def _check_comment(text: str) -> None:
    if not text.strip() or len(text) > MOST_BODY_CHARS:
        raise _invalid("IssueComment", "body")


def _invalid(resource: str, name: str, code: str = "invalid") -> Refused:
    return Refused(422, "Validation Failed", {"resource": resource, "field": name, "code": code})


def _number(text: str) -> int:
    return sum(map(ord, text))


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
