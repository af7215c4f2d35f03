"""Who belongs to a load of several generators, in which order, and whose clock counts."""

import time
from itertools import pairwise

import pytest

from include.locustfiles.crew import (
    LOST_AFTER_S,
    LOST_AT_THE_END_AFTER_S,
    PULSE_S,
    Awake,
    Exchange,
    Member,
    Roll,
    closest,
    member_id,
    patience_s,
)

pytestmark = pytest.mark.unit
RUN_ID = "smoke-20261127-1"
SAID = {"run_id": RUN_ID, "host": "box", "users": 5}


def test_names_are_in_the_order_of_their_numbers() -> None:
    """The tenth comes after the ninth, and each counts as a machine of its own for Locust."""
    names = [member_id(number, RUN_ID) for number in range(1, 17)]
    assert all(earlier < later for earlier, later in pairwise(names))
    assert len({name.split("_")[0] for name in names}) == 16


def test_the_quickest_answer_says_what_time_it_is() -> None:
    """Its half round trip is the smallest doubt; the offset is what has to be added to the own clock."""
    slow, quick = Exchange(1_000, 5_000, 900), Exchange(2_000, 5_500, 20)
    assert closest([slow, quick]) is quick
    assert quick.offset_ns == 3_500


def test_only_this_loads_generators_are_taken_in() -> None:
    """One of another run, or of another number, is refused; who is missing has a name."""
    roll = Roll(RUN_ID, 2)
    assert roll.missing == ["w1", "w2"]
    assert "knows no such generator" in str(roll.join(member_id(3, RUN_ID), SAID))
    assert "knows no such generator" in str(roll.join(member_id(1, "other-1"), SAID))
    assert RUN_ID in str(roll.join(member_id(1, RUN_ID), SAID | {"run_id": "other-1"}))
    assert roll.join(member_id(2, RUN_ID), SAID) is None
    assert (roll.missing, roll.is_complete) == (["w1"], False)
    assert roll.join(member_id(1, RUN_ID), SAID) is None
    assert (roll.missing, roll.is_complete) == ([], True)
    assert roll.worker_of("somebody") is None


def test_who_was_asleep_calls_nobody_silent() -> None:
    """After a stall of its own it hears first what came meanwhile; after ordinary looks it may judge at once."""
    awake = Awake(0.25)
    now_ns = time.perf_counter_ns()
    assert awake.look(now_ns + 250_000_000)
    assert awake.look(now_ns + 600_000_000)
    assert not awake.look(now_ns + 6_000_000_000)
    assert not awake.look(now_ns + 6_250_000_000)
    for number in range(3):
        late = awake.look(now_ns + 6_500_000_000 + number * 250_000_000)
    assert late


def test_the_beginning_of_a_load_takes_more_patience() -> None:
    """All users start at once then, and a busy machine takes seconds for them."""
    assert patience_s(-1.0) == patience_s(9.9) == 10
    assert patience_s(10.1) == LOST_AFTER_S < 5


def test_nobody_waits_for_one_that_is_gone() -> None:
    """A load has ended when each has given its account, has left, or has been silent for too long."""
    roll = Roll(RUN_ID, 3)
    for number in (1, 2, 3):
        roll.join(member_id(number, RUN_ID), SAID)
    first, second, third = roll.members.values()
    first.account, second.left = {"requests": 7}, "its process ended"
    now_ns = third.seen_ns
    assert not roll.is_done(now_ns)
    assert not roll.is_done(now_ns + int((LOST_AT_THE_END_AFTER_S - 1) * 1e9))
    assert roll.is_done(now_ns + int((LOST_AT_THE_END_AFTER_S + 1) * 1e9))


def test_who_drains_for_long_and_says_so_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last request takes all the time that it may, then its disk is slow: its news keep it among the living."""
    clock_ns = [0]
    monkeypatch.setattr("include.locustfiles.crew.time.perf_counter_ns", lambda: clock_ns[0])
    roll = Roll(RUN_ID, 1)
    roll.join(member_id(1, RUN_ID), SAID)
    for _ in range(15):
        clock_ns[0] += int(PULSE_S * 1e9)
        assert not roll.is_done(clock_ns[0])
        roll.seen(member_id(1, RUN_ID))
    roll.members[member_id(1, RUN_ID)].account = {"requests": 7}
    assert roll.is_done(clock_ns[0])


def test_the_manifest_names_each_also_one_that_never_came() -> None:
    """What nobody said is null; text from elsewhere is on one line."""
    roll = Roll(RUN_ID, 2)
    roll.join(member_id(1, RUN_ID), SAID | {"cpu_count": 4, "clock_offset_ms": -2.5, "round_trip_ms": 0.4})
    roll.members[member_id(1, RUN_ID)].account = {"requests": 12, "lost_samples": 0, "clock_drift_ms": 0.1}
    first, second = roll.documents()
    assert (first["worker"], first["host"], first["requests"], first["users"]) == ("w1", "box", 12, 5)
    assert (second["worker"], {value for key, value in second.items() if key != "worker"}) == ("w2", {None})
    assert "\n" not in Member("w1", 0, joined={"host": "a\nb\x1b[31m"}).name
