import pytest

from include.demo_target import taxes

pytestmark = pytest.mark.unit


def _exact_irpef(income: float) -> float:
    """The tax without the target's extra euro a bracket."""
    tax, lower = 0.0, 0.0
    for upper, rate in ((15_000.0, 0.23), (28_000.0, 0.25), (50_000.0, 0.35), (float("inf"), 0.43)):
        tax += max(0.0, min(income, upper) - lower) * rate
        lower = upper
    return tax


@pytest.mark.parametrize("income", [1, 14_999.5, 15_000, 15_000.5, 15_001, 28_000, 35_000, 50_000, 50_001, 250_000])
def test_irpef_is_off_by_less_than_a_euro(income: float) -> None:
    """The target's brackets begin one euro early; that never makes a euro of tax."""
    tax, rate, breakdown, _ = taxes.irpef(income, 0)
    assert abs(tax - _exact_irpef(income)) < 1
    assert rate == tax / income
    assert breakdown["total_tax"] == tax


def test_deductions_lower_the_taxable_income() -> None:
    """Deductions are taken off first; more than the income leaves nothing to tax."""
    assert taxes.irpef(40_000, 5_000)[0] == taxes.irpef(35_000, 0)[0] == 9150.23
    assert taxes.irpef(10_000, 20_000)[0] == 0


def test_imu_of_a_first_home() -> None:
    """A first home is exempt; a luxury one pays its own rate less the deduction."""
    milano = taxes.city_of("20121")
    assert milano is not None
    assert taxes.imu(100_000, milano, prima_casa=True, property_type="standard")["imposta_dovuta"] == 0
    assert taxes.imu(100_000, milano, prima_casa=True, property_type="luxury")["imposta_dovuta"] == 178.0


@pytest.mark.parametrize(
    ("cap", "comune"),
    [("00187", "Roma"), ("00118", "Roma"), ("20121", "Milano"), ("10121", "Torino"), ("80100", "Napoli")],
)
def test_cap_names_its_city(cap: str, comune: str) -> None:
    """The postal codes of the four cities are known."""
    city = taxes.city_of(cap)
    assert city is not None
    assert city.comune == comune


def test_other_cap_is_unknown() -> None:
    """A postal code elsewhere has no city."""
    assert taxes.city_of("50121") is None
