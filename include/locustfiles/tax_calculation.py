"""VAT, income tax, property tax and surcharges for several regions, checked against the rule."""

from include.loadtest.scenarios.checks import check_tax
from include.loadtest.scenarios.draws import Draws
from include.loadtest.scenarios.taxes import LEAST_HUNDREDS, MOST_HUNDREDS, TAX_KINDS, tax_case
from include.locustfiles.call import Call, json_call
from include.locustfiles.user_context import UserContext


def next_call(user: UserContext) -> Call:
    """One calculation: each kind, each city and each amount equally likely."""
    kind = user.draws.pick(TAX_KINDS)
    amount_eur = drawn_amount_eur(user.draws)
    return tax_call(kind, amount_eur, user.draws.pick(user.caps))


def drawn_amount_eur(draws: Draws) -> int:
    """An amount in whole hundreds, each equally likely."""
    return 100 * (LEAST_HUNDREDS + draws.below(MOST_HUNDREDS - LEAST_HUNDREDS + 1))


def tax_call(kind: str, amount_eur: int, cap: str) -> Call:
    """A calculation of one of `TAX_KINDS`, checked against its rule."""
    case = tax_case(kind, amount_eur, cap)
    token = "user" if kind == "surcharges" else "session"
    return json_call(
        case.endpoint, case.path, case.body, lambda reply: check_tax(reply.json(), case.expected_eur), token=token
    )
