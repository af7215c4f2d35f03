"""Taxes by the target's own rules, which `docs/target-contract.md` writes down; pure functions."""

from dataclasses import dataclass
from typing import Any

IVA_REFERENCE = "DPR 633/1972 - Italian VAT Law"
IRPEF_REFERENCE = "TUIR (Testo Unico Imposte sui Redditi) - DPR 917/1986"
VAT_RATES = {"standard": 0.22, "reduced": 0.10, "intermediate": 0.05, "super_reduced": 0.04}
WITHHOLDING_RATES = {"professional": 0.20, "agent": 0.23, "rental": 0.21}
FLAT_RATES = {"ires": (0.24, "TUIR art. 77"), "irap": (0.039, "D.Lgs. 446/1997"), "imu": (0.0086, "L. 160/2019")}
STAMP_DUTY_EUR, STAMP_DUTY_ABOVE_EUR = 2.0, 77.47
# Lower and upper end in euro, both inclusive, as the target names its brackets.
IRPEF_BRACKETS: tuple[tuple[int, int | None, float], ...] = (
    (0, 15_000, 0.23),
    (15_001, 28_000, 0.25),
    (28_001, 50_000, 0.35),
    (50_001, None, 0.43),
)
IMU_REVALUATION, IMU_TAXABLE_SHARE = 1.05, 0.60
IMU_LUXURY_HOME_PCT, IMU_LUXURY_HOME_DEDUCTION_EUR = 0.60, 200.0


@dataclass(frozen=True)
class City:
    """A municipality: the CAPs it covers and its rates in percent."""

    comune: str
    provincia: str
    regione: str
    first_cap: int
    last_cap: int
    imu_pct: float
    regional_pct: float
    municipal_pct: float


CITIES = (
    City("Roma", "RM", "Lazio", 100, 199, 1.06, 1.73, 0.90),
    City("Milano", "MI", "Lombardia", 20_100, 20_162, 1.04, 1.58, 0.80),
    City("Torino", "TO", "Piemonte", 10_100, 10_156, 1.06, 1.62, 0.80),
    City("Napoli", "NA", "Campania", 80_100, 80_147, 1.06, 1.73, 0.80),
)


def city_of(cap: str) -> City | None:
    """The city of a postal code, or None."""
    return next((city for city in CITIES if city.first_cap <= int(cap) <= city.last_cap), None)


def iva(amount: float, vat_type: str) -> tuple[float, float, dict[str, Any], str]:
    """Tax, effective rate, breakdown and legal reference. Raises `KeyError` for an unknown `vat_type`."""
    rate = VAT_RATES[vat_type]
    tax = round(amount * rate, 2)
    breakdown = {
        "net_amount": amount,
        "vat_rate": rate,
        "vat_amount": tax,
        "gross_amount": round(amount + tax, 2),
        "vat_type": vat_type,
    }
    return tax, rate, breakdown, IVA_REFERENCE


def irpef(amount: float, deductions: float) -> tuple[float, float, dict[str, Any], str]:
    """Tax on `amount` after `deductions`: each bracket counts from its lower end *inclusive*, one euro too much."""
    taxable = max(0.0, amount - deductions)
    parts = []
    for lower, upper, rate in IRPEF_BRACKETS:
        if taxable < lower or taxable == 0:
            break
        inside = (taxable if upper is None else min(taxable, float(upper))) - lower + 1
        name = f"€{lower:,}+" if upper is None else f"€{lower:,} - €{upper:,}"
        parts.append(
            {"bracket": name, "rate": rate, "taxable_amount": round(inside, 2), "tax_amount": round(inside * rate, 2)}
        )
    total = round(sum(part["tax_amount"] for part in parts), 2)  # type: ignore[misc]
    breakdown = {
        "gross_income": amount,
        "deductions": deductions,
        "taxable_income": taxable,
        "total_tax": total,
        "effective_rate": total / amount,
        "breakdown": parts,
    }
    return total, total / amount, breakdown, IRPEF_REFERENCE


def flat(tax_type: str, amount: float, withholding_type: str) -> tuple[float, float, dict[str, Any], str]:
    """The other taxes at one rate. Raises `KeyError` for an unknown `withholding_type`."""
    if tax_type == "bollo":
        tax = STAMP_DUTY_EUR if amount > STAMP_DUTY_ABOVE_EUR else 0.0
        return tax, tax / amount, {"base_amount": amount, "stamp_duty": tax}, "DPR 642/1972"
    if tax_type == "ritenuta":
        rate, reference = WITHHOLDING_RATES[withholding_type], "DPR 600/1973 art. 25"
    else:
        rate, reference = FLAT_RATES[tax_type]
    tax = round(amount * rate, 2)
    return tax, rate, {"base_amount": amount, "rate": rate, "tax_amount": tax}, reference


def imu(value: float, city: City, *, prima_casa: bool, property_type: str) -> dict[str, Any]:
    """IMU of a property: nothing for a first home unless it is a luxury one."""
    base = round(value * IMU_TAXABLE_SHARE * IMU_REVALUATION, 2)
    exempt = prima_casa and property_type != "luxury"
    rate_pct = 0.0 if exempt else IMU_LUXURY_HOME_PCT if prima_casa else city.imu_pct
    gross = round(base * rate_pct / 100, 2)
    deduction = min(gross, IMU_LUXURY_HOME_DEDUCTION_EUR) if prima_casa else 0.0
    note = f"Altri immobili - {property_type}"
    if prima_casa:
        note = "Prima casa esente" if exempt else "Prima casa di lusso"
    return {
        "comune": city.comune,
        "provincia": city.provincia,
        "aliquota": rate_pct,
        "base_imponibile": base,
        "imposta_lorda": gross,
        "detrazioni": deduction,
        "imposta_dovuta": round(gross - deduction, 2),
        "note": note,
    }


def surcharges(income: float, city: City) -> dict[str, Any]:
    """The regional and municipal surcharge on IRPEF, each at one rate."""
    regional = round(income * city.regional_pct / 100, 2)
    municipal = round(income * city.municipal_pct / 100, 2)
    return {
        "regione": city.regione,
        "comune": city.comune,
        "reddito_imponibile": income,
        "aliquota_regionale": city.regional_pct,
        "addizionale_regionale": regional,
        "aliquota_comunale": city.municipal_pct,
        "addizionale_comunale": municipal,
        "totale_addizionali": round(regional + municipal, 2),
    }
