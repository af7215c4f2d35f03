import re

import pytest

from include.loadtest.target.tags import account_code, email, pattern_of, pattern_of_others

pytestmark = pytest.mark.unit


def test_a_code_is_short_and_names_run_and_number() -> None:
    """At most the 20 characters that the column has."""
    code = account_code("peak_hours-20241205-020000-abc123", 200)
    assert re.fullmatch(r"LT-[0-9a-f]{8}-200", code)
    assert len(code) <= 20
    assert email(7) == "loadtest_user_7@pratikoai.it"


def test_patterns_tell_runs_apart() -> None:
    """One run's, every run's, and all but one run's."""
    mine, other = account_code("a", 1), account_code("b", 1)
    assert re.search(pattern_of("a"), mine)
    assert not re.search(pattern_of("a"), other)
    assert re.search(pattern_of(None), other)
    assert re.search(pattern_of_others("a"), other)
    assert not re.search(pattern_of_others("a"), mine)


@pytest.mark.parametrize("code", ["LT-1", "LT-12345678-0", "LT-12345678-1234", "lt-12345678-1", "LT-12345678-1x"])
def test_a_real_accounts_code_is_not_taken_for_ours(code: str) -> None:
    """Codes that only begin alike do not match."""
    assert not re.search(pattern_of(None), code)
