"""VAT, income tax, property tax and surcharges for several regions, checked against the rule."""

from include.loadtest.scenarios.checks import check_tax
from include.loadtest.scenarios.taxes import TAX_KINDS, tax_case
from include.locustfiles.call import Call, json_call
from include.locustfiles.user_context import UserContext

_LEAST_HUNDREDS, _MOST_HUNDREDS = 50, 2500
"""Amounts from 5,000 to 250,000 euro, in whole hundreds."""


def next_call(user: UserContext) -> Call:
    """One calculation: each kind, each city and each amount equally likely."""
    kind = user.draws.pick(TAX_KINDS)
    amount_eur = 100 * (_LEAST_HUNDREDS + user.draws.below(_MOST_HUNDREDS - _LEAST_HUNDREDS + 1))
    case = tax_case(kind, amount_eur, user.draws.pick(user.caps))
    token = "user" if kind == "surcharges" else "session"
    return json_call(
        case.endpoint, case.path, case.body, lambda reply: check_tax(reply.json(), case.expected_eur), token=token
    )
