"""`python -m tests.helpers.trim_github_openapi api.github.com.json`: GitHub's API description, cut to what is used.

The input is `package/generated/api.github.com.json` of `npm pack @octokit/openapi@23.0.2`. The output,
tests/data/github/api.github.com.trimmed.json, holds the operations below with all that they refer to, without
descriptions and examples. Two things are written otherwise. "nullable" beside a choice of schemas or values has no
effect for validators of OpenAPI 3.0, so null is made one of the choices; a discriminator only says which of them is
meant, and is left out. What the description says of values in words only is said in the schema (`_with_words`).
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TRIMMED = Path(__file__).parents[1] / "data" / "github" / "api.github.com.trimmed.json"
SOURCE = "npm @octokit/openapi 23.0.2, generated/api.github.com.json; trimmed by tests/helpers/trim_github_openapi.py"
_REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = """
get /user
get /R
get /R/labels
post /R/labels
get /R/labels/{name}
get /R/issues
post /R/issues
get /R/issues/{issue_number}
patch /R/issues/{issue_number}
get /R/issues/{issue_number}/comments
post /R/issues/{issue_number}/comments
post /R/issues/{issue_number}/labels
get /R/issues/comments/{comment_id}
patch /R/issues/comments/{comment_id}
get /R/pulls/{pull_number}
get /R/branches/{branch}
get /R/commits/{ref}
get /R/commits/{ref}/status
get /R/commits/{ref}/check-runs
post /R/check-runs
patch /R/check-runs/{check_run_id}
post /R/statuses/{sha}
get /R/contents/{path}
post /R/git/blobs
get /R/git/blobs/{file_sha}
post /R/git/trees
get /R/git/trees/{tree_sha}
post /R/git/commits
get /R/git/commits/{commit_sha}
get /R/git/ref/{ref}
post /R/git/refs
patch /R/git/refs/{ref}
get /R/pages
""".replace("/R", _REPOSITORY)
_CHOICES = ("oneOf", "anyOf", "allOf", "$ref")
_FOR_PEOPLE = (
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "x-github",
    "title",
    "headers",
    "discriminator",
)


def trimmed(description: dict[str, Any]) -> dict[str, Any]:
    """The part of a description that holds `OPERATIONS`."""
    paths: dict[str, Any] = {}
    for method, path in (line.split() for line in OPERATIONS.split("\n") if line):
        paths.setdefault(path, {})[method] = _plain(description["paths"][path][method])
    components: dict[str, Any] = {}
    waiting = list(_references(paths))
    while waiting:
        kind, name = waiting.pop().removeprefix("#/components/").split("/", 1)
        if name not in components.setdefault(kind, {}):
            components[kind][name] = _plain(description["components"][kind][name])
            waiting += _references(components[kind][name])
    return {"openapi": description["openapi"], "x-source": SOURCE, "paths": paths, "components": components}


def _plain(part: Any, *, is_names: bool = False) -> Any:
    """Without words for people; `is_names`: the keys are names of fields, which may be called "description"."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {
        key: _plain(value, is_names=key == "properties" and not is_names)
        for key, value in part.items()
        if is_names or key not in _FOR_PEOPLE
    }
    if kept.get("nullable") is True and isinstance(kept.get("enum"), list) and None not in kept["enum"]:
        kept["enum"] = [*kept["enum"], None]
    if kept.get("nullable") is True and "type" not in kept and any(key in kept for key in _CHOICES):
        del kept["nullable"]
        return {"anyOf": [kept, {"type": "object", "nullable": True, "enum": [None]}]}
    return kept if is_names else _with_words(part, kept)


def _with_words(part: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """`kept` with what `part` says of it in words: a number's maximum, fields that exclude each other, a bare list."""
    most = re.search(r"\(max (\d+)\)", _words(part))
    if most and part.get("in") == "query" and kept["schema"].get("type") == "integer":
        return kept | {"schema": kept["schema"] | {"maximum": int(most[1])}}
    fields = part.get("properties")
    if not isinstance(fields, dict):
        return kept
    if "Using both `tree.sha` and `content` will return an error" in _words(fields.get("sha")):
        return kept | {"not": {"required": ["sha", "content"]}}
    if "You can also pass an `array` of labels directly" in _words(fields.get("labels")):
        return {"anyOf": [kept, kept["properties"]["labels"]]}
    return kept


def _words(part: Any) -> str:
    words = part.get("description") if isinstance(part, dict) else None
    return words if isinstance(words, str) else ""


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _lines(document: dict[str, Any]) -> str:
    """JSON with a line for each path and component, so that two versions can be compared."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    for group in (document["paths"], *document["components"].values()):
        for name in group:
            text = text.replace(f'{json.dumps(name)}:{{"', f'\n{json.dumps(name)}:{{"', 1)
    return text + "\n"


if __name__ == "__main__":
    TRIMMED.write_text(_lines(trimmed(json.loads(Path(sys.argv[1]).read_text()))))
    print(f"{TRIMMED}: {TRIMMED.stat().st_size} bytes")
