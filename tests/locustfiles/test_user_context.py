"""What one user asks."""

import pytest

from include.loadtest.scenarios.draws import Draws, Zipf
from include.loadtest.scenarios.texts import question_pool
from include.locustfiles.user_context import UserContext

pytestmark = pytest.mark.unit


def context(new_share: float, run_key: int = 7) -> UserContext:
    return UserContext(1, Draws(1), Zipf(40, 1.1), 40, new_share, run_key, None, ("20121",))


def test_the_share_of_new_questions_is_the_profiles() -> None:
    """About fifteen of a hundred are in no pool, and no two of them are equal."""
    user = context(0.15)
    asked = [user.question("simple_query") for _ in range(2000)]
    new = [question for question in asked if question not in question_pool("simple_query", 40)]
    assert 240 < len(new) < 360
    assert len(set(new)) == len(new)


def test_another_run_asks_other_new_questions() -> None:
    """What one run asked for the first time is in the target's cache when the next one comes."""
    one, other = context(1.0, 1), context(1.0, 2)
    assert {one.question("complex_query") for _ in range(50)}.isdisjoint(
        {other.question("complex_query") for _ in range(50)}
    )
