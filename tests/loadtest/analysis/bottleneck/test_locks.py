"""Statements that wait for a lock."""

import pytest

from include.loadtest.analysis.bottleneck import locks
from tests.helpers.made_cases import Value, after, made_case, moment

pytestmark = pytest.mark.unit
LOCKED: dict[tuple[str, str], Value] = {
    ("postgres", "lock_waits"): after(30, 2.0),
    ("postgres", 'waiting_backends{type="Lock"}'): after(30, 2.0),
    ("postgres", "lock_wait_longest_s"): lambda at_s: max(0.0, at_s - 30),
}


def test_a_lock_names_who_waits_and_who_holds_it() -> None:
    """The longest wait decides; the blocking statement and its transaction come from what was observed."""
    seen = {
        "kind": "lock_wait", "ts": moment(40), "statement": "UPDATE tariffs", "blocking_statement": "SELECT 1",
        "blocking_state": "idle in transaction", "blocking_transaction_s": 12.0, "blocking_pid": 77,
    }  # fmt: skip
    (found,) = locks.locks(made_case(LOCKED, observations=[seen]))
    assert (found.strength, found.plain) == ("strong", True)
    assert (found.statement, found.blocking_statement) == ("UPDATE tariffs", "SELECT 1")
    assert "held by a transaction of 12 s (idle in transaction)" in found.facts
    assert "backend 77" in found.next_step


def test_short_waits_for_locks_are_usual() -> None:
    """Statements that write the same row wait for some milliseconds; nobody is blamed."""
    figures = {**LOCKED, ("postgres", "lock_wait_longest_s"): 0.01}
    assert locks.locks(made_case(figures)) == []
    assert locks.locks(made_case()) == []


def test_one_wait_that_was_seen_once_is_no_finding_of_its_own() -> None:
    """Its share is one of the whole load: beside a symptom it is thin, and without one nobody is told."""
    once: dict[tuple[str, str], Value] = {
        ("postgres", 'waiting_backends{type="Lock"}'): lambda at_s: float(23 < at_s < 27),
        ("postgres", "lock_wait_longest_s"): lambda at_s: 1.1 * (23 < at_s < 27),
    }
    (found,) = locks.locks(made_case(once))
    assert (found.strength, found.plain) == ("moderate", False)
    assert found.weight == pytest.approx(1 / 12 / made_case().in_flight)
    lasting = locks.locks(made_case(LOCKED))[0]
    assert (lasting.strength, lasting.plain) == ("strong", True)


def test_a_holder_of_another_time_is_not_named() -> None:
    """Only who blocked while statements waited, by its own transaction's age; not the oldest of all that were seen."""
    other = {
        "kind": "lock_wait", "ts": moment(-3600), "statement": "VACUUM", "blocking_statement": "VACUUM FULL",
        "blocking_state": "active", "blocking_transaction_s": 900.0, "blocking_pid": 5,
    }  # fmt: skip
    (found,) = locks.locks(made_case(LOCKED, observations=[other] * 9))
    assert (found.statement, found.blocking_statement) == (None, None)
    assert "held by" not in found.facts
    held = {**other, "ts": moment(44.5), "blocking_pid": 6, "blocking_statement": "SELECT 1"}
    brief = {**held, "blocking_transaction_s": 2.0, "blocking_state": "idle in transaction"}
    chance = {**other, "ts": moment(44.5)}
    (found,) = locks.locks(made_case(LOCKED, observations=[chance, brief, brief, other]))
    assert "held by a transaction of 2 s (idle in transaction)" in found.facts
    assert "backend 6" in found.next_step
