"""Expected taxes by the target's own documented rule; see docs/target-contract.md for where each figure is from."""

from dataclasses import dataclass

IVA_STANDARD_RATE = 0.22
IRPEF_BRACKETS = ((15_000.0, 0.23), (28_000.0, 0.25), (50_000.0, 0.35), (float("inf"), 0.43))
"""Upper end of each bracket in euro, and its rate: the target's table for the tax year IRPEF_TAX_YEAR."""
IRPEF_TAX_YEAR = 2024
IMU_BASE_SHARE = 0.63
"""Taxable base of a property of type `standard` as a share of the value sent, as captured from the target."""
IMU_RATE_PCT = {"20121": 1.04}
"""Municipal rate in per cent by CAP, where a captured call gives it (Milano); others are checked for shape only."""
TOLERANCE_EUR = 1.0
LEAST_HUNDREDS, MOST_HUNDREDS = 50, 2500
"""Amounts asked for: from 5,000 to 250,000 euro, in whole hundreds."""
CAPS_BY_CITY: dict[str, tuple[str, ...]] = {
    "Milano": ("20121",),
    "Roma": ("00118", "00184", "00187"),
    "Torino": ("10121", "10123"),
    "Napoli": ("80121", "80133", "80100"),
}
"""Postal codes by city; the first that the target knows is used, since it documents its cities but not their codes."""


def iva(amount_eur: float) -> float:
    """Standard VAT on a net amount, in euro."""
    return amount_eur * IVA_STANDARD_RATE


def irpef(income_eur: float) -> float:
    """Progressive income tax on a taxable income, in euro."""
    tax, floor = 0.0, 0.0
    for ceiling, rate in IRPEF_BRACKETS:
        tax += max(0.0, min(income_eur, ceiling) - floor) * rate
        floor = ceiling
    return tax


def imu(value_eur: float, cap: str) -> float | None:
    """Yearly property tax on a second home of type `standard`, in euro; None where the city's rate is not known."""
    rate_pct = IMU_RATE_PCT.get(cap)
    return None if rate_pct is None else value_eur * IMU_BASE_SHARE * rate_pct / 100


@dataclass(frozen=True)
class TaxCase:
    """One calculation: endpoint, path below the API prefix, body, and the tax it must give (None: shape only)."""

    endpoint: str
    path: str
    body: dict[str, object]
    expected_eur: float | None


def tax_case(kind: str, amount_eur: int, cap: str) -> TaxCase:
    """A calculation of that kind: iva, irpef, imu or surcharges. Raises KeyError for another."""
    return _CASES[kind](amount_eur, cap)


TAX_KINDS = ("iva", "irpef", "imu", "surcharges")


def _iva_case(amount_eur: int, _cap: str) -> TaxCase:
    return TaxCase("tax_iva", "/italian/tax/calculate", {"tax_type": "iva", "amount": amount_eur}, iva(amount_eur))


def _irpef_case(amount_eur: int, _cap: str) -> TaxCase:
    body = {"tax_type": "irpef", "amount": amount_eur, "deductions": 0, "tax_year": IRPEF_TAX_YEAR}
    return TaxCase("tax_irpef", "/italian/tax/calculate", body, irpef(amount_eur))


def _imu_case(amount_eur: int, cap: str) -> TaxCase:
    body = {"property_value": amount_eur, "cap": cap, "is_prima_casa": False, "property_type": "standard"}
    return TaxCase("tax_imu", "/taxes/regional-taxes/calculate/imu", body, imu(amount_eur, cap))


def _surcharges_case(amount_eur: int, cap: str) -> TaxCase:
    body = {"taxable_income": amount_eur, "cap": cap}
    return TaxCase("tax_surcharges", "/taxes/regional-taxes/calculate/irpef-addizionali", body, None)


_CASES = {"iva": _iva_case, "irpef": _irpef_case, "imu": _imu_case, "surcharges": _surcharges_case}
