"""Expected taxes, against the captured examples of the target."""

import pytest

from include.loadtest.scenarios.taxes import TAX_KINDS, imu, irpef, iva, tax_case

pytestmark = pytest.mark.unit


def test_the_rule_meets_the_captured_calls_within_a_euro() -> None:
    """IVA of 1,000 €, IRPEF of 35,000 €, IMU of a Milan property of 100,000 €."""
    assert iva(1000) == pytest.approx(220.0)
    assert irpef(35_000) == pytest.approx(9150.23, abs=1)
    assert imu(100_000, "20121") == pytest.approx(655.2)


@pytest.mark.parametrize(
    ("income", "tax"), [(0, 0), (15_000, 3450), (28_000, 6700), (50_000, 14_400), (60_000, 18_700)]
)
def test_irpef_is_progressive(income: float, tax: float) -> None:
    """Each bracket is taxed at its own rate."""
    assert irpef(income) == pytest.approx(tax)


def test_a_city_without_a_captured_rate_has_no_expected_amount() -> None:
    """What we do not know we do not pretend to check."""
    assert imu(100_000, "00118") is None
    assert tax_case("surcharges", 30_000, "20121").expected_eur is None


@pytest.mark.parametrize("kind", TAX_KINDS)
def test_every_kind_has_its_own_endpoint_name(kind: str) -> None:
    """Metrics can tell them apart."""
    assert tax_case(kind, 10_000, "20121").endpoint == f"tax_{kind}"
