import pytest

from tests.loadtest.analysis.recommendations.conftest import case_of, cause

pytestmark = pytest.mark.unit


def test_only_causes_that_no_other_explains_are_advised_on() -> None:
    """Best first; without a cause there is no first one."""
    causes = case_of(
        cause("locks"), cause("database_connections") | {"explained_by": "locks"}, cause("llm_slow")
    ).causes
    assert [one["cause"] for one in causes] == ["locks", "llm_slow"]
    assert case_of().first_cause is None
