"""CPU, the event loop and the threads of the application."""

import pytest

from include.loadtest.analysis.bottleneck import processor
from include.loadtest.analysis.bottleneck.case import Silence
from include.loadtest.analysis.bottleneck.model import Span
from tests.helpers.made_cases import START_S, Value, after, counted, made_case, made_requests

pytestmark = pytest.mark.unit
CORES = ("process", "app_busiest_process_cpu_cores")
LAG, PAGE = ("app", "event_loop_lag_ms"), ("app", "metrics_page_ms")


def test_a_process_at_its_core_is_the_cpu() -> None:
    """A finding of its own, since when it is so, with the share of the core."""
    (found,) = processor.cpu(made_case({CORES: after(30, 0.9, 0.2)}))
    assert (found.cause, found.strength, found.plain) == ("cpu", "strong", True)
    assert found.since_s == pytest.approx(START_S + 30, abs=5)
    assert "90 % of the one core" in found.sentence


def test_the_application_s_own_counter_serves_where_nobody_else_looks() -> None:
    """But not where several processes answer in turn: their counters are not one."""
    figures: dict[tuple[str, str], Value] = {
        ("app", "process_cpu_seconds_total"): counted(0.9),
        ("app", "process_start_time_seconds"): 5.0,
    }
    assert processor.cpu(made_case(figures, without=["process"]))
    figures["app", "process_start_time_seconds"] = after(30, 6.0, 5.0)
    assert processor.cpu(made_case(figures, without=["process"])) == []


def test_a_busy_machine_that_the_target_shares_is_not_the_target_s_cpu() -> None:
    """The generator, or anybody, takes it; alone on its machine it is the target's, if users notice something."""
    busy: dict[tuple[str, str], Value] = {("host", "cpu_pct"): 98.0}
    assert processor.cpu(made_case(busy)) == []
    assert [(one.cause, one.plain) for one in processor.cpu(made_case(busy, shares_host=False))] == [("cpu", False)]
    busy["process", "app_cpu_cores"] = 1.9
    assert [one.strength for one in processor.cpu(made_case(busy))] == ["moderate"]


def test_a_process_that_is_kept_from_a_full_machine_is_seen_by_what_a_request_costs() -> None:
    """Its core is not full, and a request costs far more CPU than before; on a free machine that is nobody's matter."""
    late = made_requests(lambda at_s, _, ms: ms + (300 if at_s >= 30 else 0))
    figures: dict[tuple[str, str], Value] = {
        ("host", "cpu_pct"): 99.0,
        ("process", "app_cpu_cores"): after(30, 0.4, 0.05),
    }
    (found,) = processor.cpu(made_case(figures, requests=late))
    assert found.strength == "moderate"
    assert "50.85 ms of CPU time, 6.25 ms before" in found.facts
    assert processor.cpu(made_case({**figures, ("host", "cpu_pct"): 40.0}, requests=late)) == []
    assert processor.cpu(made_case({**figures, ("process", "app_cpu_cores"): 0.4}, requests=late)) == []


def test_a_process_with_several_cores_is_not_held_by_one() -> None:
    """Threads that compute at the same time: then its machine is what may be full. A single reading is jitter."""
    threads: dict[tuple[str, str], Value] = {CORES: 1.62, ("process", "app_cpu_cores"): 1.7}
    assert processor.cpu(made_case(threads)) == []
    assert "machine was busy" in processor.cpu(made_case({**threads, ("host", "cpu_pct"): 95.0}))[0].facts
    jitter = made_case({CORES: lambda at_s: 1.1 if 23 < at_s < 27 else 0.9})
    assert "one core" in processor.cpu(jitter)[0].facts


def test_a_quota_that_holds_back_is_the_cpu() -> None:
    """Throttling counts whatever the machine has left."""
    (found,) = processor.cpu(made_case({("container", "container_cpu_throttled_ms_per_s"): 300.0}))
    assert "quota" in found.facts


def test_a_loop_that_stands_still_with_cpu_left_is_blocked() -> None:
    """The endpoint whose requests never take less is named."""
    requests = made_requests(lambda _, name, ms: ms + (400 if name == "legal_search" else 0))
    (found,) = processor.event_loop(made_case({LAG: 400.0}, requests=requests))
    assert (found.cause, found.strength, found.plain) == ("event_loop", "strong", True)
    assert "requests to legal_search never take less" in found.facts
    varied = made_case({LAG: lambda at_s: 300.0 + 10 * at_s}, requests=requests)
    assert "stood still for up to 895 ms" in processor.event_loop(varied)[0].facts


def test_a_late_loop_without_cpu_left_is_the_cpu_s() -> None:
    """The same lag, another cause."""
    assert processor.event_loop(made_case({LAG: 400.0, CORES: 0.95})) == []


def test_a_machine_on_which_the_generator_is_late_too_blames_no_loop() -> None:
    """Both loops run there: what delays both is the machine."""
    assert processor.event_loop(made_case({LAG: 400.0, ("generator", "loop_lag_ms"): 350.0})) == []


def test_without_the_loop_s_own_figure_its_metrics_page_tells() -> None:
    """Late now and then is a blocked loop, moderately sure; always late by the same is a delay of the page."""
    now_and_then = made_case({PAGE: lambda at_s: 350.0 if int(at_s) % 3 == 0 else 8.0}, without=[LAG])
    assert [one.strength for one in processor.event_loop(now_and_then)] == ["moderate"]
    assert processor.event_loop(made_case({PAGE: 350.0}, without=[LAG])) == []
    assert processor.event_loop(made_case({PAGE: after(56, 350.0, 8.0)}, without=[LAG])) == []


def test_an_application_that_answers_no_more_stands_still() -> None:
    """While its servers answered the monitoring; where they did not either, nothing is said."""
    silent = Silence("app", Span(START_S + 20, START_S + 40), "/metrics: no answer within 4 s")
    (found,) = processor.event_loop(made_case(silences=[silent]))
    assert "no answer to its metrics page for 20 s" in found.facts
    assert processor.event_loop(made_case(silences=[Silence("app", silent.span, "connection refused")])) == []
    database = Silence("postgres", silent.span, "no answer within 4 s")
    assert processor.event_loop(made_case(silences=[silent, database])) == []


def test_one_long_stop_is_told_too() -> None:
    """Ten times what is relevant, at once; with when. A stop of half a second, once, is not."""
    (found,) = processor.event_loop(made_case({LAG: lambda at_s: 9000.0 if 33 < at_s < 37 else 3.0}))
    assert "stood still for 9 s at once" in found.facts
    assert found.since_s == pytest.approx(START_S + 25.5, abs=1)
    assert processor.event_loop(made_case({LAG: lambda at_s: 500.0 if 33 < at_s < 37 else 3.0})) == []


def test_documents_that_queue_wait_for_a_worker() -> None:
    """Moderately sure: nobody says how many workers there are."""
    (found,) = processor.thread_pool(made_case({("app", "document_queue"): 6.0}))
    assert (found.strength, found.plain) == ("moderate", False)


def test_busy_threads_with_a_queue_are_the_thread_pool() -> None:
    """A queue beside free threads is none."""
    queue: dict[tuple[str, str], Value] = {("app", "thread_pool_queue"): 5.0, ("app", "thread_pool_busy"): 4.0}
    assert [one.cause for one in processor.thread_pool(made_case(queue))] == ["thread_pool"]
    assert processor.thread_pool(made_case({**queue, ("app", "thread_pool_busy"): 1.0})) == []
    assert processor.thread_pool(made_case()) == []
