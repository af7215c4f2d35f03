"""A report's way onto the branch of GitHub Pages: one commit by the Git Data API, on top of whatever is there.

Nothing is ever pushed by force: a commit whose parent is no longer the branch's head is refused by GitHub, and is made
anew on the new head. A folder is given as the `sha` of its tree, so what others have published is not even read.
"""

import base64
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from include.loadtest.publishing.delivery import DeliveryError
from include.loadtest.publishing.github_refusals import listed, part, refusal, unreadable
from include.loadtest.publishing.pages_index import IndexEntry, index_json, is_run_folder, merged, read_index
from include.loadtest.publishing.pages_site import index_page

if TYPE_CHECKING:
    from github.Repository import Repository

SITE = "load-tests"
INDEX_PAGE, INDEX = "index.html", "index.json"
NO_JEKYLL = ".nojekyll"
"""With it GitHub serves the files as they are; without it, it builds a site of them and leaves some out."""
MOST_TRIES = 6
"""Of one publication against other writers; the next delivery goes on."""
MAX_INDEX_BYTES = 1_000_000
MAX_INLINE_BYTES = 1_000_000
"""A larger text goes on its own, and not in the request that names all files of a folder."""
_PAUSE_S = 0.2
_CONFLICTS = (409, 422)
_FILE, _FOLDER = "100644", "040000"

Json = dict[str, Any]


@dataclass(frozen=True)
class Publication:
    """A run's line in the list and the files of its folder; a text is served as UTF-8."""

    entry: IndexEntry
    files: Mapping[str, str | bytes]


@dataclass(frozen=True)
class _Head:
    """The branch as it is: `commit` and `tree` are None where there is none yet; `names` is what its root has."""

    commit: str | None
    tree: str | None
    names: frozenset[str]
    site: Sequence[Json]
    known: Sequence[IndexEntry]


def publish(repository: "Repository", branch: str, publication: Publication) -> bool:
    """Add the publication, in the place of an earlier one of the same run; drop what is too old, in the same commit.

    False where the run is itself older than all that the list keeps: nothing is written then, as where everything is
    there already. Raises DeliveryError, OutOfTime, and PyGithub's exceptions for `github_errors`.
    """
    git = _Git(repository)
    folder = _run_tree(git, publication.files)
    for attempt in range(1, MOST_TRIES + 1):
        head = git.head(branch)
        if not head.known:
            git.check_is_own(branch)
        folders = [item["path"] for item in head.site if item["type"] == "tree"]
        entries = merged(publication.entry, head.known, folders)
        if publication.entry not in entries:
            return False
        tree = _root_tree(git, head, _site_tree(git, head, publication.entry.run_id, folder, entries))
        if tree == head.tree or git.moved(branch, head, tree, f"Load test report {publication.entry.run_id}"):
            return True
        time.sleep(_PAUSE_S * attempt * random.random())  # noqa: S311 - writers that met once must not meet again
    text = f"branch {branch}: others have written to it {MOST_TRIES} times in between; it is tried again"
    raise DeliveryError(text, is_service_wide=False)


def _run_tree(git: "_Git", files: Mapping[str, str | bytes]) -> str:
    items: list[Json] = []
    for name, content in files.items():
        if isinstance(content, str) and len(content.encode()) <= MAX_INLINE_BYTES:
            items.append(_file(name, content=content))
        else:
            items.append(_file(name, sha=git.made("git/blobs", _blob(content))))
    return git.made("git/trees", {"tree": items})


def _blob(content: str | bytes) -> Json:
    if isinstance(content, str):
        return {"content": content, "encoding": "utf-8"}
    return {"content": base64.b64encode(content).decode(), "encoding": "base64"}


def _site_tree(git: "_Git", head: _Head, run_id: str, folder: str, entries: Sequence[IndexEntry]) -> str:
    """All that is listed, the new folder, the list; foreign files and folders stay."""
    listed = {entry.run_id for entry in entries}
    managed = {entry.run_id for entry in head.known} | {INDEX, INDEX_PAGE, run_id}
    kept = [
        {key: item[key] for key in ("path", "mode", "type", "sha")}
        for item in head.site
        if item["path"] in listed - {run_id} or not (item["path"] in managed or is_run_folder(item["path"]))
    ]
    new = [
        {"path": run_id, "mode": _FOLDER, "type": "tree", "sha": folder},
        _file(INDEX, content=index_json(entries)),
        _file(INDEX_PAGE, content=index_page(entries)),
    ]
    return git.made("git/trees", {"tree": kept + new})


def _root_tree(git: "_Git", head: _Head, site: str) -> str:
    items = [{"path": SITE, "mode": _FOLDER, "type": "tree", "sha": site}]
    if NO_JEKYLL not in head.names:
        items.append(_file(NO_JEKYLL, content="\n"))
    return git.made("git/trees", {"tree": items} | ({} if head.tree is None else {"base_tree": head.tree}))


def _file(path: str, **content: str) -> Json:
    return {"path": path, "mode": _FILE, "type": "blob", **content}


@dataclass(frozen=True)
class _Git:
    """The calls of the Git Data API. Paths are written out: PyGithub's own `GitRef.edit` asks for one that is none."""

    repository: "Repository"

    def _call(self, verb: str, path: str, body: Json | None = None) -> Any:
        place = f"/repos/{self.repository.full_name}/{path}".rstrip("/")
        _, answer = self.repository.requester.requestJsonAndCheck(verb, place, input=body)
        return answer

    def made(self, path: str, body: Json) -> str:
        """The sha of a new object; git gives equal content an equal one."""
        return str(part(self._call("POST", path, body), "sha"))

    def check_is_own(self, branch: str) -> None:
        """Nobody works on that branch. Raises DeliveryError for the repository's default one."""
        if part(self._call("GET", ""), "default_branch") == branch:
            text = f"{branch} is the repository's default branch: reports would go among its files"
            raise DeliveryError(f"{text}; set pages_branch to one of its own, such as gh-pages", is_permanent=True)

    def head(self, branch: str) -> _Head:
        """The branch now, with the list of runs on it."""
        commit = self._commit(branch)
        if commit is None:
            return _Head(None, None, frozenset(), (), ())
        tree = str(part(commit, "commit", "tree", "sha"))
        root = self._items(tree)
        folder = next((item for item in root if item["path"] == SITE and item["type"] == "tree"), None)
        site = () if folder is None else self._items(folder["sha"])
        return _Head(str(part(commit, "sha")), tree, frozenset(item["path"] for item in root), site, self._known(site))

    def _commit(self, branch: str) -> Json | None:
        """The branch's head; None where there is no such branch."""
        from github import UnknownObjectException

        try:
            commit: Json = part(self._call("GET", f"branches/{quote(branch)}"), "commit")
        except UnknownObjectException:
            return None
        return commit

    def _items(self, tree: str) -> Sequence[Json]:
        answer = self._call("GET", f"git/trees/{tree}")
        if part(answer, "truncated"):
            text = "the branch has more files in one folder than GitHub lists: move the reports elsewhere"
            raise DeliveryError(text, is_service_wide=False)
        needed = ("path", "mode", "type", "sha")
        return [{**item, **{key: part(item, key) for key in needed}} for item in listed(answer, "tree")]

    def _known(self, site: Sequence[Json]) -> Sequence[IndexEntry]:
        index = next((item for item in site if item["path"] == INDEX and item["type"] == "blob"), None)
        if index is None or index.get("size", 0) > MAX_INDEX_BYTES:
            return ()
        blob = self._call("GET", f"git/blobs/{index['sha']}")
        try:
            return read_index(base64.b64decode(part(blob, "content")))
        except (TypeError, ValueError):
            raise unreadable(may_have_arrived=False) from None

    def moved(self, branch: str, head: _Head, tree: str, message: str) -> bool:
        """Commit `tree` and let the branch point to it; False where the branch has another head by now.

        Raises DeliveryError where GitHub refuses though nobody else has moved the branch: a protected one, say.
        """
        from github import GithubException

        parents = [] if head.commit is None else [head.commit]
        commit = self.made("git/commits", {"message": message, "tree": tree, "parents": parents})
        try:
            if head.commit is None:
                self._call("POST", "git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
            else:
                self._call("PATCH", f"git/refs/heads/{quote(branch)}", {"sha": commit, "force": False})
        except GithubException as refused:
            if refused.status not in _CONFLICTS:
                raise
            now = self._commit(branch)
            if head.commit != (None if now is None else part(now, "sha")):
                return False
            text = f"branch {branch}: {refusal(refused)}; let the token write to it, or publish to another branch"
            raise DeliveryError(text, is_service_wide=False) from None
        return True
