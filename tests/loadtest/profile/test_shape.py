"""Load shapes: stages in a row, with the users that the document plans."""

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Overrides, find_profile, load_profile

pytestmark = pytest.mark.unit


def stages(name: str, **overrides: int) -> list[tuple[str, str, float, float, int, int]]:
    profile = load_profile(find_profile(name), Overrides(**overrides))
    return [(s.name, s.phase, s.start_s, s.end_s, s.users_from, s.users_to) for s in profile.stages()]


def test_a_spike_is_ten_minutes_in_all() -> None:
    """10 users, 100 within 30 s, held, 10 again, recovery."""
    assert stages("spike_test") == [
        ("hold", "hold", 0, 60, 10, 10),
        ("ramp_up", "ramp_up", 60, 90, 10, 100),
        ("spike", "spike", 90, 410, 100, 100),
        ("ramp_down", "ramp_down", 410, 420, 100, 10),
        ("recovery", "recovery", 420, 600, 10, 10),
    ]


def test_a_shorter_spike_takes_it_from_the_spike_itself() -> None:
    """What comes before and after stays."""
    assert [stage[3] for stage in stages("spike_test", duration_s=480)] == [60, 90, 290, 300, 480]


def test_stress_rises_in_steps_and_ends_with_one_user_who_probes() -> None:
    """The steps come on top of the hold of ten minutes."""
    assert stages("stress_test") == [
        ("step_25", "ramp_up", 0, 48, 25, 25),
        ("step_50", "ramp_up", 48, 96, 50, 50),
        ("step_75", "ramp_up", 96, 144, 75, 75),
        ("step_100", "ramp_up", 144, 192, 100, 100),
        ("step_125", "ramp_up", 192, 240, 125, 125),
        ("hold", "hold", 240, 840, 150, 150),
        ("recovery", "recovery", 840, 1020, 1, 1),
    ]


def test_as_many_users_as_steps_are_the_least() -> None:
    """Each step has a user more; fewer users would repeat a step."""
    assert [stage[0] for stage in stages("stress_test", users=6)][:3] == ["step_1", "step_2", "step_3"]
    with pytest.raises(ConfigError, match="users is 5, fewer than the 6 steps"):
        stages("stress_test", users=5)


def test_a_spike_without_a_crowd_is_refused() -> None:
    """No more users than before it, or no time for them."""
    with pytest.raises(ConfigError, match=r"users is 10, not above the 10 of shape\.base_users"):
        stages("spike_test", users=10)
    with pytest.raises(ConfigError, match="the spike needs 10 s"):
        stages("spike_test", duration_s=285)


@pytest.mark.parametrize("name", ["baseline", "normal_day", "peak_hours", "tax_deadline", "smoke"])
def test_a_steady_load_holds_all_users_for_its_whole_duration(name: str) -> None:
    """Ramps come on top of duration_s."""
    profile = load_profile(find_profile(name))
    hold = profile.stages()[-1]
    assert (hold.phase, hold.users_from, hold.users_to) == ("hold", profile.users, profile.users)
    assert hold.end_s - hold.start_s == profile.duration_s
