"""Where pages read from: bundles below the results URI first, then where the history says; connections as Airflow's."""

from pathlib import Path
from typing import Any

import pytest

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.orchestration import settings
from include.loadtest.orchestration.web import sources
from include.loadtest.orchestration.web.missing import no_such_run
from include.loadtest.orchestration.web.sources import StoredBundle, bundle_here, find_bundle
from tests.helpers.web_bundles import begun_suite, concluded_run

pytestmark = pytest.mark.unit
STAMP = "20261120-100000-abcdef"


def test_a_bundle_below_the_results_uri_is_found_first(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that only just began is in no history; one that lies elsewhere is where the history says."""
    concluded_run(results, "smoke-1")
    row: dict[str, Any] = {"bundle_uri": "file:///elsewhere/smoke-2"}
    monkeypatch.setattr(sources, "run_row", lambda run_id: row if run_id == "smoke-2" else None)
    assert find_bundle("smoke-1") == StoredBundle("smoke-1", str(results / "smoke-1"))
    assert find_bundle("smoke-2") == StoredBundle("smoke-2", "/elsewhere/smoke-2")
    assert find_bundle("smoke-3") is None
    (results / "smoke-3").mkdir()
    (results / "smoke-3" / "live.json").write_text("{}")  # all that a store has while its first stage works
    assert find_bundle("smoke-3") == bundle_here("smoke-3")


@pytest.mark.parametrize("text", ["", "..", "a/b", "A", "a b", "a\x00", "a\n", "é", "x" * 201])
def test_what_cannot_be_an_id(text: str) -> None:
    """Names of folders are made of ids, so nothing else is one."""
    assert not sources.is_id(text)
    assert find_bundle(text) is None


def test_any_file_system_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through fsspec, as the tasks write it."""
    import fsspec

    fsspec.filesystem("memory").pipe("/pages/smoke-1/manifest.json", b'{"profile": null}')
    monkeypatch.setenv("LOADTEST_RESULTS_URI", "memory://pages")
    found = find_bundle("smoke-1")
    assert found is not None
    assert found.document("manifest.json") == {"profile": None}
    assert (found.names(), found.has("verdict.json"), found.read("verdict.json")) == (["manifest.json"], False, None)
    assert sources.bundle_names() == ["smoke-1"]


def test_a_file_system_that_fails_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has errors of its own; none shows a password."""
    monkeypatch.setenv("LOADTEST_RESULTS_URI", "nothing://somebody:secret@127.0.0.1:1/results")
    with pytest.raises(InfrastructureError, match="cannot be read now") as caught:
        bundle_here("smoke-1").read("manifest.json")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_as_if_it_were_not_there(results: Path) -> None:
    """Half a JSON, or a list where an object belongs."""
    bundle = concluded_run(results, "smoke-1")
    for content in ('{"half', "[1]"):
        bundle.write_text("metrics.json", content)
        assert bundle_here("smoke-1").document("metrics.json") is None


def test_the_latest_bundles_and_those_that_began_together(results: Path) -> None:
    """By the moment in their ids; a suite, its runs and their repeats have the same."""
    begun_suite(results, f"weekly-{STAMP}", "smoke")
    for name in (f"smoke-{STAMP}", f"smoke-{STAMP}-repeat1", "soak-20261121-100000-abcdef"):
        (results / name).mkdir()
    assert [one.run_id for one in sources.recent_bundles(2)] == ["soak-20261121-100000-abcdef", f"weekly-{STAMP}"]
    together = [f"smoke-{STAMP}", f"smoke-{STAMP}-repeat1", f"weekly-{STAMP}"]
    assert sources.started_together(f"weekly-{STAMP}") == together


def test_an_unknown_id_where_nothing_can_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is no name to be near to, and the answer is still 404."""
    monkeypatch.setenv("LOADTEST_RESULTS_URI", "nothing://127.0.0.1:1/results")
    assert no_such_run("smoke-1").detail == "There is no run or suite smoke-1"


@pytest.mark.usefixtures("tokens")
def test_connections_come_from_the_environment_and_from_airflows_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server has no supervisor to ask: what a person entered in Airflow's pages is found all the same."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    with pytest.raises(ConfigError, match="no history database"):
        sources.history()
    entered = Connection(
        conn_id="loadtest_history", conn_type="postgres", host="db.example", login="u", password="p/w", schema="h"
    )
    with create_session() as session:
        session.add(entered)
    assert settings.history_url() == "postgresql://u:p%2Fw@db.example/h"
    monkeypatch.setenv("AIRFLOW_CONN_LOADTEST_HISTORY", "postgresql://env.example/h")
    assert settings.history_url() == "postgresql://env.example/h"
    with create_session() as session:
        session.query(Connection).delete()
