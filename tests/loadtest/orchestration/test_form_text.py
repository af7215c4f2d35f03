"""The trigger form says what each choice sends, from the committed files, and survives a broken one."""

import subprocess
import sys

import pytest

from include.embedded.state import CHECKOUT
from include.loadtest.errors import ConfigError
from include.loadtest.orchestration import form_text
from include.loadtest.orchestration.load_text import load_sentence
from include.loadtest.profile import Profile, find_profile, load_profile, profile_names
from include.loadtest.profile.suites import Suite, suite_names
from include.loadtest.target.settings import TargetFile, load_target_file

pytestmark = pytest.mark.unit


@pytest.fixture
def broken_smoke(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of smoke cannot be read, nor can a suite or a target."""

    def refused(*_: object) -> Profile:
        raise ConfigError("smoke.yaml:3: users: unknown")

    found = {name: refused if name == "smoke" else None for name in profile_names()}
    real = form_text.load_profile
    monkeypatch.setattr(form_text, "load_profile", lambda path: (found.get(path.stem) or real)(path))
    monkeypatch.setattr(form_text, "suite_outline", _no_suite)
    monkeypatch.setattr(form_text, "load_target_file", _no_target)
    form_text._committed.cache_clear()
    yield
    form_text._committed.cache_clear()


def _no_suite(name: str) -> Suite:
    raise ConfigError(f"{name}: wrong")


def _no_target(name: str) -> TargetFile:
    raise ConfigError(f"{name}: wrong")


def test_the_documentation_has_the_sentence_of_each_profile() -> None:
    """The same words that preflight logs."""
    doc = form_text.manual_doc("About this DAG.")
    assert doc.startswith("About this DAG.")
    for name in profile_names():
        assert load_sentence(load_profile(find_profile(name))).partition(":")[2] in doc


def test_the_help_of_the_profile_has_a_row_for_each() -> None:
    """Requests, a user's rate, calls of the LLM; what cannot be estimated is no number."""
    rows = [line for line in form_text.profile_help().splitlines() if line.startswith("| ")][2:]
    assert [row.split("|")[1].strip() for row in rows] == profile_names()
    assert "| smoke | 210 – 620 | 20 – 60 | 17 – 410 |" in rows
    assert "| italian_market | what its checks need | – | some |" in rows


def test_lists_show_users_and_minutes() -> None:
    """For a profile, a suite, and for none of both."""
    labels, suites = form_text.profile_labels(), form_text.suite_labels()
    assert labels["peak_hours"] == "peak_hours: 50 users, 10.5 min"
    assert labels["baseline"] == "baseline: 1 user, 1 min"
    assert labels["italian_market"] == "italian_market: 21 users, at most 40 min"
    assert labels["None"] == form_text.AS_TEXT
    assert set(suites) == {*suite_names(), "None"}
    assert suites["quick"] == "quick: 2 runs, 35 s of load, up to 5 users, about 34 to 100 requests"


def test_overrides_say_what_they_do() -> None:
    """How much a user adds, and that another number or duration is another test."""
    assert "each user starts about 15 to 60 requests a minute" in form_text.users_help()
    assert "Above 100 users a steady load is not judged" in form_text.users_help()
    assert "of a spike, all phases" in form_text.duration_help()


def test_the_target_names_its_allow_list() -> None:
    """As it stands in each target's file."""
    for name in ("demo", "pratikoai"):
        hosts = ", ".join(load_target_file(name).allowed_hosts)
        assert f"{name}: {hosts}" in form_text.target_help("What.")


@pytest.mark.usefixtures("broken_smoke")
def test_a_broken_file_does_not_take_the_form_away() -> None:
    """It is named in its place; the others are there."""
    assert form_text.profile_labels()["smoke"] == "smoke (cannot be read)"
    assert "**smoke** cannot be read: smoke.yaml:3: users: unknown" in form_text.manual_doc(None)
    assert "| smoke |" not in form_text.profile_help()
    assert form_text.suite_labels()["weekly"] == "weekly (cannot be read)"
    assert "demo: its file cannot be read" in form_text.target_help("What.")
    assert form_text.profile_labels()["baseline"] == "baseline: 1 user, 1 min"


def test_the_words_need_nothing_heavy() -> None:
    """They are made whenever a DAG file is read."""
    code = "import include.loadtest.orchestration.form_text, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"airflow", "sqlalchemy", "duckdb", "pandas", "numpy", "locust", "great_expectations"})
