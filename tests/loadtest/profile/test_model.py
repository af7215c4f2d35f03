"""What a profile says of time, users and patience."""

import pytest

from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.parts import MAX_POOL_SIZE
from include.loadtest.scenarios.texts import question_pool

pytestmark = pytest.mark.unit


def test_the_hold_follows_the_ramp() -> None:
    """Ramps come on top of duration_s; users rise linearly and stay."""
    profile = load_profile(find_profile("peak_hours"))
    assert [(stage.phase, stage.start_s, stage.end_s) for stage in profile.stages()] == [
        ("ramp_up", 0, 30),
        ("hold", 30, 630),
    ]
    assert [profile.users_at(offset) for offset in (0, 15, 30, 629.9, 630)] == [0, 25, 50, 50, 0]


def test_patience_is_twice_the_larger_limit() -> None:
    """A request waits twice its scenario's limit or twice the P99 limit, whichever is longer."""
    profile = load_profile(find_profile("smoke"))
    assert profile.request_timeout_s("simple_query") == 12.0
    assert profile.request_timeout_s("document_upload") == 60.0


def test_a_profile_is_frozen() -> None:
    """No code changes a number of a run after it was loaded."""
    profile = load_profile(find_profile("smoke"))
    with pytest.raises(ValueError, match="frozen"):
        profile.users = 11  # type: ignore[misc]


def test_a_dumped_profile_is_read_back_equal() -> None:
    """The manifest's copy of the profile is the profile."""
    profile = load_profile(find_profile("baseline"))
    assert type(profile).model_validate_json(profile.model_dump_json()) == profile


@pytest.mark.parametrize("kind", ["simple_query", "complex_query"])
def test_the_largest_pool_exists(kind) -> None:
    """As many distinct questions exist as a profile may ask for."""
    assert len(set(question_pool(kind, MAX_POOL_SIZE))) == MAX_POOL_SIZE
