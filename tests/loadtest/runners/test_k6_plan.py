"""What k6 is told comes from the profile."""

import json
from types import SimpleNamespace

import pytest

from include.loadtest.profile import Overrides, Profile, find_profile, load_profile, profile_names
from include.loadtest.runners.k6_plan import hosts_option, script_options, thresholds, user_spans

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["smoke", "stress_test", "spike_test"])
def test_users_are_there_when_the_profile_says_so(name: str) -> None:
    """At every tenth of a second of the load as many users are wanted as `users_at` has."""
    profile = load_profile(find_profile(name))
    spans = user_spans(profile.stages(), profile.users)
    assert len(spans) == profile.users
    for tenth in range(1, int(profile.load_s * 10)):
        offset_s = tenth / 10 - 0.001  # beside the moments at which somebody comes or goes
        wanted = sum(any(start <= offset_s < end for start, end in own) for own in spans)
        assert wanted == profile.users_at(offset_s), offset_s


def test_a_user_who_comes_back_has_two_times() -> None:
    """Stages that fall and rise again; times that touch are one."""
    spike = load_profile(find_profile("spike_test")).stages()
    again = [stage.model_copy(update={"start_s": stage.start_s + 1000, "end_s": stage.end_s + 1000}) for stage in spike]
    first, last = (user_spans((*spike, *again), 50)[number] for number in (0, 49))
    assert len(first) == (1 if spike[-1].end_s == 1000 else 2)
    assert len(last) == 2
    assert last[0][1] < last[1][0]


def test_thresholds_are_the_profiles_limits_and_only_those_that_k6_knows() -> None:
    """Latency and errors, for all and for a scenario; no throughput, no readings, no number of its own."""
    profile = load_profile(find_profile("smoke"))
    own = thresholds(profile)
    limits = {slo.limit for slo in profile.slos}
    expressions = [expression for found in own.values() for expression in found]
    assert own["http_req_duration"] == ["p(95)<4000", "p(99)<6000"]
    assert own["http_req_failed"] == ["rate<0.01"]
    assert "http_req_duration{user_scenario:simple_query}" in own
    assert all(float(expression.partition("<")[2]) in limits for expression in expressions)
    assert set(own) <= {"http_req_failed", "http_req_duration"} | {
        f"http_req_duration{{user_scenario:{name}}}" for name in profile.mix_pct
    }


def test_the_load_is_as_long_as_the_profiles_and_cut_after_the_drain() -> None:
    """So many users for all stages; what still runs then has as long as with the other engine."""
    profile = load_profile(find_profile("smoke"), Overrides(users=5, duration_s=20))
    load = script_options(profile, 5)["scenarios"]["load"]
    assert load == {"executor": "constant-vus", "vus": 5, "duration": "25000ms", "gracefulStop": "5s"}


@pytest.mark.parametrize(
    ("base_url", "addresses", "hosts"),
    [
        ("http://app.example:8000", ("::1", "127.0.0.1", "127.0.0.2"), {"app.example": "127.0.0.1"}),
        ("http://app.example", ("::1",), {"app.example": "::1"}),
        ("http://127.0.0.1:8000", ("127.0.0.1",), None),
        ("http://[::1]:8000", ("::1",), None),
        ("http://app.example", (), None),
    ],
)
def test_a_name_is_known_to_k6_by_one_checked_address(
    base_url: str, addresses: tuple[str, ...], hosts: dict[str, str] | None
) -> None:
    """The one that k6 itself would prefer, IPv4; an address needs no such list."""
    request = SimpleNamespace(base_url=base_url, addresses=addresses)
    assert hosts_option(request).get("hosts") == hosts  # type: ignore[arg-type]


def test_every_committed_profile_with_users_can_be_told_to_k6() -> None:
    """Options are JSON; nothing of a profile is left out silently."""
    for name in profile_names():
        profile = load_profile(find_profile(name))
        if profile.arrival is None:
            assert json.loads(json.dumps(script_options(profile, profile.users)))["thresholds"]


def test_an_open_load_is_refused_where_the_profile_is_loaded() -> None:
    """k6 drops an arrival at once for which nobody is free; the profile's patience would be ignored."""
    profile = load_profile(find_profile("smoke"))
    arrival = {"rate_rpm": 300.0, "max_users": profile.users, "patience_s": None}
    with pytest.raises(ValueError, match="arrival needs locust"):
        Profile.model_validate(profile.model_dump() | {"engine": "k6", "arrival": arrival})
