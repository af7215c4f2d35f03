"""Connections as addresses."""

from types import SimpleNamespace

import pytest

from include.loadtest.orchestration import settings
from include.loadtest.orchestration.settings import as_url, installation

pytestmark = pytest.mark.unit


def connection(**fields) -> SimpleNamespace:
    names = ("host", "login", "password", "port", "schema")
    return SimpleNamespace(**{**dict.fromkeys(names), **fields})


@pytest.mark.parametrize(
    ("fields", "scheme", "url"),
    [
        ({"host": "127.0.0.1", "port": 8000}, "http", "http://127.0.0.1:8000"),
        ({"host": "app.test", "schema": "https"}, "http", "https://app.test"),
        ({"host": "http://127.0.0.1:8000"}, "http", "http://127.0.0.1:8000"),
        (
            {"host": "db", "login": "u", "password": "p@:/", "port": 5432, "schema": "app"},
            "postgresql",
            "postgresql://u:p%40%3A%2F@db:5432/app",
        ),
        (
            {"host": "/run/pg", "login": "postgres", "schema": "app"},
            "postgresql",
            "postgresql://postgres@/app?host=/run/pg",
        ),
        ({"host": "127.0.0.1", "password": "s", "port": 6379, "schema": "0"}, "redis", "redis://:s@127.0.0.1:6379/0"),
    ],
)
def test_a_connection_becomes_a_url(fields, scheme, url) -> None:
    """Passwords are quoted; a host that begins with a slash is a socket directory."""
    assert as_url(connection(**fields), scheme) == url


def test_two_installations_that_share_a_history_have_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address, or the name it is given: their scheduled runs are named alike."""
    monkeypatch.delenv("LOADTEST_INSTALLATION", raising=False)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.one.test/")
    assert installation() == "https://airflow.one.test"
    monkeypatch.setenv("LOADTEST_INSTALLATION", "two")
    assert installation() == "two"


def test_an_installation_without_a_name_is_known_by_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its processes share the key, no other installation has it, and the name tells nothing of it."""
    monkeypatch.delenv("LOADTEST_INSTALLATION", raising=False)
    monkeypatch.delenv("AIRFLOW__API__BASE_URL", raising=False)
    names = []
    for key in ("first-key", "second-key", "first-key"):
        monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", key)
        names.append(installation())
    assert names[0] == names[2] != names[1]
    assert all(name.startswith("unnamed-") and "key" not in name for name in names)


def test_an_llm_without_a_page_is_named_for_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the connection of that target; the default one may have the environment variable instead."""
    monkeypatch.setattr(settings, "_connection", lambda _name: None)
    monkeypatch.delenv("LLM_METRICS_URL", raising=False)
    assert "LLM readings (connection loadtest_llm__demo)" in settings.not_configured("demo")
    assert "LLM readings (connection loadtest_llm)" in settings.not_configured("pratikoai")
    monkeypatch.setenv("LLM_METRICS_URL", "http://127.0.0.1:4000")
    assert "LLM readings (connection loadtest_llm__demo)" in settings.not_configured("demo")
    assert not any("LLM" in name for name in settings.not_configured("pratikoai"))


def test_a_service_that_airflow_cannot_tell_of_is_not_taken_for_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be told waits then, with our words for it: another program's may hold a secret."""

    def broken() -> None:
        raise OSError("password=geheim")

    monkeypatch.setattr(settings, "slack_settings", broken)
    monkeypatch.setattr(settings, "github_settings", lambda: None)
    found = settings.services()
    assert str(found.slack) == "Airflow cannot say what is set up (OSError)"
    assert found.names == ("slack",)
