"""In which month a growing load meets the limit. Pure arithmetic."""

import math
from datetime import date
from typing import Any

from include.loadtest.profile.parts import Plan

MOST_MONTHS = 120
"""Ten years: beyond this nobody's growth is a plan."""


def months_until(limit: float, now: float, growth_pct: float) -> int | None:
    """The first whole month after which `now`, growing by `growth_pct` a month, is at `limit` or above; 0: already.

    The load after m months is now x (1 + growth / 100)^m. None where it never gets there, or not within ten years.
    """
    if now >= limit:
        return 0
    if growth_pct <= 0:
        return None
    months = math.ceil(math.log(limit / now) / math.log1p(growth_pct / 100) - 1e-9)  # a rounding rest is no month
    return months if months <= MOST_MONTHS else None


def month_after(start: date, months: int) -> str:
    """The month so many months after that of a date, as `2027-03`."""
    number = start.year * 12 + start.month - 1 + months
    return f"{number // 12}-{number % 12 + 1:02d}"


def plan_document(plan: Plan, low_users: int | None, high_users: float | None, start: date) -> dict[str, Any]:
    """What the plan makes of a limit between `low_users` (carried) and `high_users` (no more; None: not known).

    `loads` has, for the normal load and the peak, its users now, and the months from `start` in which it meets the
    limit: `earliest` with the lower end and the highest growth, `latest` with the upper end and the lowest. 0 months:
    met already. Null: not within ten years, or not known.
    """
    growth = plan.growth_range_pct
    loads = {
        name: {
            "users_now": users,
            **_when("earliest", low_users, users, None if growth is None else growth[1], start),
            **_when("latest", high_users, users, None if growth is None else growth[0], start),
        }
        for name, users in (("normal", float(plan.normal_users)), ("peak", plan.normal_users * plan.peak_factor))
    }
    limits = {"low": low_users, "high": high_users}
    stated = None if growth is None else {"low": growth[0], "high": growth[1]}
    document: dict[str, Any] = {"growth_pct_a_month": stated, "limit_users": limits, "loads": loads}
    return document | {"sentence": _sentence(document)}


def _when(name: str, limit: float | None, now: float, growth_pct: float | None, start: date) -> dict[str, Any]:
    months = None
    if limit is not None:
        months = months_until(limit, now, 0.0 if growth_pct is None else growth_pct)
    return {f"{name}_months": months, name: None if months is None else month_after(start, months)}


def _sentence(document: dict[str, Any]) -> str:
    limits, growth, loads = document["limit_users"], document["growth_pct_a_month"], document["loads"]
    if limits["low"] is None and limits["high"] is None:
        return "When growth meets the limit is not known: no limit was found."
    texts = [f"{title}: {_met(loads[name], limits, growth)}" for name, title in _TITLES]
    if growth is None:
        unstated = "No growth is configured (plan.growth_pct_a_month of the profile), so no month is named."
        return f"{unstated} Now {'; '.join(texts)}."
    span = f"{growth['low']:g}" if growth["low"] == growth["high"] else f"{growth['low']:g} to {growth['high']:g}"
    return f"With {span} % more users a month (stated in the profile, not measured) {'; '.join(texts)}."


_TITLES = (("normal", "the normal load"), ("peak", "the load at a tax deadline"))


def _met(load: dict[str, Any], limits: dict[str, Any], growth: dict[str, Any] | None) -> str:
    users = f"{load['users_now']:g} users"
    if limits["high"] is not None and load["users_now"] >= limits["high"]:
        return f"{users}, at the limit already"
    if limits["low"] is not None and load["users_now"] > limits["low"]:
        return f"{users}, more than the {limits['low']:g} that are shown to be carried"
    return f"{users}, of {_between(limits)}" if growth is None else f"{users}, meets {_month(load, limits)}"


def _month(load: dict[str, Any], limits: dict[str, Any]) -> str:
    if load["earliest"] is None and load["latest"] is None:
        return "no limit within ten years"
    if load["earliest"] is None:
        return f"the limit in {load['latest']} at the latest"
    if load["latest"] is None:
        end = "a latest month is not known" if limits["high"] is None else "or not within ten years"
        return f"the limit in {load['earliest']} at the earliest, {end}"
    if load["earliest"] == load["latest"]:
        return f"the limit in {load['latest']}"
    return f"the limit between {load['earliest']} and {load['latest']}"


def _between(limits: dict[str, Any]) -> str:
    low, high = limits["low"], limits["high"]
    if high is None:
        return f"{low:g} carried"
    return f"a limit up to {high:.0f}" if low is None else f"a limit between {low:g} and {high:.0f}"
