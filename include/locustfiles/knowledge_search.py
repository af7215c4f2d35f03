"""Searches of the regulatory knowledge base."""

from include.loadtest.scenarios.checks import check_search
from include.loadtest.scenarios.texts import RESULTS_WANTED, search_pool
from include.locustfiles.call import Call, Reply, json_call
from include.locustfiles.user_context import UserContext


def next_call(user: UserContext) -> Call:
    """Search for the words of one text."""
    keywords = user.draws.pick(search_pool()).split()
    return json_call("legal_search", "/italian/legal/search", {"keywords": keywords, "limit": RESULTS_WANTED}, _check)


def _check(reply: Reply) -> str | None:
    return check_search(reply.json())
