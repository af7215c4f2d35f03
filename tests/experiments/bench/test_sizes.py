"""How large the large measures are."""

import pytest

from experiments.bench.sizes import Sizes, sizes
from include.loadtest.errors import ConfigError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("text", "samples"), [("", 1_000_000), (" 20000 ", 20_000), ("1000000", 1_000_000)])
def test_sizes_are_the_goals_or_smaller(text: str, samples: int) -> None:
    """The rows are ten times the samples."""
    assert sizes(text) == Sizes(samples, 10 * samples)


@pytest.mark.parametrize("text", ["19999", "1000001", "1e5", "-1", "²"])
def test_other_sizes_are_refused(text: str) -> None:
    """With what was given, and what may be."""
    with pytest.raises(ConfigError, match=r"SAMPLES: .* from 20,000 to 1,000,000"):
        sizes(text)
