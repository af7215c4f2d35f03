"""`comment.py FILE`: keeps one comment on the pull request PR_NUMBER, made the first time and renewed from then on."""

import os
import sys
from pathlib import Path
from typing import Any

from github_api import GitHubError, call
from result import MARKER, links_of, no_verdict_body
from workflow_commands import annotate, say

AUTHOR = "github-actions[bot]"
_PAGE_SIZE, _MOST_PAGES = 100, 50
NO_WRITE = (
    "no comment was written: this run's token may not write (a fork's never may); the summary is on the run's page"
)


def main() -> int:
    """0 also where GitHub grants no writing: the verdict is the other job's; 1 when GitHub fails."""
    number = int(os.environ["PR_NUMBER"])
    file = Path(sys.argv[1])
    if os.environ["HEAD_REPOSITORY"] != os.environ["GITHUB_REPOSITORY"]:
        annotate("notice", NO_WRITE)
        return 0
    if file.is_file():
        body = file.read_text(encoding="utf-8")
    else:
        body = no_verdict_body("the job ended before it had a result", links_of(os.environ), [])
    try:
        comment_id = own_comment(number)
        if comment_id is None:
            call("POST", f"/issues/{number}/comments", {"body": body})
        else:
            call("PATCH", f"/issues/comments/{comment_id}", {"body": body})
    except GitHubError as error:
        if error.status == 403:
            annotate("notice", NO_WRITE)
            return 0
        annotate("error", f"no comment was written: {error}")
        return 1
    say("made a comment" if comment_id is None else "renewed the comment")
    return 0


def own_comment(number: int) -> int | None:
    """The id of the comment that an earlier run made: ours by its author and its first line, whatever it quotes."""
    for page in range(1, _MOST_PAGES + 1):
        found: list[dict[str, Any]] = call("GET", f"/issues/{number}/comments?per_page={_PAGE_SIZE}&page={page}")
        for comment in found:
            if (comment.get("user") or {}).get("login") == AUTHOR and (comment.get("body") or "").startswith(MARKER):
                return int(comment["id"])
        if len(found) < _PAGE_SIZE:
            break
    return None


if __name__ == "__main__":
    sys.exit(main())
