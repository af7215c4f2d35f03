"""A profile is either complete and consistent, or refused with one line that says where and what."""

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Overrides, find_profile, load_profile, load_profile_text, profile_names
from include.loadtest.profile.loading import NO_LIMITS_NOTE
from include.loadtest.profile.model import GATHER_S
from include.loadtest.profile.vocabulary import SCENARIOS

pytestmark = pytest.mark.unit
SMOKE = find_profile("smoke").read_text(encoding="utf-8")

BROKEN = [
    ("users: 10", "users: ten", "x.yaml:5: users: input should be a valid integer"),
    ("users: 10", "users: true", "x.yaml:5: users: input should be a valid integer"),
    ("users: 10", "users: 201", "x.yaml:5: users: input should be less than or equal to 200"),
    ("users: 10", "users: 10\nusers: 20", "x.yaml:6: users stands twice (first on line 5)"),
    (
        "duration_s: 60",
        "duration_s: 10m",
        "x.yaml:7: duration_s: input should be a valid integer, found '10m'; write sec",
    ),
    ("duration_s: 60", "duration_min: 1", "x.yaml:7: duration_min: unknown key; did you mean duration_s?"),
    ("simple_query: 30", "simple_query: 25", "x.yaml:9: mix_pct adds up to 95 %"),
    ("simple_query: 30", "simple_query: 33", "x.yaml:9: mix_pct adds up to 103 %"),
    (
        "simple_query: 30",
        "simpel_query: 30",
        "x.yaml:10: mix_pct: unknown scenario 'simpel_query'; did you mean simple_query, or add include/locustfiles/",
    ),
    (
        "metric: latency_p95_ms",
        "metric: latency_p95_s",
        "x.yaml:23: slos.0: metric is unknown: 'latency_p95_s'; did you",
    ),
    ("limit: 4000", "limit: 4", "x.yaml:23: slos.0: limit of latency_p95_ms is in milliseconds"),
    ("limit: 0.01", "limit: 1", "x.yaml:25: slos.2: limit of error_rate is a ratio below 1, not per cent: write 0.01"),
    ('"<", limit: 4000', '">", limit: 4000', "x.yaml:23: slos.0: comparator of latency_p95_ms is < or <="),
    (
        "min: 0.5, max: 1.5",
        "min: 10, max: 15",
        "x.yaml:8: think_time_s (mean 12.5 s) lets 10 users reach at most 48 req",
    ),
    ("min: 0.5, max: 1.5", "min: 2, max: 1", "x.yaml:8: think_time_s: max (1 s) is below min (2 s)"),
    ("engine: locust", "engine: gatling", "x.yaml:4: engine: unknown value 'gatling'; valid: k6, locust"),
    ("seed: 20241205", "", "x.yaml:1: seed: missing"),
    (
        "seed: 20241205",
        "seed: 1\nvalidity: {max_starved: 1}",
        "x.yaml:20: validity.max_starved: unknown key; did you m",
    ),
    (
        "seed: 20241205",
        "seed: 1\nvalidity: {starvation: {loop_lag: 1}}",
        "x.yaml:20: validity.starvation.loop_lag: unknown key; did you mean loop_lag_ms?",
    ),
    ("seed: 20241205", "seed: 1\nllm: {max_call: 9}", "x.yaml:20: llm.max_call: unknown key; did you mean max_calls?"),
    ("seed: 20241205", "seed: 1\nllm: {}", "x.yaml:20: llm: max_calls or max_cost_eur is missing; write one of them"),
    ("seed: 20241205", "seed: 1\nllm: {max_calls: 0}", "x.yaml:20: llm.max_calls: input should be greater than or"),
    ("seed: 20241205", "seed: 1\nllm: {max_cost_eur: .nan}", "x.yaml:20: llm.max_cost_eur: input should be a finite"),
    (
        "metric: latency_p95_ms",
        "metric: llm_calls",
        "x.yaml:23: slos.0: llm_calls is shown, not judged; remove the limit (the key llm caps calls and cost)",
    ),
    ("seed: 20241205", "seed: 1\nauto_stop: 90", "x.yaml:20: auto_stop: expected keys and values, found 90"),
    (
        "seed: 20241205",
        "seed: 1\narrival: {rate_rpm: 600, max_users: 150}",
        "x.yaml:5: users is 10, but arrival.max_users is 150",
    ),
    (
        "users: 10",
        "arrival: {rate_rpm: 60, max_users: 150}",
        "x.yaml:5: arrival.rate_rpm (60) is below the profile's own minimum of 200 req/min",
    ),
    (
        "scenario_limits: warning",
        "scenario_limits: loud",
        "x.yaml:20: scenario_limits is 'loud'; write critical or warn",
    ),
    ("name: smoke", "name: Smoke Test", "x.yaml:1: name: use a-z, 0-9, - and _ only"),
    ("limit: 4000", "limit: 4000, phase: spike", "x.yaml:22: slos: latency_p95_ms judges the phase 'spike', which"),
    ("limit: 4000", 'limit: 4000, scope: "scenario:x"', "x.yaml:22: slos: latency_p95_ms limits 'x', but mix_pct"),
    ("limit: 200", 'limit: "200"', "x.yaml:26: slos.3.limit: input should be a valid number"),
    ("limit: 200", "limit: .nan", "x.yaml:26: slos.3.limit: input should be a finite number"),
    ("title: Smoke", "title: [a", "x.yaml:3: not valid YAML"),
    ("title: Smoke", "title: {a: &a [*a]}", "x.yaml:2: an alias that contains itself"),
]


@pytest.mark.parametrize(("old", "new", "line"), BROKEN, ids=[new[:30] for _, new, _ in BROKEN])
def test_a_broken_profile_is_refused_with_one_line(old: str, new: str, line: str) -> None:
    """The line begins with the file and the line number, and names the nearest valid word where there is one."""
    text = SMOKE.replace(f'"{old}"' if f'"{old}"' in SMOKE else old, new, 1)
    assert text != SMOKE
    with pytest.raises(ConfigError) as error:
        load_profile_text(text, "x.yaml")
    assert str(error.value).startswith(line[:100])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "- a", "hello", "\x00", "!!python/object:os.system {}", "{" * 5000, "a: 2026-13-45"]
)
def test_a_text_that_is_no_profile_is_refused_with_one_line(text: str) -> None:
    """Empty, of another shape, hostile, or no YAML at all."""
    with pytest.raises(ConfigError, match=r"x\.yaml:1: ") as error:
        load_profile_text(text, "x.yaml")
    assert "\n" not in str(error.value)


RESOURCE_LIMITS = {
    "host_cpu_pct": 80,
    "host_memory_pct": 90,
    "postgres_connections": 80,
    "redis_memory_bytes": 6 * 2**30,
}


@pytest.mark.parametrize("name", profile_names())
def test_every_committed_profile_loads(name: str) -> None:
    """The committed files are a test case; a profile has its file's name and every scenario."""
    profile = load_profile(find_profile(name))
    assert profile.name == name
    if profile.checks is None:
        assert sum(profile.deck().values()) == 20
    assert all(profile.scenario_shares[scenario] for scenario in SCENARIOS)


def test_the_spec_numbers_of_the_committed_profiles() -> None:
    """Users, duration and limits are those of the load-testing document."""
    wanted = {
        "baseline": (1, 60, {"latency_p95_ms": 3000, "latency_p99_ms": 5000, "error_rate": 0.01, "throughput_rpm": 20}),
        "smoke": (10, 60, {"latency_p95_ms": 4000, "latency_p99_ms": 6000, "error_rate": 0.01, "throughput_rpm": 200}),
        "peak_hours": (
            50,
            600,
            {"latency_p95_ms": 5000, "latency_p99_ms": 8000, "error_rate": 0.01, "throughput_rpm": 1000,
             "cache_hit_rate": 0.70},
        ),
    }  # fmt: skip
    for name, (users, duration_s, limits) in wanted.items():
        profile = load_profile(find_profile(name))
        critical = {slo.metric: slo.limit for slo in profile.slos if slo.scope == "all" and slo.level == "critical"}
        assert (profile.users, profile.duration_s, critical) == (users, duration_s, limits | RESOURCE_LIMITS)
        scenarios = {slo.scope: (slo.limit, slo.level) for slo in profile.slos if slo.scope != "all"}
        level = "critical" if name == "baseline" else "warning"
        assert scenarios == {
            "scenario:simple_query": (3000, level),
            "scenario:complex_query": (5000, level),
            "scenario:tax_calculation": (2000, level),
            "scenario:document_upload": (30000, level),
            "scenario:knowledge_search": (3000, level),
            "scenario:user_operations": (1000, level),
        }


@pytest.mark.parametrize(
    ("users", "p95_ms", "p99_ms", "error_rate", "throughput_rpm"),
    [
        (1, 3000, 5000, 0.01, 20),
        (30, 4000, 6000, 0.01, 600),
        (31, 5000, 8000, 0.01, 620),
        (80, 8000, 12000, 0.02, 1300),
        (100, 8000, 12000, 0.02, 1500),
    ],
)
def test_overridden_users_take_the_next_higher_row(users, p95_ms, p99_ms, error_rate, throughput_rpm) -> None:
    """Limits follow the requirement tables, and a note says that such a run compares only with its like."""
    profile = load_profile(find_profile("smoke"), Overrides(users=users))
    limits = {slo.metric: slo.limit for slo in profile.slos if slo.scope == "all" and slo.level == "critical"}
    assert limits == {
        "latency_p95_ms": p95_ms,
        "latency_p99_ms": p99_ms,
        "error_rate": error_rate,
        "throughput_rpm": throughput_rpm,
        **RESOURCE_LIMITS,
    }
    assert any("comparable only" in note for note in profile.notes)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: spike", "kind: spikes", "shape: unknown kind 'spikes'; did you mean spike?"),
        ("base_users: 10", "base_user: 10", "shape.base_user: unknown key; did you mean base_users?"),
        ("windows: 3", "window: 3", "shape.recovery.window: unknown key; did you mean windows?"),
        ("phase: spike}", "phase: spyke}", "did you mean spike?"),
        ("duration_s: 600", "duration_s: 250", "duration_s is 250 s for all phases"),
        ("resource_limits: warning", "resource_limits: loose", "resource_limits is 'loose'; write critical or warning"),
        ("recovery_time_s", "recovery_time", "metric is unknown: 'recovery_time'; did you mean recovery_time_s?"),
    ],
)
def test_a_broken_shape_is_refused_with_one_line(old: str, new: str, said: str) -> None:
    """File, line, key as the file has it, and the nearest valid word."""
    text = find_profile("spike_test").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ConfigError) as error:
        load_profile_text(text.replace(old, new, 1), "x.yaml")
    assert str(error.value).startswith("x.yaml:")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_recovery_is_judged_only_where_one_is_watched() -> None:
    """A steady load has no recovery."""
    text = SMOKE.replace("metric: latency_p95_ms", "metric: recovery_time_s").replace("limit: 4000", "limit: 120")
    with pytest.raises(ConfigError, match="needs a shape with a recovery"):
        load_profile_text(text, "x.yaml")


def test_another_number_of_users_leaves_a_spike_its_own_limits() -> None:
    """Steps and spikes are judged by how they degrade and recover."""
    own, other = (load_profile(find_profile("spike_test"), Overrides(users=users)) for users in (None, 60))
    assert other.slos == own.slos
    assert max(stage.users_to for stage in other.stages()) == 60


def test_another_duration_is_stated() -> None:
    """A shortened hold is not the profile's own test."""
    profile = load_profile(find_profile("normal_day"), Overrides(duration_s=240))
    assert profile.notes == ("Duration overridden (600 s → 240 s): compared with runs of it only.",)


def test_time_outs_come_from_the_profile() -> None:
    """The load and the warm-up add what they plan; a profile may set its own."""
    profile = load_profile(find_profile("smoke"))
    assert profile.stage_timeout_s("run_profile") == 65 + 180
    assert profile.stage_timeout_s("warm_cache") == 120 + 600
    repeat_s = 180 + 600 + (120 + 600) + (65 + 180) + 600 + 300 + 1800
    assert profile.stage_timeout_s("confirm") == 2 * profile.change_test.confirmations * repeat_s + 600
    own = load_profile_text(SMOKE + "stage_timeouts_s: {publish: 7}\n", "x.yaml")
    assert (own.stage_timeout_s("publish"), own.stage_timeout_s("gate")) == (7, 120)


def test_above_one_hundred_users_nothing_is_judged_and_the_profile_says_so() -> None:
    """No limit is invented where the tables have none."""
    profile = load_profile(find_profile("peak_hours"), Overrides(users=101))
    assert profile.slos == ()
    assert NO_LIMITS_NOTE in profile.notes


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (Overrides(users=0), "users: 0 is outside 1 to 200"),
        (Overrides(users=201), "users: 201 is outside 1 to 200"),
        (Overrides(duration_s=0), "duration_s: 0 is outside"),
        (Overrides(generators=0), "generators: 0 is outside 1 to 16"),
        (Overrides(generators=17), "generators: 17 is outside 1 to 16"),
        (Overrides(generators=2, engine="k6"), "engine is k6: only locust shares a load; write engine: locust"),
        (Overrides(generators=11), "generators is 11, but users is 10"),
        (Overrides(engine="locus"), "engine: unknown engine 'locus'; did you mean locust?"),
    ],
)
def test_overrides_outside_their_range_are_refused(overrides: Overrides, line: str) -> None:
    """The value and the range are named."""
    with pytest.raises(ConfigError, match=line):
        load_profile(find_profile("smoke"), overrides)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("peak_huors", "unknown profile 'peak_huors'; did you mean peak_hours?"),
        ("", "no name given"),
        ("/nowhere/x.yaml", "no such file"),
        ("/tmp/", "it is a folder"),
        ("a\x00b", "NUL"),
    ],
)
def test_a_profile_that_does_not_exist_is_refused(name: str, line: str) -> None:
    """The nearest name is given, or what the path is."""
    with pytest.raises(ConfigError) as error:
        find_profile(name)
    assert line in str(error.value)


def test_shared_rules_are_filled_in_and_a_profile_may_say_otherwise() -> None:
    """Keys that a profile does not set keep their shared values, also inside a section that it has."""
    own = "seed: 1\nvalidity: {max_foreign_share: 0.2, starvation: {loop_lag_ms: 250}}\nauto_stop: {error_share: null}"
    profile = load_profile_text(SMOKE.replace("seed: 20241205", own), "x.yaml")
    shared = load_profile_text(SMOKE, "x.yaml")
    assert profile.validity.max_foreign_share == 0.2
    assert profile.validity.max_silence_share == shared.validity.max_silence_share
    assert profile.validity.starvation.loop_lag_ms == 250
    assert profile.validity.starvation.cpu_pct == shared.validity.starvation.cpu_pct
    assert profile.auto_stop.error_share is None
    assert profile.auto_stop.window_s == shared.auto_stop.window_s


def test_arrivals_on_a_schedule_state_their_users_once() -> None:
    """`users` is arrival.max_users; an override changes both."""
    text = SMOKE.replace("users: 10", "arrival: {rate_rpm: 600, max_users: 150}").replace("limit: 200", "limit: 100")
    assert load_profile_text(text, "x.yaml").users == 150
    profile = load_profile_text(text, "x.yaml", Overrides(users=40))
    assert profile.arrival is not None
    assert (profile.users, profile.arrival.max_users, profile.load_model) == (40, 40, "open")


def test_what_one_process_has_to_do_is_not_shared() -> None:
    """One queue of arrivals, and checks by one user, are refused with the way out."""
    with pytest.raises(ConfigError, match="checks are one user's work; write generators: 1"):
        load_profile(find_profile("italian_market"), Overrides(generators=2))
    text = SMOKE.replace("users: 10", "arrival: {rate_rpm: 600, max_users: 10}\ngenerators: 2")
    with pytest.raises(ConfigError, match="arrival is one queue for all users; write generators: 1"):
        load_profile_text(text, "mine.yaml")


def test_generators_get_their_users_in_turns() -> None:
    """All users, each once, and no more than the load has; the load waits for its generators before it begins."""
    profile = load_profile(find_profile("smoke"), Overrides(generators=3))
    numbers = range(1, 201)
    assert [profile.share_of(numbers, one) for one in (1, 2, 3)] == [(1, 4, 7, 10), (2, 5, 8), (3, 6, 9)]
    alone = load_profile(find_profile("smoke"))
    assert alone.share_of(numbers, 1) == tuple(range(1, 11))
    assert profile.stage_timeout_s("run_profile") - alone.stage_timeout_s("run_profile") == GATHER_S
