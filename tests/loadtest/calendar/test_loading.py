import os
from pathlib import Path

import pytest

from include.loadtest.calendar import load_calendar, read_calendar
from include.loadtest.calendar.loading import CALENDAR_FILE, PATH_VARIABLE
from include.loadtest.errors import ConfigError
from include.loadtest.profile import profile_names

pytestmark = pytest.mark.unit
GOOD = """nights_before: 2
rules:
  - {name: a, title: A, source: S, day: 16, months: [7, 8], august_day: 20}
extra:
  - {from: 2027-09-13, to: 2027-09-17, reason: Migration}
"""


def test_the_committed_file_is_valid_and_every_rule_names_its_source() -> None:
    """It is no profile, though it lies among them."""
    file = read_calendar(CALENDAR_FILE).file
    assert file.nights_before == 2
    assert file.extra == ()
    assert [rule.name for rule in file.rules][:2] == ["f24", "vat_quarterly"]
    assert all("art." in rule.source for rule in file.rules)
    assert "calendar" not in profile_names()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("nights_before", "nights_befor", "x.yaml:1: nights_befor: unknown key; did you mean nights_before?"),
        ("august_day", "augustday", "x.yaml:3: rules.0.augustday: unknown key; did you mean august_day?"),
        ("{from:", "{form:", "x.yaml:5: extra.0.form: unknown key; did you mean from?"),
        (", reason: Migration", "", "x.yaml:5: extra.0.reason: missing"),
        ("nights_before: 2", "nights_before: 9", "x.yaml:1: nights_before: "),
        ("day: 16", "day: 32", "x.yaml:3: rules.0.day: expected a day from 1 to 31, or last, found '32'"),
        ("day: 16", "day: lst", "rules.0.day: expected a day from 1 to 31, or last, found 'lst'"),
        ("day: 16", "day: true", "rules.0.day: expected a day from 1 to 31, or last, found 'True'"),
        ("[7, 8]", "[7, 7, 8]", "rules.0.months: expected at least one month from 1 to 12, each once"),
        ("[7, 8]", "[]", "rules.0.months: expected at least one month"),
        ("[7, 8]", "[8, 13]", "rules.0.months: expected at least one month from 1 to 12"),
        ("[7, 8]", "[7]", "x.yaml:3: rules.0: august_day is set, but months has no 8"),
        ("day: 16, months: [7, 8]", "day: 31, months: [8, 9]", "month 9 has no day 31 in every year: use last"),
        ("day: 16, months: [7, 8]", "day: 29, months: [2, 8]", "month 2 has no day 29 in every year: use last"),
        ("to: 2027-09-17", "to: 2027-09-12", "x.yaml:5: extra.0: `to` is before `from`"),
        ("to: 2027-09-17", "to: 2028-09-17", "x.yaml:5: extra: 2027-09-13 to 2028-09-17 leaves no free night"),
        ("to: 2027-09-17", "to: 17.9.2027", "x.yaml:5: extra.0.to: input should be a valid date"),
        ("reason: Migration", 'reason: "a\\nb"', "extra.0.reason: write it on one line"),
        ("title: A", 'title: "a\\u001bb"', "rules.0.title: write it on one line"),
        ("extra:", "  - {name: a, title: B, source: S, day: 1, months: [1]}\nextra:", "x.yaml:4: a stands twice"),
    ],
)
def test_a_wrong_file_is_told_by_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    """One line: file, line, key, what is wrong, the nearest valid word."""
    path = tmp_path / "x.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        read_calendar(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_mapping_is_told(tmp_path: Path) -> None:
    """With an example to start from."""
    path = tmp_path / "x.yaml"
    path.write_text("- a\n")
    with pytest.raises(ConfigError, match=r"x\.yaml:1: expected keys and values; start from .*calendar\.yaml"):
        read_calendar(path)


def test_windows_that_touch_count_together(tmp_path: Path) -> None:
    """Two of 40 days in a row leave no free night for 80 days."""
    path = tmp_path / "x.yaml"
    touching = (
        "extra:\n  - {from: 2027-10-10, to: 2027-11-20, reason: b}\n  - {from: 2027-09-01, to: 2027-10-09, reason: a}\n"
    )
    path.write_text("nights_before: 0\nrules: []\n" + touching)
    with pytest.raises(ConfigError, match=r"x\.yaml:4: extra: 2027-09-01 to 2027-11-20 leaves no free night"):
        read_calendar(path)
    path.write_text("nights_before: 0\nrules: []\n" + touching.replace("to: 2027-10-09", "to: 2027-10-08"))
    assert len(read_calendar(path).file.extra) == 2


def test_the_environment_names_another_file_and_a_change_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a restart; an unchanged file is read once."""
    path = tmp_path / "own.yaml"
    path.write_text("nights_before: 1\nrules: []\n")
    monkeypatch.setenv(PATH_VARIABLE, str(path))
    first = load_calendar()
    assert (first.file.nights_before, load_calendar()) == (1, first)
    assert load_calendar() is first
    path.write_text("nights_before: 3\nrules: []\n")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert load_calendar().file.nights_before == 3
    monkeypatch.setenv(PATH_VARIABLE, "")
    assert load_calendar().path == str(CALENDAR_FILE)


def test_a_file_that_is_missing_is_told_with_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never becomes the default file."""
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "none.yaml"))
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read .*check LOADTEST_CALENDAR"):
        load_calendar()
