"""The generated tables of limits: exact figures, each limit of each profile."""

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import find_profile, load_profile, profile_names
from include.loadtest.reporting.limits import BEGIN, END, hold_s, limit_text, limits_markdown, with_generated_part

pytestmark = pytest.mark.unit


def test_every_limit_of_every_profile_has_its_row() -> None:
    """Users, hold, metric, scope, phase, level and limit with its unit."""
    text = limits_markdown()
    limits = sum(len(load_profile(find_profile(name)).slos) for name in profile_names())
    loads, judged = text.split("\n\n")
    assert len(judged.splitlines()) == 2 + limits
    assert len(loads.splitlines()) == 2 + len(profile_names())
    assert "| `peak_hours` | 50 | 600 s | `cache_hit_rate` | all | hold | critical | > 70 % |" in text
    assert "| `spike_test` | 100 | 60 s | `error_rate` | all | spike | critical | <= 5 % |" in text
    assert "| `baseline` | 1 | 60 s | `latency_p99_ms` | all | hold | critical, not required | < 5,000 ms |" in text


def test_limits_are_exact() -> None:
    """No rounding to four digits, no binary noise."""
    assert limit_text(12345.0, "ms") == "12,345 ms"
    assert limit_text(0.07, "ratio") == "7 %"
    assert limit_text(6 * 2**30, "bytes") == "6 GiB"


def test_a_spikes_hold_is_the_time_before_it() -> None:
    """Its duration is all phases."""
    assert hold_s(load_profile(find_profile("spike_test"))) == 60


def test_the_part_between_the_markers_is_replaced_and_no_other() -> None:
    """Twice gives the same; without markers there is an error, and no silent loss."""
    text = f"before\n{BEGIN}\nstale\n{END}\nafter\n"
    once = with_generated_part(text)
    assert once.startswith("before\n")
    assert once.endswith(f"{END}\nafter\n")
    assert "stale" not in once
    assert with_generated_part(once) == once
    with pytest.raises(ConfigError, match="markers"):
        with_generated_part("nothing")
