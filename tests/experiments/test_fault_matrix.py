"""The plan of the fault matrix: which runs, what is planted in them, when, and that the target has those switches."""

from collections import Counter

import pytest

from experiments.fault_matrix import (
    BARE,
    FAULTS,
    FROM_S,
    HEALTHY,
    PAIR,
    PAIRS,
    SINGLE,
    TO_S,
    USERS,
    Case,
    cases,
    seeds_of,
)
from include.demo_target.faults import Faults
from include.loadtest.causes import CAUSES
from include.loadtest.run import RUN_ID_PATTERN

pytestmark = pytest.mark.unit
ALL_SEEDS = range(1, 6)


def full() -> list[Case]:
    return list(cases(ALL_SEEDS, with_bare=True))


def test_the_full_matrix_has_seventy_faulty_and_twenty_healthy_runs() -> None:
    """Fourteen faults, five seeds, and each seed four healthy runs; the others come on top."""
    counts = Counter(case.group for case in full())
    assert counts == {SINGLE: 70, HEALTHY: 20, PAIR: 12, BARE: 14}
    assert len({case.name for case in full()}) == len(full())
    assert all(RUN_ID_PATTERN.match(case.name) for case in full())


def test_every_fault_names_a_known_cause_and_no_two_the_same() -> None:
    """Else a row of the table could not be told from another."""
    causes = [fault.cause for fault in FAULTS.values()]
    assert set(causes) <= CAUSES.keys()
    assert len(set(causes)) == len(causes) == 14


def test_the_target_takes_every_strength_that_is_drawn() -> None:
    """A switch that does not exist, or a value out of its range, would end a run in its middle."""
    for case in full():
        for plant in case.plants:
            Faults().changed(dict(plant.strength.switches))
            strength = plant.strength
            assert strength.switches or strength.hogs or 0 < strength.stopped_share < 1, case.name


def test_odd_seeds_plant_during_the_hold_and_even_ones_before_the_load() -> None:
    """But for the fault that happens once."""
    for case in full():
        for plant in case.plants:
            is_during = bool(case.seed % 2) or FAULTS[plant.fault].during_only
            assert (plant.at_s is not None) is is_during
            assert plant.at_s is None or FROM_S <= plant.at_s <= TO_S


def test_the_same_seed_plants_the_same_and_another_one_something_else() -> None:
    """A run can be repeated by its name."""
    assert full() == full()
    strengths = {case.plants[0].strength.switches.get("llm_first_token_ms") for case in full() if case.group == SINGLE}
    assert len(strengths - {None}) == 5


def test_healthy_runs_vary_in_users_and_the_first_has_those_of_the_faulty_ones() -> None:
    """The faulty runs are compared with it."""
    healthy = [case for case in full() if case.group == HEALTHY]
    assert {case.users for case in healthy} == {8, 9, 10, 11, 12}
    assert (healthy[0].users, full()[0]) == (USERS, healthy[0])


def test_pairs_plant_two_different_faults() -> None:
    """And both come into force at moments of their own."""
    for case in full():
        if case.group == PAIR:
            assert len({plant.fault for plant in case.plants}) == 2
    assert sum(map(len, PAIRS.values())) == 12


def test_the_truth_of_a_run_says_what_was_planted() -> None:
    """Names, moment and strength; a healthy run's is empty."""
    by_name = {case.name: case.truth() for case in full()}
    assert by_name["healthy-1"] == {"group": HEALTHY, "seed": 1, "users": USERS, "faults": [], "planted": []}
    found = by_name["pool_of_2-2"]
    assert (found["faults"], found["planted"]) == (["pool_of_2"], [{"at_s": None, "switches": {"pool_size": 2}}])


@pytest.mark.parametrize(("text", "seeds"), [("", (1,)), ("3", (1, 2, 3)), ("3-5", (3, 4, 5)), (" 2-2 ", (2,))])
def test_seeds_are_a_number_or_a_range(text: str, seeds: tuple[int, ...]) -> None:
    """Nothing is one."""
    assert seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["0", "5-3", "x", "1-2-3", "-1"])
def test_other_seeds_are_refused(text: str) -> None:
    """Nothing runs by mistake."""
    with pytest.raises(ValueError, match="SEEDS"):
        seeds_of(text)
