"""Who delivers what, by what is set up."""

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.history.database import connect
from include.loadtest.publishing.delivery import Budget, DeliveryError
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.services import GITHUB_KINDS, SLACK_KINDS, Services
from include.loadtest.publishing.slack import SlackSettings

pytestmark = pytest.mark.unit
SLACK = SlackSettings.checked(channel="#load-tests", token="xoxb-1")
GITHUB = GitHubSettings.checked("ghp_x", "acme/shop", pages_branch="gh-pages")
WRONG = ConfigError("connection loadtest_github: no repository")


def handlers(services: Services) -> dict:
    return services.handlers(connect("postgresql://nowhere/history"), lambda _uri, _name: None, lambda _uri: [])


def test_each_kind_has_a_handler_where_its_service_is_set_up() -> None:
    """The kinds that a wrong connection refuses are those that a right one delivers."""
    assert set(handlers(Services())) == set()
    assert set(handlers(Services(SLACK))) == set(SLACK_KINDS)
    assert set(handlers(Services(SLACK, GITHUB))) == {*SLACK_KINDS, *GITHUB_KINDS}
    assert (Services().any, Services(github=WRONG).any) == (False, True)


def test_what_was_there_when_the_run_began_is_expected_to_the_end() -> None:
    """Airflow calls a connection that it cannot read missing: then rows wait, and none is said not to be set up."""
    before = Services(SLACK, GITHUB)
    now = Services(github=GITHUB).as_before(before.names)
    assert now.github is GITHUB
    assert "connection loadtest_slack cannot be read now" in str(now.slack)
    assert Services(SLACK).as_before(()) == Services(SLACK)


def test_a_wrong_connection_refuses_with_what_is_wrong() -> None:
    """Its rows wait, and say why; the other service goes on."""
    services = Services(SLACK, WRONG)
    assert services.github_settings is None
    assert services.slack_settings is SLACK
    with pytest.raises(DeliveryError, match="no repository"):
        handlers(services)["ticket"](None, Budget(1, 1))
