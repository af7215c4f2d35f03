"""A trial of the alarm chain against a local Slack and GitHub."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from include.loadtest.history.database import connect, transaction, upgrade
from include.loadtest.orchestration.selftest.judging import Bench
from include.loadtest.orchestration.selftest.trial import Trial
from include.loadtest.publishing.services import Services
from tests.helpers.alarm_servers import Servers
from tests.helpers.github_service import github_service
from tests.helpers.slack_service import slack_service


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The committed recordings; what is computed of them is computed once."""
    return Bench(tmp_path_factory.mktemp("recordings"))


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    """A Slack and a GitHub whose rules nobody breaks."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with slack_service() as slack, github_service() as github:
        yield Servers(slack, github)
        assert (slack.faults, github.faults) == ([], [])


@pytest.fixture
def trial_of(history_url: str, bench: Bench) -> Callable[..., Trial]:
    """A trial with those services and an empty outbox."""
    upgrade(history_url)
    with transaction(connect(history_url)) as connection:
        connection.execute(text("TRUNCATE loadtest.delivery, loadtest.ticket, loadtest.ticket_event"))

    def make(services: Services, name: str = "smoke-1-alarm") -> Trial:
        return Trial(bench, services, history_url, name, "http://127.0.0.1:8080/dags/x/runs/y")

    return make


@pytest.fixture
def broken_copy(tmp_path: Path) -> Callable[[], Path]:
    """A copy of the recordings, for a test to damage."""
    import shutil

    from include.loadtest.orchestration.selftest.recordings import FOLDER

    return lambda: Path(shutil.copytree(FOLDER, tmp_path / "copy"))
