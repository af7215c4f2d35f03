"""What the experiment kills, and how it reads sizes."""

import math

import pytest
import yaml

from experiments.compose.keeping import WRITERS
from experiments.compose.loads import CORE, LOST, OTHERS, bytes_of
from experiments.compose.stack import ONE_SHOTS
from experiments.compose.standins import COMPOSE_FILE
from include.loadtest.reasons import REASON_CODES

pytestmark = pytest.mark.unit
SERVICES = yaml.safe_load(COMPOSE_FILE.read_text())["services"]


def test_every_service_is_killed_once() -> None:
    """A new service without a kill would be claimed to come back untried."""
    assert {*CORE, *OTHERS, "load-worker"} == set(SERVICES) - ONE_SHOTS


def test_before_a_restore_all_that_write_are_stopped() -> None:
    """Whatever opens a database of the service postgres: with a connection open it cannot be dropped."""
    opening = {name for name, service in SERVICES.items() if "@postgres:" in str(service.get("environment"))}
    assert set(WRITERS) == opening - ONE_SHOTS


def test_the_reasons_of_a_lost_generator_are_reasons() -> None:
    """A code that no run can have would never be found."""
    assert set(REASON_CODES) >= LOST


@pytest.mark.parametrize(("text", "size"), [("0B", 0), ("12.5MiB", 13107200), ("1.5GiB", 1610612736)])
def test_a_size_is_read(text: str, size: float) -> None:
    """As Docker shows it."""
    assert bytes_of(text) == size


def test_an_unknown_size_is_no_number() -> None:
    """A container of which nothing is known makes the claim fail."""
    assert math.isnan(bytes_of("--"))
