"""A cap on the LLM's calls holds in the warm-up and in the load, and what was counted stands in the manifest."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import yaml

from include.loadtest.errors import ConfigError, InvalidTestError
from include.loadtest.exposition import series_of
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.llm_cap import BLIND_S, Cap, Pace, Tally
from include.loadtest.orchestration.llm_count import AnotherProcessError, CountError
from include.loadtest.orchestration.llm_watch import CapWatch, WarmUpGate
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.pipeline import run_stage, verdict_of
from include.loadtest.orchestration.target_use import leave_target
from include.loadtest.profile import Overrides, find_profile
from include.loadtest.target.settings import Target, load_target_file
from include.loadtest.target.warm_up import PARALLEL
from tests.helpers.demo import DemoTarget, demo_target

USERS, MAX_CALLS = 5, 60


class Counted:
    """A counter of calls; it cannot be read where it has none."""

    def __init__(self) -> None:
        self.calls: int | None = 0
        self.looks, self.is_another = 0, False

    def read(self) -> float:
        self.looks += 1
        if self.calls is None:
            raise CountError("it is gone")
        if self.is_another:
            raise AnotherProcessError("another process answers")
        return self.calls


def tally(calls: int) -> Tally:
    return Tally(Cap(calls, f"{calls} calls"), 0.0, 0.0, time.monotonic())


@pytest.mark.unit
def test_a_warm_up_asks_no_question_that_might_pass_the_cap() -> None:
    """Eight at once ask as long as they may: not one call above the cap, and nearly all that it allows."""
    counter, lock = Counted(), threading.Lock()
    gate = WarmUpGate(counter, tally(100), 1)

    def ask(_: int) -> None:
        while gate.may_ask():
            time.sleep(0.001)
            with lock:
                counter.calls += 1

    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(ask, range(PARALLEL)))
    assert gate.stop is not None
    assert gate.stop.code == "cost_cap"
    assert 100 - 2 * PARALLEL <= counter.calls <= 100


@pytest.mark.unit
@pytest.mark.parametrize(("cap", "may_ask"), [(2 * PARALLEL, True), (2 * PARALLEL - 1, False)])
def test_a_question_that_may_cause_several_calls_reserves_them_all(cap: int, may_ask: bool) -> None:
    """With two calls a question, sixteen are kept for the eight that may be under way with it."""
    gate = WarmUpGate(Counted(), tally(cap), 2)
    assert gate.may_ask() is may_ask
    assert (gate.stop is None) is may_ask


@pytest.mark.unit
def test_a_warm_up_that_is_blind_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """After five seconds; until then it goes on, as the cap is far."""
    counter, now_s = Counted(), [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    gate = WarmUpGate(counter, tally(10**6), 1)
    counter.calls = None
    now_s[0] += BLIND_S
    assert gate.may_ask()
    now_s[0] += 1.0
    assert not gate.may_ask()
    assert gate.stop is not None
    assert (gate.stop.code, "it is gone" in gate.stop.text) == ("cap_unwatched", True)


@pytest.mark.unit
def test_a_counter_of_another_process_ends_warm_up_and_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first look that meets it, though the cap is far."""
    counter, now_s = Counted(), [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    gate, watch = WarmUpGate(counter, tally(10**6), 1), CapWatch(counter, tally(10**6), Pace(4, 1))
    watch.look()
    assert gate.may_ask()
    assert watch.decide() is None
    counter.is_another = True
    now_s[0] += 1.0
    watch.look()
    assert not gate.may_ask()
    assert gate.stop is not None
    stop = watch.decide()
    assert stop is not None
    assert (gate.stop.code, stop.code) == ("cap_unwatched", "cap_unwatched")


@pytest.mark.unit
def test_a_watch_looks_once_a_second_and_decides_at_any_time() -> None:
    """It ends the load when the counter nears the cap, and not before; no look comes after its end."""
    counter = Counted()
    watch = CapWatch(counter, tally(20), Pace(4, 1))
    watch.look()
    assert watch.decide() is None
    watch.start()
    counter.calls = 18
    deadline_s = time.monotonic() + 10
    while (stop := watch.decide()) is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    watch.end()
    looks = counter.looks
    assert stop.code == "cost_cap"
    assert not watch.is_alive()
    assert counter.looks == looks


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


@pytest.fixture
def capped(demo: DemoTarget, new_run: Callable[..., RunContext]) -> Iterator[Callable[..., RunContext]]:
    """Makes a run with a cap, which gives the target free in the end; `with_llm`: the page of its LLM is known."""
    made: list[RunContext] = []

    def make(run_id: str, llm: dict[str, Any], *, with_llm: bool = True) -> RunContext:
        profile = yaml.safe_load(find_profile("smoke").read_text(encoding="utf-8"))
        profile |= {
            "ramp_up_s": 0,
            "questions": {"pool_size": 3, "zipf_exponent": 1.1, "new_share": 1.0},
            "think_time_s": {"min": 0.5, "max": 0.7},
            "llm": llm,
        }
        target = Target.checked(
            load_target_file("demo"),
            demo.base_url,
            demo.database_url,
            demo.redis_url,
            llm_metrics_url=demo.llm_url if with_llm else None,
        )
        context = new_run(demo, run_id)
        order = RunOrder("smoke", yaml.safe_dump(profile), Overrides(USERS, 60), "demo", "test")
        made.append(replace(context, order=order, load_target=lambda _: target))
        return made[-1]

    yield make
    for context in made:
        leave_target(context)


def calls_at(demo: DemoTarget) -> float:
    """Calls that the stub has counted."""
    with demo.client() as client:
        page = client.get(f"{demo.llm_url}/metrics").text
    return next(one.value or 0.0 for one in series_of(page) if one.name == "llm_request_duration_seconds_count")


@pytest.mark.integration
def test_a_cap_ends_the_load_before_the_llm_is_asked_too_often(demo: DemoTarget, capped: Any) -> None:
    """ABORTED with the counted calls; the count is the stub's own, warm-up included, and no call comes later."""
    context = capped("smoke-cap", {"max_calls": MAX_CALLS})
    before = calls_at(demo)
    for name in ("preflight", "seed_users", "warm_cache"):
        run_stage(context, name)
    warm_up = context.manifest()["llm"]
    assert warm_up["source"] == "llm"
    assert isinstance(warm_up["started_s"], list)
    assert warm_up["calls"] == calls_at(demo) - before >= 6
    run_stage(context, "run_profile")
    made = calls_at(demo) - before
    assert warm_up["calls"] < made <= MAX_CALLS
    assert context.manifest()["llm"]["calls"] == made
    time.sleep(1)
    assert calls_at(demo) - before == made
    reasons = verdict_of(context)["reasons"]
    assert verdict_of(context)["verdict"] == "ABORTED"
    assert reasons[0]["code"] == context.manifest()["load"]["stopped_by"] == "cost_cap"
    assert f"the cap is {MAX_CALLS} calls (llm.max_calls)" in reasons[0]["text"]


@pytest.mark.integration
def test_a_cap_that_nothing_can_count_sends_no_load(demo: DemoTarget, capped: Any) -> None:
    """Neither the target nor a page of the LLM has a counter: preflight says what to set."""
    context = capped("smoke-unwatched", {"max_calls": MAX_CALLS}, with_llm=False)
    with demo.client() as client:
        client.put("/admin/faults", json={"bare_metrics": True}).raise_for_status()
        try:
            with pytest.raises(InvalidTestError, match="set connection loadtest_llm__demo") as raised:
                run_stage(context, "preflight")
        finally:
            client.delete("/admin/faults").raise_for_status()
    assert raised.value.code == "cap_unwatched"
    assert verdict_of(context)["verdict"] == "INCONCLUSIVE"


@pytest.mark.integration
def test_a_cost_without_a_price_is_refused_in_preflight(capped: Any) -> None:
    """The demo target's file has none."""
    with pytest.raises(ConfigError, match="llm_price_eur_a_call"):
        run_stage(capped("smoke-price", {"max_cost_eur": 1.0}), "preflight")
