"""Every task of the graph with every kind of fault through the real scheduler, and its surroundings failing."""

from collections.abc import Iterator
from typing import Any

from experiments import outside
from experiments.claims import Claim, Say
from experiments.environment import temporary_environment
from experiments.faults import ALWAYS_RUN
from experiments.scheduled import Case, Group, case

NAME = "walk"
IN_C = frozenset({"seed_users", "diff_history"})
"""Stages that talk to a database: they hang in a library written in C."""


def claims(say: Say) -> Iterator[Claim]:
    """Four groups, each with a healthy run after it."""
    outside.require_root(say)
    with temporary_environment(say) as environment:
        for cases in (stage_cases("exception"), stage_cases("kill"), stage_cases("hang"), outside.cases()):
            yield from Group(NAME, environment, say).claims(cases)


def stage_cases(kind: Any) -> list[Case]:
    """That kind of fault in every task that every run has."""
    return [case(stage, "hang_in_c" if kind == "hang" and stage in IN_C else kind) for stage in ALWAYS_RUN]
