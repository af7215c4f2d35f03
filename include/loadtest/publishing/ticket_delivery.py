"""What becomes of an outbox row that is for an issue: created once, written anew, commented, opened again or closed."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from include.loadtest.history.outbox import Row, touch
from include.loadtest.history.tickets import KIND, set_issue, ticket_of
from include.loadtest.publishing.delivery import Budget, Handler
from include.loadtest.publishing.github import GitHubSettings, github_errors, repository
from include.loadtest.publishing.ticket_marks import event_mark, has_mark, ticket_mark

if TYPE_CHECKING:
    from github.Issue import Issue
    from github.IssueComment import IssueComment
    from github.Repository import Repository

LOG = logging.getLogger("loadtest")
_LEFT_ALONE = frozenset({"not_planned", "duplicate"})
"""Reasons of a closing by which a person says that the issue is not wanted."""
_GONE = (404, 410)
_REFUSED = (403, 404, 422)
_FOLLOWS = (
    "The issue before this one, {}, cannot be written any more: it was deleted or transferred, its hidden first line "
    "was removed, or it is in a repository that this installation does not use any more."
)
_CLOCKS_DIFFER = timedelta(minutes=10)


def ticket_handlers(settings: GitHubSettings, *, engine: Engine) -> dict[str, Handler]:
    """The handler of the kind `ticket`; its receipt has `number` and `url` of the issue."""
    return {KIND: partial(_deliver, settings, engine)}


def _deliver(settings: GitHubSettings, engine: Engine, row: Row, budget: Budget) -> Mapping[str, Any]:
    payload = row.payload
    ticket = ticket_of(engine, payload["fingerprint"])
    is_latest = ticket is not None and ticket.generation == payload["generation"]
    number = payload["number"]
    if ticket is not None and is_latest:  # a number of another repository is somebody else's issue here
        number = ticket.number if ticket.repository == settings.repository else None
    with github_errors():
        at_github = _AtGitHub(repository(settings, budget), row)
        issue = at_github.known(number) or at_github.found()
        is_new = issue is None
        if issue is None:
            if payload["state"] == "closed" or not is_latest:
                return {"skipped": "there is no such issue any more, and none is needed"}
            issue = at_github.create(follows=None if ticket is None else ticket.reference)
        if issue.number != number:  # committed before the next call: from now on it is known
            set_issue(
                engine,
                payload["fingerprint"],
                payload["generation"],
                repository=settings.repository,
                number=issue.number,
                url=issue.html_url,
            )
            touch(engine, f"slack/run/{payload['run_id']}")  # the run's message shows its issues
        receipt = {"number": issue.number, "url": issue.html_url}
        return receipt if is_new else receipt | at_github.bring_up_to_date(issue)


@dataclass(frozen=True)
class _AtGitHub:
    """The steps of one row; each looks before it repeats what an earlier attempt may have done."""

    repository: "Repository"
    row: Row

    @property
    def _labels(self) -> list[str]:
        return list(self.row.payload["labels"])

    def known(self, number: int | None) -> "Issue | None":
        """The issue of that number, if it is still the ticket's: neither deleted nor transferred nor without its mark.

        A number alone proves nothing: a history may come from elsewhere, and what stands there is overwritten.
        """
        from github import GithubException

        if number is None:
            return None
        try:
            issue = self.repository.get_issue(number)
        except GithubException as refused:
            if refused.status not in _GONE:
                raise
            LOG.warning("issue %d is gone", number)
            return None
        if issue.url.startswith(f"{self.repository.url}/issues/") and self._is_ours(issue):
            return issue
        LOG.warning("issue %d is not this ticket's (any more): its hidden first line is not there", number)
        return None

    def found(self) -> "Issue | None":
        """The issue whose number is not known, by the label and its mark. GitHub's search lags behind, a list does not.

        Where an earlier attempt may have made it, also among the latest issues without the label: a token that may not
        set labels makes issues without any.
        """
        newest = partial(self.repository.get_issues, state="all", sort="created", direction="desc")
        issue = self._marked(newest(labels=self._labels[:1]))
        if issue is None and self.row.may_have_arrived:
            return self._marked(newest(since=self.row.created - _CLOCKS_DIFFER))
        return issue

    def _marked(self, issues: Iterable["Issue"]) -> "Issue | None":
        return next(filter(self._is_ours, issues), None)

    def _is_ours(self, issue: "Issue") -> bool:
        mark = ticket_mark(self.row.payload["fingerprint"], self.row.payload["generation"])
        # The mark first: where a list names no pull request, PyGithub asks for each issue whether it is one.
        return has_mark(issue.body, mark) and issue.pull_request is None

    def create(self, follows: str | None) -> "Issue":
        """A new issue, without labels rather than none; `follows`: one that was this ticket's and is not any more."""
        from github import GithubException

        title, body = self.row.payload["title"], self.row.payload["body"]
        if follows is not None:
            mark, _, text = body.partition("\n")
            body = f"{mark}\n\n{_FOLLOWS.format(follows)}\n{text}"
        self._make_labels(self._labels)
        try:
            issue = self.repository.create_issue(title, body=body, labels=self._labels)
        except GithubException as refused:
            if refused.status not in _REFUSED:
                raise
            issue = self.repository.create_issue(title, body=body)
        if missing := self._missing(issue):
            self._say_unlabelled(issue.number, missing)
        return issue

    def bring_up_to_date(self, issue: "Issue") -> dict[str, Any]:
        """Text, state, labels and comment as the row has them; an issue that a person does not want is left alone."""
        payload, is_closed = self.row.payload, issue.state == "closed"
        if is_closed and issue.state_reason in _LEFT_ALONE:
            LOG.info("issue %d is left alone: it was closed as %s", issue.number, issue.state_reason.replace("_", " "))
            return {"left_alone": issue.state_reason}
        if payload["state"] == "closed":
            if not is_closed:
                issue.edit(state="closed", state_reason="completed")
        else:
            self._add_labels(issue)
            issue.edit(body=payload["body"], state="open")
        self._comment(issue)
        return {}

    def _comment(self, issue: "Issue") -> None:
        text = self.row.payload["comment"]
        if text is None:
            return
        comment = self._earlier_comment(issue)
        if comment is None:
            issue.create_comment(text)
        elif comment.body != text:
            comment.edit(text)

    def _earlier_comment(self, issue: "Issue") -> "IssueComment | None":
        """This row's own comment, from an earlier version or from an attempt that failed before or after it.

        Always looked for: which step of an attempt was refused, and what stood before it, nobody has written down.
        """
        mark = event_mark(self.row.payload["fingerprint"], self.row.payload["run_id"])
        comments = issue.get_comments(since=self.row.created - _CLOCKS_DIFFER)
        return next((one for one in comments if has_mark(one.body, mark)), None)

    def _add_labels(self, issue: "Issue") -> None:
        """Labels that are new for the issue, beside those that people gave it."""
        from github import GithubException

        if missing := self._missing(issue):
            self._make_labels(missing)
            try:
                # Not add_to_labels: that sends a bare list, which GitHub's description does not have any more.
                self.repository.requester.requestJsonAndCheck("POST", f"{issue.url}/labels", input={"labels": missing})
            except GithubException as refused:
                if refused.status not in _REFUSED:
                    raise
                self._say_unlabelled(issue.number, missing)

    def _make_labels(self, names: Sequence[str]) -> None:
        """Labels that the repository does not have; without the permission GitHub makes them colourless, or not."""
        from github import GithubException

        try:
            there = {label.name.lower() for label in self.repository.get_labels()}
            for name in names:
                if name.lower() not in there:
                    self.repository.create_label(name, self.row.payload["label_colour"])
        except GithubException as refused:
            if refused.status not in _REFUSED:
                raise
            LOG.warning("a label cannot be created: HTTP %d; the issue is filed all the same", refused.status)

    def _missing(self, issue: "Issue") -> list[str]:
        there = {label.name.lower() for label in issue.labels}
        return [name for name in self._labels if name.lower() not in there]

    @staticmethod
    def _say_unlabelled(number: int, names: Sequence[str]) -> None:
        LOG.warning(
            "issue %d is filed without the labels %s: the token may not set them (docs/github.md)",
            number,
            ", ".join(names),
        )
