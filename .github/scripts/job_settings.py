"""GitHub's settings as a job of the workflow has them: in its environment, and not in a connection of Airflow."""

from collections.abc import Mapping

from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.github_refusals import Source

JOB = Source(
    token="GITHUB_TOKEN",  # noqa: S106 - the name of a variable
    repository="GITHUB_REPOSITORY",
    base_url="GITHUB_API_URL",
    pages_branch="the source of GitHub Pages",
    pages_url="the address of GitHub Pages",
)
"""Variables that GitHub sets itself, but for the token, and what it says of the repository's Pages."""


def job_settings(environment: Mapping[str, str]) -> GitHubSettings:
    """The repository that the job runs for, and its token. Raises ConfigError, which names the variable."""
    return GitHubSettings.checked(
        environment.get("GITHUB_TOKEN"),
        environment.get("GITHUB_REPOSITORY"),
        environment.get("GITHUB_API_URL"),
        source=JOB,
    )
