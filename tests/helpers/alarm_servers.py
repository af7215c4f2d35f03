"""A local Slack and a local GitHub together, as an installation has both."""

from dataclasses import dataclass

from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from tests.helpers.github_service import REPOSITORY, GitHubService
from tests.helpers.github_service import TOKEN as GITHUB_TOKEN
from tests.helpers.slack_service import CHANNEL, SlackService
from tests.helpers.slack_service import TOKEN as SLACK_TOKEN


@dataclass(frozen=True)
class Servers:
    """Both services, and who may use them."""

    slack: SlackService
    github: GitHubService

    def services(self, slack_token: str = SLACK_TOKEN, github_token: str = GITHUB_TOKEN) -> Services:
        """Both set up, with these credentials."""
        return Services(
            SlackSettings.checked(channel=CHANNEL, token=slack_token, base_url=self.slack.base_url),
            GitHubSettings.checked(github_token, REPOSITORY, base_url=self.github.url),
        )
