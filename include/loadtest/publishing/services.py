"""Slack and GitHub as one installation has them, and who delivers what is told there."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Engine

from include.loadtest.errors import ConfigError
from include.loadtest.history import outbox
from include.loadtest.history.tickets import issues_of
from include.loadtest.publishing.delivery import Budget, DeliveryError, Handler
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.pages import page_handlers
from include.loadtest.publishing.pull_request import pull_request_handlers
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.publishing.ticket_delivery import ticket_handlers

ReadFile = Callable[[str, str], bytes | None]
"""From a bundle's URI and a file's name to its content; None where it is not there."""
ListFiles = Callable[[str], list[str]]
SERVICES = ("slack", "github")
_GONE = "connection loadtest_%s cannot be read now; it was there when the run began"
SLACK_KINDS = ("slack_message", "slack_reply", "slack_file")
GITHUB_KINDS = ("ticket", "pull_request", "commit_check", "page")


@dataclass(frozen=True)
class Services:
    """Where people are told; None: not set up. An error: set up, but not so that it can work."""

    slack: SlackSettings | ConfigError | None = None
    github: GitHubSettings | ConfigError | None = None

    @property
    def any(self) -> bool:
        """Whether anything is set up."""
        return self.slack is not None or self.github is not None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are set up."""
        return tuple(name for name in SERVICES if getattr(self, name) is not None)

    def as_before(self, names: Collection[str]) -> "Services":
        """These, with an error for each of `names` that is missing now: Airflow says so of what it cannot read, too."""
        gone = {name: ConfigError(_GONE % name) for name in SERVICES if name in names and name not in self.names}
        return replace(self, **gone)

    @property
    def slack_settings(self) -> SlackSettings | None:
        """Slack, where it can work."""
        return None if isinstance(self.slack, ConfigError) else self.slack

    @property
    def github_settings(self) -> GitHubSettings | None:
        """GitHub, where it can work."""
        return None if isinstance(self.github, ConfigError) else self.github

    @property
    def has_thread(self) -> bool:
        """Whether replies can be told: a webhook knows no threads."""
        settings = self.slack_settings
        return self.slack is not None and (settings is None or not settings.is_webhook)

    def handlers(self, engine: Engine, read_file: ReadFile, list_files: ListFiles) -> dict[str, Handler]:
        """Who delivers which kind of row. For a service that is set up wrongly: what says so, until it is mended."""
        from include.loadtest.publishing.slack_delivery import slack_handlers  # Slack's library

        found: dict[str, Handler] = {}
        if isinstance(self.slack, ConfigError):
            found |= dict.fromkeys(SLACK_KINDS, partial(_refuse, str(self.slack)))
        elif self.slack is not None:
            found |= slack_handlers(
                self.slack, engine=engine, issues_of=partial(issues_of, engine), read_file=read_file
            )
        if isinstance(self.github, ConfigError):
            found |= dict.fromkeys(GITHUB_KINDS, partial(_refuse, str(self.github)))
        elif self.github is not None:
            found |= ticket_handlers(self.github, engine=engine)
            found |= pull_request_handlers(self.github)
            found |= page_handlers(self.github, read_file=read_file, list_files=list_files)
        return found


def _refuse(reason: str, row: outbox.Row, budget: Budget) -> Mapping[str, Any]:  # noqa: ARG001 - a handler's signature
    raise DeliveryError(reason)
