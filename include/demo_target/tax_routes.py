"""Tax calculations over HTTP."""

from enum import StrEnum
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from include.demo_target import taxes
from include.demo_target.auth import utc_now
from include.demo_target.endpoints import API
from include.demo_target.services import Shared
from include.demo_target.tokens import AnyCaller, SessionCaller, UserCaller

# The number comes from one row, so calculations queue for it as they do in an application with such a counter.
KEEP = """WITH counter AS (UPDATE tax_counter SET last_id = last_id + 1 WHERE id = 1 RETURNING last_id)
INSERT INTO tax_calculations (id, user_id, tax_type, base_amount, tax_amount)
SELECT last_id, $1, $2, $3, $4 FROM counter RETURNING id"""
SUSPENDED = """SELECT EXISTS (SELECT FROM tax_notices
WHERE lower(body) LIKE '%sospensione del calcolo ' || $1::text || ' %')"""

router = APIRouter(prefix=API)


class TaxType(StrEnum):
    """The taxes that can be asked for."""

    IVA = "iva"
    IRPEF = "irpef"
    IRES = "ires"
    RITENUTA = "ritenuta"
    IRAP = "irap"
    IMU = "imu"
    BOLLO = "bollo"


class TaxRequest(BaseModel):
    """What to calculate; amounts in euro."""

    tax_type: TaxType
    amount: float = Field(gt=0)
    tax_year: int | None = None
    vat_type: str | None = "standard"
    withholding_type: str | None = "professional"
    deductions: float | None = Field(0, ge=0)


class ImuRequest(BaseModel):
    """A property, its value in euro."""

    property_value: float = Field(gt=0)
    cap: str = Field(pattern=r"^\d{5}$")
    is_prima_casa: bool = False
    property_type: str = "standard"


class SurchargeRequest(BaseModel):
    """An income in euro and where it is taxed."""

    taxable_income: float = Field(ge=0)
    cap: str = Field(pattern=r"^\d{5}$")


@router.post("/italian/tax/calculate")
async def calculate(services: Shared, caller: SessionCaller, body: TaxRequest) -> dict[str, Any]:
    """One tax with its breakdown; the calculation is kept."""
    try:
        tax, rate, breakdown, reference = _calculated(body)
    except KeyError as error:
        raise HTTPException(400, f"Unknown rate type {error}") from error
    await services.faults.slow_down(f"tax_{body.tax_type.value}")
    async with services.database.connection() as connection:
        if await connection.fetchval(SUSPENDED, body.tax_type.value):
            raise HTTPException(409, f"Calculation of {body.tax_type.value} is suspended")
        number = await connection.fetchval(KEEP, caller.id, body.tax_type.value, body.amount, tax)
    now = utc_now().isoformat()
    return {
        "calculation_id": number,
        "tax_type": body.tax_type,
        "base_amount": body.amount,
        "tax_amount": tax,
        "effective_rate": rate,
        "breakdown": {**breakdown, "calculation_date": now, "legal_reference": reference},
        "legal_reference": reference,
        "calculation_date": now,
        "confidence_score": 0.95,
    }


@router.get("/italian/tax/rates")
async def rates(caller: SessionCaller, tax_type: TaxType) -> dict[str, Any]:
    """The rates of one tax."""
    del caller
    known: dict[str, Any] = {
        "iva": taxes.VAT_RATES,
        "irpef": [{"from": low, "to": high, "rate": rate} for low, high, rate in taxes.IRPEF_BRACKETS],
        "ritenuta": taxes.WITHHOLDING_RATES,
        "bollo": {"fixed_eur": taxes.STAMP_DUTY_EUR},
    }
    kind = tax_type.value
    return {"tax_type": kind, "rates": known[kind] if kind in known else {"standard": taxes.FLAT_RATES[kind][0]}}


@router.post("/taxes/regional-taxes/calculate/imu")
async def imu(caller: AnyCaller, body: ImuRequest) -> dict[str, Any]:
    """IMU of one property."""
    del caller
    city = _city(body.cap)
    result = taxes.imu(body.property_value, city, prima_casa=body.is_prima_casa, property_type=body.property_type)
    return _located(city, body.cap, result)


@router.post("/taxes/regional-taxes/calculate/irpef-addizionali")
async def surcharges(caller: UserCaller, body: SurchargeRequest) -> dict[str, Any]:
    """The surcharges on IRPEF of one income."""
    del caller
    city = _city(body.cap)
    return _located(city, body.cap, taxes.surcharges(body.taxable_income, city))


def _calculated(body: TaxRequest) -> tuple[float, float, dict[str, Any], str]:
    if body.tax_type is TaxType.IVA:
        return taxes.iva(body.amount, body.vat_type or "standard")
    if body.tax_type is TaxType.IRPEF:
        return taxes.irpef(body.amount, body.deductions or 0.0)
    return taxes.flat(body.tax_type.value, body.amount, body.withholding_type or "professional")


def _city(cap: str) -> taxes.City:
    city = taxes.city_of(cap)
    if city is None:
        raise HTTPException(404, f"CAP {cap} non trovato")
    return city


def _located(city: taxes.City, cap: str, calculation: dict[str, Any]) -> dict[str, Any]:
    location = {"comune": city.comune, "provincia": city.provincia, "cap": cap}
    return {"location": location, "calculation": calculation, "timestamp": utc_now().isoformat()}
