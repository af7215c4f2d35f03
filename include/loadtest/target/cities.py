"""Which cities' postal codes the target knows: it documents the cities, not their codes, and refuses unknown ones."""

import json
from collections.abc import Iterable, Mapping

import httpx

from include.loadtest.errors import InfrastructureError
from include.loadtest.target.requests import exchange, http_client, request_headers
from include.loadtest.target.sessions import Session
from include.loadtest.target.settings import Target

_PATH = "/taxes/regional-taxes/calculate/irpef-addizionali"
_TIMEOUT_S = 30.0


def known_caps(
    target: Target, session: Session, number: int, run_id: str, candidates: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """For each city the first candidate code that the target calculates with; cities without one are left out.

    Raises InfrastructureError where the target cannot be asked. The requests belong to the phase `warm_up`.
    """
    headers = {
        **request_headers(target, run_id, "warm_up", number),
        "Authorization": f"Bearer {session.user_token}",
        "Content-Type": "application/json",
    }
    found: dict[str, str] = {}
    with http_client(target, _TIMEOUT_S) as client:
        for city, codes in candidates.items():
            code = next((code for code in codes if _is_known(client, target.url(_PATH), headers, code)), None)
            if code is not None:
                found[city] = code
    return found


def _is_known(client: httpx.Client, url: str, headers: Mapping[str, str], code: str) -> bool:
    body = json.dumps({"taxable_income": 30000, "cap": code}).encode()
    try:
        answer = exchange(client, "POST", url, timeout_s=_TIMEOUT_S, headers=headers, content=body)
    except httpx.HTTPError as error:
        raise InfrastructureError(f"POST {url}: {error or type(error).__name__}") from error
    return answer.status == 200
