"""The objects and branches of a small git repository, as GitHub's Git Data API makes and moves them."""

import base64
import hashlib
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Item = Mapping[str, str | None]
Tree = dict[str, tuple[str, str, str]]
"""From a name to mode, type and sha."""


class Refused(Exception):  # noqa: N818 - GitHub's answer, no error of the helper
    """GitHub's refusal: a status and its words."""

    def __init__(self, status: int, message: str, *errors: Mapping[str, str]) -> None:
        super().__init__(f"{status} {message}")
        self.status, self.message, self.errors = status, message, errors


@dataclass(frozen=True)
class Commit:
    """A commit: its tree and parents by sha."""

    tree: str
    parents: tuple[str, ...]
    message: str


@dataclass
class GitStore:
    """Blobs, trees and commits by sha, branches by name (`heads/main`)."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def add_blob(self, content: str, encoding: str = "utf-8") -> str:
        """The sha of a blob of that content."""
        raw = base64.b64decode(content, validate=False) if encoding == "base64" else content.encode()
        sha = _sha("blob", raw)
        self.blobs[sha] = raw
        return sha

    def add_tree(self, items: Iterable[Item], base: str | None = None) -> str:
        """The sha of a tree of the items on top of `base`. Raises Refused for what GitHub refuses."""
        listed = list(items)
        if not listed:
            raise Refused(422, "Invalid tree info")
        files = {} if base is None else self.files(self._tree_sha(base))
        for item in listed:
            self._put(files, item)
        return self._write(files)

    def _tree_sha(self, sha: str) -> str:
        """A commit may be named instead of its tree."""
        found = self.commits[sha].tree if sha in self.commits else sha
        if found not in self.trees:
            raise Refused(404, "Not Found")
        return found

    def _put(self, files: dict[str, tuple[str, str]], item: Item) -> None:
        path, mode, sha = item.get("path") or "", item.get("mode") or "", item.get("sha")
        if not path or path.startswith("/") or posixpath.normpath(path) != path or path.split("/")[0] == "..":
            raise Refused(422, "tree.path contains a malformed path component")
        if "content" in item and "sha" in item:
            raise Refused(422, "Must supply either tree.sha or tree.content, not both")
        if "content" not in item and "sha" not in item:
            raise Refused(422, "Must supply a valid tree.sha or tree.content")
        if item.get("type") != {"040000": "tree", "160000": "commit"}.get(mode, "blob"):
            raise Refused(422, "tree.type does not fit tree.mode")
        for known in [name for name in files if name == path or name.startswith(path + "/")]:
            del files[known]
        if "content" in item:
            files[path] = (mode, self.add_blob(item["content"] or ""))
        elif sha is not None:
            files |= self._named(path, mode, sha)

    def _named(self, path: str, mode: str, sha: str) -> dict[str, tuple[str, str]]:
        if mode == "040000" and sha in self.trees:
            return {f"{path}/{name}": entry for name, entry in self.files(sha).items()}
        if mode != "040000" and sha in self.blobs:
            return {path: (mode, sha)}
        raise Refused(422, f"tree.sha {sha} is not a valid object")

    def _write(self, files: Mapping[str, tuple[str, str]]) -> str:
        """The sha of the tree of all those paths, its folders written first."""
        tree: Tree = {}
        folders: dict[str, dict[str, tuple[str, str]]] = {}
        for path, entry in files.items():
            name, _, rest = path.partition("/")
            if rest:
                folders.setdefault(name, {})[rest] = entry
            else:
                tree[name] = (entry[0], "blob", entry[1])
        tree |= {name: ("040000", "tree", self._write(inner)) for name, inner in folders.items()}
        ordered = sorted(tree, key=lambda name: name + "/" * (tree[name][1] == "tree"))
        raw = b"".join(f"{tree[n][0].lstrip('0')} {n}\0".encode() + bytes.fromhex(tree[n][2]) for n in ordered)
        sha = _sha("tree", raw)
        self.trees[sha] = {name: tree[name] for name in ordered}
        return sha

    def files(self, tree: str) -> dict[str, tuple[str, str]]:
        """All files of a tree: path to mode and sha."""
        found: dict[str, tuple[str, str]] = {}
        for name, (mode, kind, sha) in self.trees[tree].items():
            if kind == "tree":
                found |= {f"{name}/{path}": entry for path, entry in self.files(sha).items()}
            else:
                found[name] = (mode, sha)
        return found

    def content(self, branch: str) -> dict[str, bytes]:
        """What a branch's files hold, by path."""
        tree = self.commits[self.refs[f"heads/{branch}"]].tree
        return {path: self.blobs[sha] for path, (_, sha) in self.files(tree).items()}

    def history(self, branch: str) -> list[str]:
        """The commits of a branch along the first parents, the newest first."""
        found = [self.refs[f"heads/{branch}"]]
        while parents := self.commits[found[-1]].parents:
            found.append(parents[0])
        return found

    def add_commit(self, tree: str, parents: Iterable[str], message: str) -> str:
        """The sha of a new commit. Raises Refused where its tree or a parent does not exist."""
        commit = Commit(tree, tuple(parents), message)
        if tree not in self.trees:
            raise Refused(422, "Tree SHA does not exist")
        if any(parent not in self.commits for parent in commit.parents):
            raise Refused(422, "Parent SHA does not exist or is not a commit object")
        sha = _sha("commit", f"{commit} {len(self.commits)}".encode())
        self.commits[sha] = commit
        return sha

    def add_ref(self, ref: str, sha: str) -> None:
        """A new branch or tag, as `refs/heads/main`. Raises Refused."""
        name = ref.removeprefix("refs/")
        if name == ref or name.count("/") < 1:
            raise Refused(422, f"{ref} is not a valid ref name.")
        if name in self.refs:
            raise Refused(422, "Reference already exists")
        if sha not in self.commits:
            raise Refused(422, "Object does not exist")
        self.refs[name] = sha

    def move_ref(self, name: str, sha: str, *, force: bool = False) -> None:
        """Let an existing one point to a later commit; to any other one only by force. Raises Refused."""
        if name not in self.refs:
            raise Refused(422, "Reference does not exist")
        if sha not in self.commits:
            raise Refused(422, "Object does not exist")
        if not force and not self._leads_to(sha, self.refs[name]):
            raise Refused(422, "Update is not a fast forward")
        self.refs[name] = sha

    def _leads_to(self, sha: str, earlier: str) -> bool:
        waiting, seen = [sha], set()
        while waiting:
            one = waiting.pop()
            if one == earlier:
                return True
            if one not in seen:
                seen.add(one)
                waiting += self.commits[one].parents
        return False

    def resolved(self, name: str) -> str | None:
        """The commit that a branch's name, `heads/…` or a sha means."""
        return self.refs.get(name) or self.refs.get(f"heads/{name}") or (name if name in self.commits else None)


def _sha(kind: str, raw: bytes) -> str:
    """As git names its objects."""
    return hashlib.sha1(f"{kind} {len(raw)}\0".encode() + raw, usedforsecurity=False).hexdigest()
