"""Suites as data: what they run, how long, and what is refused."""

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.suites import SUITES_DIR, load_suite, most_runs, read_suite, suite_names

pytestmark = pytest.mark.unit
WEEKLY = (SUITES_DIR / "weekly.yaml").read_text(encoding="utf-8")
ALL = ["baseline", "normal_day", "peak_hours", "tax_deadline", "stress_test", "spike_test"]


def test_the_weekly_suite_has_every_profile_within_45_minutes() -> None:
    """Holds and ramps together; baseline's minute and peak_hours' ten stay, users are nobody's to change."""
    suite = load_suite("weekly")
    profiles = suite.profiles()
    assert [profile.name for profile in profiles] == ALL
    assert sum(profile.load_s for profile in profiles) <= 45 * 60
    own = {name: load_profile(find_profile(name)) for name in ALL}
    assert all(profile.users == own[profile.name].users for profile in profiles)
    kept = {profile.name for profile in profiles if profile.duration_s == own[profile.name].duration_s}
    assert kept == {"baseline", "peak_hours"}
    assert all(profile.notes for profile in profiles if profile.name not in kept)


def test_the_full_suite_is_71_minutes_without_ramps() -> None:
    """No override."""
    profiles = load_suite("full_suite").profiles()
    assert [profile.name for profile in profiles] == ALL
    assert sum(profile.duration_s for profile in profiles) == 71 * 60
    assert not any(profile.notes for profile in profiles)


@pytest.mark.parametrize("name", suite_names())
def test_every_committed_suite_loads(name: str) -> None:
    """Under its file's name, and none has more runs than the manual DAG has room for."""
    suite = load_suite(name)
    assert suite.name == name
    assert len(suite.runs) <= most_runs()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("profile: normal_day", "profile: normal_dya", "unknown profile 'normal_dya'; did you mean normal_day?"),
        ("duration_s: 240}", "duration: 240}", "unknown key; did you mean duration_s?"),
        ("max_load_s: 2700", "max_load_s: 600", "adds up to 2630 s, more than max_load_s (600 s)"),
        ("profile: normal_day", "profile: baseline", "baseline stands twice"),
        ("grace_s: 7200", "grace_s: 1", "schedule.grace_s"),
        ("title: Weekly suite", "titel: Weekly suite", "unknown key; did you mean title?"),
        ("spike_test, duration_s: 480", "spike_test, duration_s: 200", "duration_s is 200 s for all phases"),
    ],
)
def test_a_broken_suite_is_refused_with_one_line(tmp_path, old: str, new: str, said: str) -> None:
    """File, line, what is wrong and the nearest valid word."""
    assert old in WEEKLY
    file = tmp_path / "weekly.yaml"
    file.write_text(WEEKLY.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        read_suite(file)
    assert said in str(error.value)
    assert "weekly.yaml:" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_suite_names_the_nearest() -> None:
    """As profiles do."""
    with pytest.raises(ConfigError, match="did you mean weekly"):
        load_suite("weekli")
