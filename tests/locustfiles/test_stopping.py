"""The generator asks the profile's rules every second."""

from pathlib import Path

import pytest

from include.loadtest.lease_file import Lease, now_s, write_lease
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.recorder import Sample
from include.locustfiles.stopping import Ended, Stopping

pytestmark = pytest.mark.unit


def failed() -> Sample:
    return Sample(
        0, 0, 9_000_000, None, "simple_query", "chat", 0, "hold", "hold", "timeout", "t", None, None, None, "w0", 1
    )


def test_the_samples_since_the_last_second_are_judged_once_and_a_stop_stays() -> None:
    """A second without requests changes nothing; what stopped the load is told to whoever watches it."""
    stopping = Stopping(load_profile(find_profile("smoke")))
    assert stopping.account() == {"stopped_by": None, "stop_text": None}
    for second in range(61):
        stopping.note(failed())
        assert stopping.stop is None
        stopping.decide(second)
    assert stopping.stop is not None
    assert stopping.decide(500) is stopping.stop
    assert stopping.account()["stopped_by"] == "auto_stop_errors"


def test_readings_before_the_load_count_for_nothing() -> None:
    """Starting up takes all of a core for a moment, and for minutes where the machine is slow."""
    stopping = Stopping(load_profile(find_profile("smoke")))
    for _ in range(100):
        stopping.note_reading(-1.0, {"cpu_pct": 100.0})
    assert stopping.decide(0.5) is None
    for at_s in range(0, 65, 5):
        stopping.note_reading(at_s, {"cpu_pct": 100.0})
    found = stopping.decide(61)
    assert found is not None
    assert found.code == "generator_starved"


def test_a_lease_that_is_over_stops_the_load_also_before_it_has_begun(tmp_path: Path) -> None:
    """No request may begin, and the stop says which lease; a valid one changes nothing."""
    profile, file = load_profile(find_profile("smoke")), tmp_path / "lease.json"
    write_lease(file, Lease(4, now_s() + 60))
    stopping = Stopping(profile, file)
    assert (stopping.decide(-1.0), stopping.may_send()) == (None, True)
    write_lease(file, Lease(4, now_s() - 1))
    found = stopping.decide(-1.0)
    assert found is not None
    assert (found.code, "(token 4) ended" in found.text) == ("target_locked", True)
    assert not stopping.may_send()
    assert stopping.account()["stopped_by"] == "target_locked"


def test_a_scenario_that_failed_ends_the_load_and_the_first_reason_stands() -> None:
    """From then on nobody sends; the text is bounded and on one line, whatever the error said."""
    stopping = Stopping(load_profile(find_profile("smoke")))
    assert stopping.may_send()
    stopping.scenario_failed("mine", "KeyError", "'\x1b[31m\n" + "a" * 5000)
    stopping.scenario_failed("another", "TypeError", "later")
    assert not stopping.may_send()
    account = stopping.account()
    assert account["stopped_by"] == "scenario_failed"
    text = str(account["stop_text"])
    assert text.startswith("the scenario mine raised KeyError: '")
    assert text.isprintable()
    assert len(text) < 300
    assert stopping.decide(-1.0) is stopping.stop


def test_an_order_to_end_lets_no_request_begin_from_that_moment() -> None:
    """Before the shape's next tick; the generator itself gives no reason, since it did not end the load."""
    stopping = Stopping(load_profile(find_profile("smoke")))
    assert stopping.may_send()
    stopping.order()
    assert not stopping.may_send()
    assert stopping.account() == {"stopped_by": None, "stop_text": None}


def test_another_process_may_judge_what_ended() -> None:
    """What was taken is not judged here too; the generator's own readings still are."""
    stopping = Stopping(load_profile(find_profile("smoke")))
    for _ in range(50):
        stopping.note(failed())
    assert stopping.take_ended() == [Ended("timeout", 9_000_000, None)] * 50
    assert stopping.take_ended() == []
    assert stopping.decide(100) is None
    for at_s in range(0, 65, 5):
        stopping.note_reading(at_s, {"cpu_pct": 100.0})
    assert stopping.decide(61) is not None


def test_what_ended_elsewhere_stops_the_load_as_a_sample_does() -> None:
    """A master judges the requests of all generators together."""
    stopping = Stopping(load_profile(find_profile("smoke")))
    for second in range(61):
        stopping.note(Ended("timeout", 9_000_000, None))
        stopping.decide(second)
    assert stopping.account()["stopped_by"] == "auto_stop_errors"


@pytest.mark.parametrize("is_ordered", [True, False])
def test_a_generator_that_left_on_an_order_is_no_reason_of_its_own(is_ordered: bool) -> None:
    """Whoever ends all tasks of a run ends one a moment before the other."""
    stopping = Stopping(load_profile(find_profile("smoke")))
    if is_ordered:
        stopping.order()
    stopping.end_unless_ordered("generator_died", "w2 left")
    assert stopping.account()["stopped_by"] == (None if is_ordered else "generator_died")
