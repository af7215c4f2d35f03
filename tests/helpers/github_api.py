"""Which operation of GitHub's API does what to the local repository; one method an operation, named after it."""

import base64
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.github_answers import MOMENT, filled
from tests.helpers.github_contract import Operation
from tests.helpers.github_git import GitStore, Refused
from tests.helpers.github_issues import IssueStore, Json, User

MOST_CHECK_CHARS = 65_535
MOST_STATUS_CHARS = 140
NAME = "example/assistant"
Answer = tuple[int, Any]


@dataclass
class GitHubApi:
    """The repository `NAME`. `checks` and `statuses` are kept as GitHub would answer, the oldest first."""

    base_url: str
    git: GitStore = field(default_factory=GitStore)
    checks: list[Json] = field(default_factory=list)
    statuses: list[Json] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.api = f"{self.base_url}/repos/{NAME}"
        self.page = f"{self.base_url}/{NAME}"
        self.issues = IssueStore(self.base_url, self.api, self.page)
        self.head = self.git.add_commit(self.git.add_tree([_README]), [], "First")
        self.git.add_ref("refs/heads/main", self.head)

    def answer(self, operation: Operation, user: User, query: Mapping[str, str], body: Json) -> Answer:
        """Status and document. Raises Refused."""
        values = operation.values
        if "owner" in values and f"{values['owner']}/{values['repo']}".lower() != NAME:
            raise Refused(404, "Not Found")
        name = operation.description["operationId"].replace("/", "_").replace("-", "_")
        found: Answer = getattr(self, name)(user=user, query=query, body=body, **_own(values))
        return found

    def users_get_authenticated(self, *, user: User, **_: Any) -> Answer:
        # The token of an App or a workflow is no user: GitHub says so.
        if user.kind == "Bot":
            raise Refused(403, "Resource not accessible by integration")
        values = {"login": user.login, "type": user.kind, "user_view_type": "public"}
        return 200, filled("public-user", self.base_url, **values)

    def repos_get(self, **_: Any) -> Answer:
        values = {"full_name": NAME, "name": NAME.split("/")[1], "default_branch": "main"}
        return 200, filled("full-repository", self.base_url, url=self.api, html_url=self.page, **values)

    def repos_get_pages(self, **_: Any) -> Answer:
        return 200, filled("page", self.base_url, url=f"{self.api}/pages", html_url=f"{self.page}/pages/")

    # Issues

    def issues_list_labels_for_repo(self, **_: Any) -> Answer:
        return 200, list(self.issues.labels.values())

    def issues_create_label(self, *, body: Json, **_: Any) -> Answer:
        return 201, self.issues.add_label(**body)

    def issues_get_label(self, *, name: str, **_: Any) -> Answer:
        return 200, self.issues.label(name)

    def issues_list_for_repo(self, *, query: Mapping[str, str], **_: Any) -> Answer:
        return 200, self.issues.listed(query)

    def issues_create(self, *, user: User, body: Json, **_: Any) -> Answer:
        return 201, self.issues.add_issue(user, body)

    def issues_get(self, *, issue_number: str, **_: Any) -> Answer:
        return 200, self.issues.issue(int(issue_number))

    def issues_update(self, *, issue_number: str, body: Json, **_: Any) -> Answer:
        return 200, self.issues.change_issue(int(issue_number), body)

    def issues_add_labels(self, *, issue_number: str, body: Any, **_: Any) -> Answer:
        names = body if isinstance(body, list) else body["labels"]
        return 200, self.issues.add_labels(int(issue_number), names)

    def issues_list_comments(self, *, issue_number: str, query: Mapping[str, str], **_: Any) -> Answer:
        since = query.get("since", "")
        return 200, [one for one in self.issues.of_issue(int(issue_number)) if one["updated_at"] >= since]

    def issues_create_comment(self, *, user: User, issue_number: str, body: Json, **_: Any) -> Answer:
        return 201, self.issues.add_comment(user, int(issue_number), body["body"])

    def issues_get_comment(self, *, comment_id: str, **_: Any) -> Answer:
        return 200, self.issues.comment(int(comment_id))

    def issues_update_comment(self, *, comment_id: str, body: Json, **_: Any) -> Answer:
        return 200, self.issues.change_comment(int(comment_id), body["body"])

    def pulls_get(self, *, pull_number: str, **_: Any) -> Answer:
        if int(pull_number) not in self.issues.pulls:
            raise Refused(404, "Not Found")
        return 200, self.issues.pulls[int(pull_number)]

    # Checks and statuses

    def checks_create(self, *, user: User, body: Json, **_: Any) -> Answer:
        # A check run belongs to an App: a personal token may not make one.
        if user.kind == "User":
            raise Refused(403, "Resource not accessible by personal access token")
        if self.git.resolved(body["head_sha"]) is None:
            raise Refused(422, f"No commit found for SHA: {body['head_sha']}")
        number = next(self._ids)
        values = {"id": number, "url": f"{self.api}/check-runs/{number}", "html_url": f"{self.page}/runs/{number}"}
        run = filled("check-run", self.base_url, status="queued", check_suite={"id": number}, **values)
        self.checks.append(_checked_run(run | body, body))
        return 201, self.checks[-1]

    def checks_update(self, *, user: User, check_run_id: str, body: Json, **_: Any) -> Answer:
        run = next((run for run in self.checks if run["id"] == int(check_run_id)), None)
        if run is None or user.kind == "User":
            raise Refused(404, "Not Found") if run is None else Refused(403, "Resource not accessible")
        run |= _checked_run(run | body, body)
        return 200, run

    def checks_list_for_ref(self, *, ref: str, query: Mapping[str, str], **_: Any) -> Answer:
        name = query.get("check_name")
        runs = [run for run in self.checks if run["head_sha"] == self._commit(ref) and name in (None, run["name"])]
        newest = {run["name"]: run for run in runs}
        found = runs if query.get("filter") == "all" else list(newest.values())
        return 200, {"total_count": len(found), "check_runs": found}

    def repos_create_commit_status(self, *, user: User, sha: str, body: Json, **_: Any) -> Answer:
        if sha not in self.git.commits:
            raise Refused(422, f"No commit found for SHA: {sha}")
        if len(body.get("description") or "") > MOST_STATUS_CHARS:
            raise _invalid("Status", "description")
        if not str(body.get("target_url") or "https://").startswith(("https://", "http://")):
            raise _invalid("Status", "target_url")
        shown = {"context": "default", "description": None, "target_url": None, "avatar_url": None}
        values = {**shown, "created_at": MOMENT, "updated_at": MOMENT, **body}
        values |= {"id": next(self._ids), "url": f"{self.api}/statuses/{sha}", "creator": self.issues.user(user)}
        self.statuses.append(filled("status", self.base_url, **values) | {"sha": sha})
        return 201, {key: value for key, value in self.statuses[-1].items() if key != "sha"}

    def repos_get_combined_status_for_ref(self, *, ref: str, **_: Any) -> Answer:
        sha = self._commit(ref)
        newest = {status["context"]: status for status in self.statuses if status["sha"] == sha}
        states = {status["state"] for status in newest.values()}
        state = "failure" if states & {"failure", "error"} else "pending" if states != {"success"} else "success"
        statuses = [filled("simple-commit-status", self.base_url, **status) for status in newest.values()]
        values = {"state": state, "sha": sha, "total_count": len(statuses), "statuses": statuses}
        return 200, filled("combined-commit-status", self.base_url, **values)

    # Git

    def repos_get_branch(self, *, branch: str, **_: Any) -> Answer:
        sha = self.git.refs.get(f"heads/{branch}")
        if sha is None:
            raise Refused(404, "Branch not found")
        return 200, filled("branch-with-protection", self.base_url, name=branch, commit=self._document(sha))

    def repos_get_commit(self, *, ref: str, **_: Any) -> Answer:
        return 200, self._document(self._commit(ref))

    def _commit(self, ref: str) -> str:
        sha = self.git.resolved(ref)
        if sha is None:
            raise Refused(422, f"No commit found for SHA: {ref}")
        return sha

    def _document(self, sha: str) -> Json:
        commit = self.git.commits[sha]
        parents = [{"sha": one, "url": f"{self.api}/commits/{one}"} for one in commit.parents]
        inner = {"message": commit.message, "tree": {"sha": commit.tree, "url": f"{self.api}/git/trees/{commit.tree}"}}
        values = {"sha": sha, "url": f"{self.api}/commits/{sha}", "commit": inner, "parents": parents}
        return filled("commit", self.base_url, **values)

    def repos_get_content(self, *, path: str, query: Mapping[str, str], **_: Any) -> Answer:
        commit = self.git.resolved(query.get("ref", "main"))
        files = {} if commit is None else self.git.files(self.git.commits[commit].tree)
        if path not in files:
            raise Refused(404, "Not Found")
        sha = files[path][1]
        values = {"path": path, "name": path.rsplit("/", 1)[-1], "sha": sha, "type": "file", "encoding": "base64"}
        content = {"content": base64.encodebytes(self.git.blobs[sha]).decode(), "size": len(self.git.blobs[sha])}
        return 200, filled("content-file", self.base_url, **values, **content)

    def git_create_blob(self, *, body: Json, **_: Any) -> Answer:
        sha = self.git.add_blob(**body)
        return 201, {"sha": sha, "url": f"{self.api}/git/blobs/{sha}"}

    def git_get_blob(self, *, file_sha: str, **_: Any) -> Answer:
        if file_sha not in self.git.blobs:
            raise Refused(404, "Not Found")
        raw = self.git.blobs[file_sha]
        values = {"sha": file_sha, "size": len(raw), "encoding": "base64", "content": base64.encodebytes(raw).decode()}
        return 200, filled("blob", self.base_url, url=f"{self.api}/git/blobs/{file_sha}", **values)

    def git_create_tree(self, *, body: Json, **_: Any) -> Answer:
        return 201, self._tree(self.git.add_tree(body["tree"], body.get("base_tree")))

    def git_get_tree(self, *, tree_sha: str, query: Mapping[str, str], **_: Any) -> Answer:
        resolved = self.git.resolved(tree_sha)
        sha = self.git.commits[resolved].tree if resolved else tree_sha
        if sha not in self.git.trees:
            raise Refused(404, "Not Found")
        return 200, self._tree(sha, is_deep="recursive" in query)

    def _tree(self, sha: str, *, is_deep: bool = False) -> Json:
        entries = [self._entry(name, entry) for name, entry in self.git.trees[sha].items()]
        if is_deep:
            entries += [self._entry(path, (mode, "blob", one)) for path, (mode, one) in self.git.files(sha).items()]
        found = list({entry["path"]: entry for entry in entries}.values())
        return {"sha": sha, "url": f"{self.api}/git/trees/{sha}", "tree": found, "truncated": False}

    def _entry(self, path: str, entry: tuple[str, str, str]) -> Json:
        mode, kind, sha = entry
        size = {"size": len(self.git.blobs[sha])} if kind == "blob" else {}
        return {"path": path, "mode": mode, "type": kind, "sha": sha, "url": f"{self.api}/git/{kind}s/{sha}", **size}

    def git_create_commit(self, *, body: Json, **_: Any) -> Answer:
        sha = self.git.add_commit(body["tree"], body.get("parents", ()), body["message"])
        return 201, self._git_commit(sha)

    def git_get_commit(self, *, commit_sha: str, **_: Any) -> Answer:
        if commit_sha not in self.git.commits:
            raise Refused(404, "Not Found")
        return 200, self._git_commit(commit_sha)

    def _git_commit(self, sha: str) -> Json:
        commit = self.git.commits[sha]
        urls = {"url": self.api, "html_url": self.page}
        parents = [{"sha": one, **urls} for one in commit.parents]
        tree = {"sha": commit.tree, "url": f"{self.api}/git/trees/{commit.tree}"}
        values = {"sha": sha, "url": f"{self.api}/git/commits/{sha}", "message": commit.message, "parents": parents}
        return filled("git-commit", self.base_url, tree=tree, **values)

    def git_get_ref(self, *, ref: str, **_: Any) -> Answer:
        if ref not in self.git.refs:
            raise Refused(404, "Not Found")
        return 200, self._ref(ref)

    def git_create_ref(self, *, body: Json, **_: Any) -> Answer:
        self.git.add_ref(body["ref"], body["sha"])
        return 201, self._ref(body["ref"].removeprefix("refs/"))

    def git_update_ref(self, *, ref: str, body: Json, **_: Any) -> Answer:
        self.git.move_ref(ref, body["sha"], force=body.get("force", False))
        return 200, self._ref(ref)

    def _ref(self, name: str) -> Json:
        sha = self.git.refs[name]
        target = {"type": "commit", "sha": sha, "url": f"{self.api}/git/commits/{sha}"}
        url = f"{self.api}/git/refs/{name}"
        return filled("git-ref", self.base_url, ref=f"refs/{name}", url=url, object=target)


_README = {"path": "README.md", "mode": "100644", "type": "blob", "content": "An assistant.\n"}


def _own(values: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if key not in ("owner", "repo")}


def _checked_run(run: Json, body: Json) -> Json:
    """A check run after a request, with what GitHub adds. Raises Refused for what its description does not state."""
    output = body.get("output", {})
    for name in ("summary", "text"):
        if len(output.get(name) or "") > MOST_CHECK_CHARS:
            raise _invalid("CheckRun", name)
    if body.get("status") == "completed" and "conclusion" not in body:
        raise _invalid("CheckRun", "conclusion", "missing_field")
    if "conclusion" in body:
        run |= {"status": "completed", "completed_at": body.get("completed_at", MOMENT)}
    shown = {"title": None, "summary": None, "text": None, "annotations_count": 0, "annotations_url": run["url"]}
    return run | {"output": shown | output}


def _invalid(resource: str, name: str, code: str = "invalid") -> Refused:
    return Refused(422, "Validation Failed", {"resource": resource, "field": name, "code": code})
