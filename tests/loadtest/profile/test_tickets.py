"""The committed rules of issues are valid, and an error in a file names its line."""

from pathlib import Path

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import profile_names
from include.loadtest.profile.tickets import TICKETS_FILE, load_ticket_rules

pytestmark = pytest.mark.unit


def test_the_committed_file_is_valid_and_no_profile() -> None:
    """Three clean runs close, thirty days reopen, three issues a run at most."""
    rules = load_ticket_rules()
    assert (rules.close_after_clean_runs, rules.reopen_within_days, rules.max_issues_a_run) == (3, 30, 3)
    assert rules.labels == ("load-test", "performance")
    assert "tickets" not in profile_names()


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        ("close_after_clean_runs: 3", "close_after_clean_runs: 0", "greater than or equal to 1"),
        ("label_colour: d93f0b", "label_colour: '#d93f0b'", "label_colour"),
        ("labels: [load-test, performance]", "labels: [load-test, Load-Test]", "stands twice"),
        ("labels: [load-test, performance]", "labels: ['load,test']", "labels"),
        ("max_issues_a_run: 3", "max_issues: 3", "did you mean max_issues_a_run?"),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path: Path, line: str, wrong: str, said: str) -> None:
    """GitHub's own rules (a colour without a hash, no comma) are checked before anything is sent."""
    text = TICKETS_FILE.read_text(encoding="utf-8")
    assert line in text
    number = next(place for place, one in enumerate(text.splitlines(), 1) if one.startswith(line))
    file = tmp_path / "tickets.yaml"
    file.write_text(text.replace(line, wrong), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"tickets\.yaml:{number}: ") as caught:
        load_ticket_rules(file)
    assert said in str(caught.value)
