"""A test that says nothing about its target is found by what it left, one reason for each cause."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from include.loadtest.profile import Overrides, Profile, find_profile, load_profile
from include.loadtest.validation.evidence import Evidence, Reading, RequestsInWork, Span
from include.loadtest.validation.validity import foreign_load, silence_share, validity_reasons
from include.loadtest.verdict import Reason, SloResult

pytestmark = pytest.mark.unit
SMOKE = load_profile(find_profile("smoke"))  # 5 s of ramp, 60 s of hold, 10 users
START_S = 1_790_000_000.0
HOLD_S = START_S + 5
END_S = START_S + 65
LOAD = {"started": "x", "completed": True, "exit_code": 0, "stopped_by": None}
SPANS = (Span("ramp_up", "ramp_up", START_S, HOLD_S), Span("hold", "hold", HOLD_S, END_S))
HEALTHY = {
    "users": 10.0, "loop_lag_ms": 6.0, "cpu_pct": 5.0, "run_queue_wait_ms_per_s": 40.0,
    "cpu_throttled_ms_per_s": 0.0, "clock_step_ms": 0.4,
}  # fmt: skip


def generator(ticks: int = 13, **changes: float) -> list[Reading]:
    return [
        Reading(START_S + 2 + 5 * tick, "generator", "w0", metric, value)
        for tick in range(ticks)
        for metric, value in (HEALTHY | changes).items()
    ]


def server(source: str, metric: str, value: float = 20.0, *, until_s: float = END_S) -> list[Reading]:
    return [
        Reading(at_s, source, "db:5432", metric, value)
        for tick in range(14)
        if (at_s := START_S - 1 + 5 * tick) < until_s
    ]


def counter(a_tick: int, start: float = 1000.0) -> list[Reading]:
    return [
        Reading(START_S - 1 + 5 * tick, "app", "app:8000", "user_requests_total", start + a_tick * tick)
        for tick in range(14)
    ]


def in_work(requests: Sequence[tuple[float, float]]) -> RequestsInWork:
    return lambda from_s, to_s: sum(start_s <= to_s and end_s > from_s for start_s, end_s in requests)


def own(a_second: int) -> RequestsInWork:
    starts = [START_S + number / a_second for number in range(65 * a_second)]
    return in_work([(at_s, at_s + 0.05) for at_s in starts])


def evidence(
    *readings: list[Reading], spans: tuple[Span, ...] = SPANS, requests: RequestsInWork | None = None
) -> Evidence:
    given = [reading for part in readings or (generator(),) for reading in part]
    ordered = tuple(sorted(given, key=lambda reading: reading.at_s))
    return Evidence(spans, ordered, requests or in_work([]))


def slo(metric: str, *, required: bool = True) -> SloResult:
    return SloResult(
        metric, "all", "hold", "critical", required, "<", 20.0, 12, None, None, 80.0, "x", "met", False
    )  # fmt: skip


def codes(
    found: Evidence, results: tuple[SloResult, ...] = (), profile: Profile = SMOKE, **load: Any
) -> Iterator[str] | list[str]:
    return [reason.code for reason in validity_reasons(profile, {"load": LOAD | load}, found, results)]


def test_a_healthy_run_is_valid() -> None:
    """All users, a generator at ease, monitors to the end, and nobody else on the target."""
    found = evidence(
        generator(), server("postgres", "connections_total"), counter(50), requests=own(10)
    )  # fmt: skip
    assert codes(found, (slo("postgres_connections"),)) == []


def test_without_an_account_of_the_load_nothing_is_said() -> None:
    """Other reasons tell of a load that never began or that nobody wrote down."""
    assert validity_reasons(SMOKE, {}, evidence(), ()) == []
    assert validity_reasons(SMOKE, {"load": LOAD | {"started": None}}, evidence(), ()) == []


@pytest.mark.parametrize(
    ("figure", "value"),
    [("loop_lag_ms", 350.0), ("cpu_pct", 97.0), ("run_queue_wait_ms_per_s", 700.0), ("cpu_throttled_ms_per_s", 300.0)],
)
def test_a_generator_that_was_held_back_is_named_with_figure_and_repair(figure: str, value: float) -> None:
    """Whichever of its figures says so."""
    reason = validity_reasons(SMOKE, {"load": LOAD}, evidence(generator(**{figure: value})), ())[0]
    assert reason.code == "generator_starved"
    assert f"{figure} up to {value:g}" in reason.text
    assert "12 of 12 readings" in reason.text
    assert "a machine of its own" in reason.text
    assert (reason.observed, reason.limit) == (1.0, SMOKE.validity.max_starved_share)


def test_stolen_time_of_the_generators_machine_starves_it() -> None:
    """Read as `host` where the target is on the same machine, else as `generator`."""
    for source in ("host", "generator"):
        steal = server(source, "cpu_steal_pct", 30.0)
        assert codes(evidence(generator(), steal)) == ["generator_starved"]
        assert codes(evidence(generator(), server(source, "cpu_steal_pct", 1.0))) == []


def test_a_hiccup_is_no_starvation() -> None:
    """One reading of twelve, and one of two; but not two of twelve, nor the only one."""
    slow = [Reading(HOLD_S + 12, "generator", "w0", "loop_lag_ms", 900.0)]
    assert codes(evidence(generator(), slow)) == []
    again = [Reading(HOLD_S + 22, "generator", "w0", "loop_lag_ms", 900.0)]
    assert codes(evidence(generator(), slow, again)) == ["generator_starved"]
    assert codes(evidence(generator(3), [Reading(HOLD_S + 8, "generator", "w0", "loop_lag_ms", 900.0)])) == []
    assert codes(evidence([Reading(HOLD_S + 8, "generator", "w0", "loop_lag_ms", 900.0)])) == ["generator_starved"]


def test_what_the_machine_of_a_remote_target_does_is_not_the_generators_own_cpu() -> None:
    """The readings of the generator's machine carry the same source and another instance."""
    machine = server("generator", "cpu_pct", 99.0)
    assert codes(evidence(generator(), machine)) == []


def test_a_generator_without_readings_is_not_taken_for_healthy() -> None:
    """Nobody knows; a reading just after a short hold still tells of it."""
    assert codes(evidence(server("postgres", "connections_total"))) == ["generator_starved"]
    after = [Reading(END_S + 2, "generator", "w0", name, value) for name, value in HEALTHY.items()]
    assert codes(evidence(after)) == []


def test_a_clock_that_was_set_is_named_in_either_direction() -> None:
    """The largest step counts, whatever the clock shows at the end."""
    for step_ms in (-3000.0, 900.0):
        step = [Reading(HOLD_S + 1, "generator", "w0", "clock_step_ms", step_ms)]
        assert codes(evidence(generator(), step)) == ["clock_trouble"]
    assert codes(evidence(generator(clock_step_ms=SMOKE.validity.max_clock_step_ms))) == []


def test_half_the_users_are_no_load() -> None:
    """By the mean over the hold, so also where all ran for a moment; the ramp is not asked."""
    assert codes(evidence(generator(users=5.0))) == ["load_not_achieved"]
    late = [
        Reading(reading.at_s, *("generator", "w0", "users"), 4.0 if reading.at_s > HOLD_S + 20 else 10.0)
        for reading in generator()
        if reading.metric == "users"
    ]
    steady = [reading for reading in generator() if reading.metric != "users"]
    assert codes(evidence(steady, late)) == ["load_not_achieved"]
    ramp = [Reading(START_S + 1, "generator", "w0", "users", 1.0)]
    assert codes(evidence(generator(), ramp)) == []


def test_users_of_several_generators_add_up() -> None:
    """Five each of two."""
    second = [
        Reading(reading.at_s, "generator", "w1", reading.metric, reading.value) for reading in generator(users=5.0)
    ]
    assert codes(evidence(generator(users=5.0), second)) == []


SHARED = load_profile(find_profile("smoke"), Overrides(generators=2))
ACCOUNTS = [{"worker": f"w{number}", "host": "box", "requests": 100, "round_trip_ms": 0.4, "clock_drift_ms": 0.1}
            for number in (1, 2)]  # fmt: skip


def of(worker: str, readings: list[Reading]) -> list[Reading]:
    return [replace(reading, instance=worker) for reading in readings]


def shared(second: list[Reading], **changes: object) -> list[Reason]:
    """Reasons against a load of two generators, the first of which is well; `changes` are the second's account."""
    readings = [*of("w1", generator(users=5.0)), *of("w2", second), *of("w0", generator(1))]
    accounts = [ACCOUNTS[0], ACCOUNTS[1] | changes]
    found = replace(evidence(readings), rows={one["worker"]: one["requests"] or 0 for one in accounts})
    return validity_reasons(SHARED, {"load": LOAD, "generators": accounts}, found, [])


def test_each_of_several_generators_is_judged_by_itself() -> None:
    """One that is held back, or silent, is named: the others' health is not its own."""
    assert shared(generator(users=5.0)) == []
    late = [*generator(11, users=5.0), *generator(users=5.0, loop_lag_ms=900.0)[-12:]]
    held_back = shared(late)
    assert [(one.code, "of generator w2 in hold" in one.text) for one in held_back] == [("generator_starved", True)]
    assert [one.code for one in shared([])] == ["generator_starved", "load_not_achieved"]
    assert "generator w2 left no reading" in shared([])[0].text


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"requests": 0}, "generator_died", "generator w2 on box sent no request"),
        ({"requests": None}, "generator_died", "it gave no account"),
        ({"round_trip_ms": 1200.0}, "clock_trouble", "generator w2 on box may be 600 ms off"),
        ({"clock_drift_ms": -700.0}, "clock_trouble", "may be 700 ms off"),
    ],
)
def test_what_one_of_several_generators_says_of_itself_counts(changes: dict, code: str, said: str) -> None:
    """Nothing sent, no account, or a time that nobody can place: the samples together are no load."""
    found = shared(generator(users=5.0), **changes)
    assert [(one.code, said in one.text) for one in found] == [(code, True)]


def test_arrivals_that_the_generator_did_not_make_are_no_load() -> None:
    """Only where there is a schedule, and what was sent is known."""
    assert codes(evidence(), planned_arrivals=600, sent_arrivals=500) == ["load_not_achieved"]
    assert codes(evidence(), planned_arrivals=600, sent_arrivals=590) == []
    assert codes(evidence(), planned_arrivals=None, sent_arrivals=None) == []
    assert codes(evidence(), planned_arrivals=600) == []


def test_a_monitor_that_dies_at_half_time_is_silent() -> None:
    """For a required limit only; its figure from half the hold would look complete."""
    dead = server("postgres", "connections_total", until_s=HOLD_S + 30)
    found = evidence(generator(), dead)
    assert codes(found, (slo("postgres_connections"),)) == ["source_silent"]
    assert codes(found, (slo("postgres_connections", required=False),)) == []
    assert codes(found, (slo("latency_p95_ms"),)) == []
    reason = validity_reasons(SMOKE, {"load": LOAD}, found, (slo("postgres_connections"),))[0]
    assert reason.kind == "missing"
    assert reason.observed == pytest.approx((60 - 30 - 5.5) / 60)  # the last reading covers what follows it


def test_a_source_without_any_reading_is_another_reason() -> None:
    """Its limit could not be judged, so `source_missing` says it already."""
    assert codes(evidence(), (slo("postgres_connections"),)) == []


def test_silence_counts_holes_at_both_ends_and_in_the_middle() -> None:
    """Readings every 5 s leave none, whatever their jitter."""
    kind, span = ("redis", "keyspace_hits"), [Span("hold", "hold", 0.0, 100.0)]

    def share(*times: float) -> float | None:
        return silence_share(kind, span, [Reading(at_s, *kind[:1], "r", kind[1], 1.0) for at_s in times])

    assert share(*range(-3, 100, 5)) == pytest.approx(0.0)
    assert share(*(6.3 * number for number in range(16))) < 0.01
    assert share(*(at_s + 0.2 * (at_s % 2) for at_s in range(0, 100, 5))) < 0.05
    assert share(*range(40, 100, 5)) == pytest.approx(0.35)
    assert share(*range(0, 50, 5)) == pytest.approx(0.485)
    assert share(*range(0, 40, 5), *range(70, 100, 5)) == pytest.approx(0.235)
    assert share(-3.0, 120.0) is None


def test_a_second_load_on_the_target_is_found_by_its_own_counter() -> None:
    """75 requests counted in 5 s of which the run sent 50: a third is somebody else's."""
    found = evidence(generator(), counter(75), requests=own(10))
    reason = validity_reasons(SMOKE, {"load": LOAD}, found, ())[0]
    assert (reason.code, reason.kind) == ("overlap", "untrusted")
    assert reason.observed == pytest.approx(1 / 3, abs=0.02)


def test_a_run_that_lost_samples_accuses_nobody() -> None:
    """What it sent itself is not known: its generator was killed, or the disk was full."""
    found = evidence(generator(), counter(75), requests=own(1))
    assert codes(found) == ["overlap"]
    assert codes(found, lost_samples=500) == []
    assert codes(found, completed=False, exit_code=-9) == []
    assert codes(found, completed=False, stopped_by="operator") == ["overlap"]


def test_samples_that_are_not_in_the_bundle_are_missed() -> None:
    """A generator said how many requests it sent: its machine's parts may have been lost on the way."""
    told = [{"worker": "w1", "requests": 500, "lost_samples": 0}, {"worker": "w2", "requests": 500, "lost_samples": 20}]
    whole = replace(evidence(), rows={"w1": 500, "w2": 480})
    assert validity_reasons(SMOKE, {"load": LOAD, "generators": told}, whole, ()) == []
    short = replace(whole, rows={"w1": 500, "w2": 470})
    reason, *others = validity_reasons(SMOKE, {"load": LOAD, "generators": told}, short, ())
    assert (reason.code, reason.kind, reason.observed, reason.limit) == ("samples_unreadable", "untrusted", 470, 480)
    assert "generator w2 sent 500 requests, and the bundle has samples of 470 of them" in reason.text
    assert others == []
    stopped = {"load": LOAD | {"stopped_by": "operator", "completed": False}, "generators": told}
    assert [one.code for one in validity_reasons(SMOKE, stopped, short, ())] == ["samples_unreadable"]


def test_one_generators_samples_are_counted_by_its_own_account() -> None:
    """One that was killed gave none."""
    found = replace(evidence(), rows={"w0": 70}, account={"samples": 100, "lost_samples": 30})
    assert codes(found) == []
    assert codes(replace(found, rows={"w0": 69})) == ["samples_unreadable"]
    assert codes(replace(found, rows={})) == ["samples_unreadable"]
    assert codes(replace(found, rows={}, account={"started_ns": 1})) == []


def test_requests_in_work_while_the_counter_was_read_are_the_runs_own() -> None:
    """A frozen target takes in at once what waited: sent before the first reading, counted after it."""
    starts = [HOLD_S - 3.0] * 200
    found = evidence(generator(), counter(15), requests=in_work([(start_s, HOLD_S + 20) for start_s in starts]))
    assert foreign_load(found).foreign == 0


@pytest.mark.parametrize(
    "readings",
    [
        [],
        counter(50)[:3],
        [*counter(50)[:7], *counter(50, start=0)[7:]],
        [*counter(50), *server("app", "process_start_time_seconds", 1.0, until_s=HOLD_S + 20),
         Reading(HOLD_S + 30, "app", "app:8000", "process_start_time_seconds", 99.0)],
    ],
)  # fmt: skip
def test_whether_others_used_the_target_may_not_be_known(readings: list[Reading]) -> None:
    """No counter, too few readings, a counter that fell, another process: no reason is made of it."""
    found = evidence(generator(), readings, requests=own(1))
    assert foreign_load(found) is None
    assert codes(found) == []


def test_a_load_that_ended_early_and_that_nobody_stopped_is_cut() -> None:
    """A second of tolerance; a stage that never ran is missing in full."""
    short = (SPANS[0], Span("hold", "hold", HOLD_S, END_S - 20))
    assert codes(evidence(spans=short)) == ["phases_cut"]
    assert codes(evidence(spans=short), completed=False) == ["phases_cut"]
    assert codes(evidence(spans=short), completed=False, stopped_by="operator") == []
    assert codes(evidence(spans=(SPANS[0], Span("hold", "hold", HOLD_S, END_S - 0.9)))) == []
    assert codes(evidence(spans=SPANS[:1])) == ["phases_cut"]


def test_checks_end_when_they_are_done_and_only_then() -> None:
    """The planned hold is what they may take at most; one that ends before all is checked was cut."""
    italian = load_profile(find_profile("italian_market"))
    found = evidence(generator(users=1.0), spans=(Span("hold", "hold", START_S, END_S),))
    assert validity_reasons(italian, {"load": LOAD}, found, ()) == []
    cut = validity_reasons(italian, {"load": LOAD | {"completed": False}}, found, ())
    assert [reason.code for reason in cut] == ["phases_cut"]


def test_one_user_at_a_time_is_all_that_checks_plan() -> None:
    """The others come for the documents at once only; without any user nothing was checked."""
    italian = load_profile(find_profile("italian_market"))
    idle = evidence(generator(users=0.5), spans=(Span("hold", "hold", START_S, END_S),))
    assert [one.code for one in validity_reasons(italian, {"load": LOAD}, idle, ())] == ["load_not_achieved"]
