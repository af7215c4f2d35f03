"""The numbers of the housekeeping: the committed file holds, and a wrong one says where."""

from pathlib import Path

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.housekeeping_rules import FILE, load_rules
from include.loadtest.profile import profile_names

pytestmark = pytest.mark.unit


def test_the_committed_file_is_complete_and_no_profile() -> None:
    """Daily at 05:30 UTC, samples for 90 days; it lies beside the profiles and is not listed."""
    rules = load_rules()
    assert (rules.cron, rules.retention.samples_days) == ("30 5 * * *", 90)
    assert "housekeeping" not in profile_names()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("samples_days: 90", "samples_days: 3", ":6: retention.samples_days: input should be greater than or equal"),
        ("samples_days: 90", "sample_days: 90", ":6: retention.sample_days: unknown key; did you mean samples_days?"),
        ("named_bundles: 5", "named_bundles: many", ": disk.named_bundles: input should be a valid integer"),
        ('daily_utc: "05:30"', "daily_utc: 15:30", ":2: daily_utc: input should be a valid string, found '930'"),
        ('daily_utc: "05:30"', 'daily_utc: "5:30"', ":2: daily_utc: string should match pattern"),
        ("retention:\n", "retention\n", ": not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_line_that_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    """File, line, key, what is wrong."""
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    own = tmp_path / "housekeeping.yaml"
    own.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rules(own)
    assert str(caught.value).startswith(str(own))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_part_and_an_empty_file_are_named(tmp_path: Path) -> None:
    """Nothing is filled in silently: every number stands in the file."""
    own = tmp_path / "housekeeping.yaml"
    own.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected keys and values"):
        load_rules(own)
    own.write_text(FILE.read_text(encoding="utf-8").replace("  min_free_inodes: 100_000\n", ""), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"disk\.min_free_inodes: missing"):
        load_rules(own)
