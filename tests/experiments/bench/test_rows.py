"""Rows as a generator makes them."""

import pytest

from experiments.bench.rows import row
from include.loadtest.recorder import SAMPLE_SCHEMA

pytestmark = pytest.mark.unit


def test_a_row_has_a_value_for_each_column_and_some_are_errors() -> None:
    """One in a hundred is an error."""
    rows = [row(number) for number in range(1000)]
    assert {len(one) for one in rows} == {len(SAMPLE_SCHEMA)}
    assert sum(one.outcome == "http_error" and one.error is not None for one in rows) == 10
