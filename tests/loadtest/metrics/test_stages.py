"""The stage table against plain Python, and planted knees and breaking points."""

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, inf
from typing import Any

import pytest

from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.phases import PhaseSpan, epoch_us
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import OUTCOMES
from include.loadtest.recorder import Sample

pytestmark = pytest.mark.unit

BOUNDS = ("timeout", "censored", "dropped")


def random_rows(count: int, profile: Profile, staged: Callable[..., Sample]) -> list[Sample]:
    """Rows over the whole load, some exactly where a stage begins, answers that end in later stages."""
    draw = random.Random(count)
    starts = [stage.start_s for stage in profile.stages()]
    return [
        staged(
            profile,
            draw.choice([draw.choice(starts), draw.uniform(0, profile.load_s - 0.001)]),
            draw.choice([0, 40_000_000, 999_999, 1_000_000, round(10 ** draw.uniform(2, 7.5))]),
            outcome=draw.choice(OUTCOMES) if draw.random() < 0.3 else "ok",
            status=draw.choice([200, 429, 503, None]),
            scenario=draw.choice(["simple_query", "tax_calculation"]),
        )
        for _ in range(count)
    ]


def p95(latencies: Sequence[float]) -> float:
    return sorted(latencies)[ceil(Fraction(95, 100) * len(latencies)) - 1]


def check_entry(entry: dict[str, Any], span: PhaseSpan, rows: Sequence[Sample]) -> None:
    own = [one for one in rows if one.stage == span.stage]
    known = [one for one in own if one.outcome == "ok" or one.outcome in BOUNDS]
    value = p95([one.latency_us for one in known]) / 1000 if len(known) >= 20 else None
    assert (entry["n"], entry["latency_p95_ms"]) == (len(own), value)
    bounds = [one.latency_us / 1000 for one in known if one.outcome != "ok"]
    assert entry["lower_bound"] is (value is not None and any(bound <= value for bound in bounds))
    if entry["latency_p95_at_most_ms"] is not None:
        worst = p95([one.latency_us / 1000 if one.outcome == "ok" else inf for one in known])
        assert value <= worst <= entry["latency_p95_at_most_ms"]
    judged = [one for one in own if one.outcome != "censored"]
    failed = [one for one in judged if one.outcome != "ok"]
    quick = [
        one
        for one in failed
        if one.outcome in ("rejected", "http_error") and one.status in (429, 503) and one.latency_us < 1_000_000
    ]
    assert entry["error_rate"] == (len(failed) / len(judged) if judged else None)
    assert entry["ungraceful_error_rate"] == ((len(failed) - len(quick)) / len(judged) if judged else None)
    start, end = epoch_us(span.start), epoch_us(span.end)
    ends = [one.intended_start // 1000 + one.latency_us for one in rows if one.outcome == "ok"]
    inside = sum(start <= moment < end for moment in ends)
    assert entry["throughput_rpm"] == (inside / ((end - start) / 60e6) if own or inside else None)
    assert entry["seconds"] == (end - start) / 1e6


@pytest.mark.parametrize("shape", ["steps", "spike"])
@pytest.mark.parametrize(("count", "cut_s"), [(0, inf), (30, inf), (150, 230.5), (3000, inf), (3000, 133.25)])
def test_every_entry_equals_plain_python(
    *, shape: str, count: int, cut_s: float, maker: Any, staged: Any, spans_of: Any, request: Any
) -> None:
    """One entry for each stage that ran, in order, with its planned users; phases stay what they are without stages."""
    profile: Profile = request.getfixturevalue(shape)
    rows = random_rows(count, profile, staged)
    for number in range(0, count, 700):
        maker.samples(rows[number : number + 700], f"w0-{number:06}")
    spans = spans_of(profile, cut_s)
    document = compute_metrics(maker.bundle, profile, spans)
    planned = {stage.name: stage.users_to for stage in profile.stages()}
    assert [(entry["stage"], entry["phase"], entry["users"]) for entry in document["stages"]] == [
        (span.stage, span.name, planned[span.stage]) for span in spans
    ]
    for entry, span in zip(document["stages"], spans, strict=True):
        check_entry(entry, span, rows)
    answers = [row for row in document["metrics"] if (row["metric"], row["scope"]) == ("throughput_rpm", "all")]
    for row in answers:
        own = [entry for entry in document["stages"] if entry["phase"] == row["phase"]]
        counted = sum((entry["throughput_rpm"] or 0) * entry["seconds"] / 60 for entry in own)
        assert row["n"] == pytest.approx(counted)


def test_a_stage_that_the_profile_does_not_plan_has_no_users(
    maker: Any, profile: Profile, spans: list[PhaseSpan]
) -> None:
    """What was planned is not guessed; without rows nothing but its length is known."""
    extra = PhaseSpan("hold", "made_up", spans[-1].end, spans[-1].end.replace(hour=10))
    found = compute_metrics(maker.bundle, profile, [*spans, extra])["stages"][-1]
    assert (found["stage"], found["users"], found["n"], found["throughput_rpm"]) == ("made_up", None, 0, None)


class Load:
    """Rows of a stepped load: `per_user` requests each user makes in a step, evenly spread."""

    def __init__(self, profile: Profile, staged: Callable[..., Sample]) -> None:
        self._profile, self._staged = profile, staged
        self.latency_us: dict[str, int] = {}
        self.per_user: dict[str, float] = {}
        self.failing: dict[str, tuple[float, dict[str, Any]]] = {}
        """By stage the share of requests that are otherwise, and how."""

    def rows(self) -> list[Sample]:
        """All rows; those that fail are the last of their stage."""
        found: list[Sample] = []
        for stage in self._profile.stages():
            seconds = stage.end_s - stage.start_s
            count = round(stage.users_to * seconds / 10 * self.per_user.get(stage.name, 1))
            share, changes = self.failing.get(stage.name, (0.0, {}))
            for number in range(count):
                further = changes if number >= count * (1 - share) else {}
                values = {"latency_us": self.latency_us.get(stage.name, 1000), **further}
                found.append(self._staged(self._profile, stage.start_s + seconds * number / count, **values))
        return found


@pytest.fixture
def load(steps: Profile, staged: Any) -> Load:
    return Load(steps, staged)


@pytest.fixture
def look(maker: Any, steps: Profile, spans_of: Any, row_of: Any) -> Callable[..., tuple[Any, Any]]:
    """(value, n, looked_up_to) of saturation and breaking point."""

    def compute(load: Load, cut_s: float = inf) -> tuple[Any, ...]:
        maker.samples(load.rows())
        document = compute_metrics(maker.bundle, steps, spans_of(steps, cut_s))
        rows = [row_of(document, metric) for metric in ("saturation_users", "breaking_point_users")]
        return tuple((row["value"], row["n"], row["looked_up_to"]) for row in rows)

    return compute


def test_a_load_that_never_breaks_is_looked_at_up_to_its_hold(load: Load, look: Any) -> None:
    """No value, but how far it was looked; the recovery is no step."""
    load.latency_us["recovery"] = 60_000_000
    assert look(load) == ((None, 5, 100), (None, 5, 100))


@pytest.mark.parametrize(
    ("stage", "users"), [("step_20", 20), ("step_40", 40), ("step_60", 60), ("step_80", 80), ("hold", 100)]
)
def test_the_first_step_at_the_latency_limit_is_the_breaking_point(
    load: Load, look: Any, stage: str, users: int
) -> None:
    """At the limit is broken; later steps that are fine again change nothing."""
    load.latency_us[stage] = 8_000_000
    assert look(load)[1] == (users, 5, 100)


def test_just_below_both_limits_nothing_breaks(load: Load, look: Any) -> None:
    """A P95 below the limit and exactly the allowed share of errors."""
    load.latency_us["step_40"] = 7_999_999
    load.failing["step_60"] = (0.05, {"outcome": "http_error", "status": 500})
    assert look(load)[1] == (None, 5, 100)


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"outcome": "http_error", "status": 500}, 60),
        ({"outcome": "connection_error", "status": None}, 60),
        ({"outcome": "rejected", "status": 429, "latency_us": 1_000_000}, 60),
        ({"outcome": "rejected", "status": 429, "latency_us": 999_999}, None),
        ({"outcome": "http_error", "status": 503, "latency_us": 10}, None),
    ],
)
def test_errors_break_a_step_and_quick_refusals_do_not(load: Load, look: Any, changes: Any, value: Any) -> None:
    """Saying at once that it is too much is no break, yet it lowers the throughput: such a step is saturated."""
    load.failing["step_60"] = (0.5, changes)
    saturation, breaking = look(load)
    assert breaking == (value, 5, 100)
    assert saturation == (60, 5, 100)


def test_a_step_where_everything_fails_is_broken_without_a_percentile(load: Load, look: Any) -> None:
    """Errors have no latency; that there is none does not excuse them."""
    load.failing["step_80"] = (1.0, {"outcome": "http_error", "status": 500})
    assert look(load)[1] == (80, 5, 100)


@pytest.mark.parametrize(("share", "users"), [(1.0, None), (0.81, None), (0.79, 60)])
def test_saturated_is_the_first_step_whose_users_get_less(
    load: Load, look: Any, share: float, users: int | None
) -> None:
    """From the third step on each user gets a share of what each of the first step's got; the limit is 0.8."""
    for stage in ("step_60", "step_80", "hold"):
        load.per_user[stage] = share
    assert look(load) == ((users, 5, 100), (None, 5, 100))


def test_throughput_is_counted_where_the_answers_end(load: Load, look: Any) -> None:
    """Answers of 30 s leave a step of 40 s with a quarter of its own, and nothing came from before."""
    load.latency_us["step_20"] = 30_000_000
    assert look(load) == ((None, 5, 100), (20, 5, 100))
    load.latency_us.clear()
    load.latency_us["hold"] = 30_000_000
    assert look(load)[0] == (100, 5, 100)


def test_a_cut_step_is_not_judged(load: Load, look: Any) -> None:
    """However bad what was seen of it: it was looked up to the step before."""
    load.latency_us["step_60"] = 9_000_000
    assert look(load, 119) == ((None, 2, 40), (None, 2, 40))
    assert look(load, 120)[1] == (60, 3, 60)
    assert look(load, 30) == ((None, 0, None), (None, 0, None))


def test_nothing_is_found_beyond_a_step_with_too_few_rows(load: Load, look: Any) -> None:
    """The first break might have been in the step that nobody knows."""
    load.per_user["step_40"] = 19 / 160
    load.latency_us["hold"] = 9_000_000
    assert look(load) == ((None, 1, 20), (None, 1, 20))
    load.per_user["step_40"] = 20 / 160
    assert look(load) == ((40, 5, 100), (100, 5, 100))


@pytest.mark.parametrize(("share", "found"), [(0.04, (None, 5, 100)), (0.06, (None, 4, 80)), (0.96, (None, 4, 80))])
def test_requests_that_were_cut_short_leave_a_step_fine_only_while_they_cannot_decide(
    load: Load, look: Any, share: float, found: Any
) -> None:
    """Censored ones took at least that long: beyond 5 % of them the P95 of the hold may be anything."""
    load.failing["hold"] = (share, {"outcome": "censored", "latency_us": 10, "status": None})
    assert look(load)[1] == found


def test_without_throughput_in_the_first_step_nothing_is_saturated(load: Load, look: Any) -> None:
    """No share of nothing."""
    load.failing["step_20"] = (1.0, {"outcome": "http_error", "status": 500})
    assert look(load) == ((None, 0, None), (20, 5, 100))
