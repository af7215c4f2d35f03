"""Every route of the pages as nobody and as each role, and what another site's page can make a browser ask for."""

import httpx

from experiments.claims import Claim
from experiments.security_attack import ROLES, Attack

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
ACT = {"X-Loadtest": "1", "Sec-Fetch-Site": "same-origin"}


def _own_routes() -> list[tuple[str, str]]:
    from include.loadtest.orchestration.web.app import create_app

    found = []
    for route in create_app().routes:
        parts = ["x" if part.startswith("{") else part for part in route.path.split("/")]  # type: ignore[attr-defined]
        found += [(method, "/loadtest" + "/".join(parts)) for method in sorted(route.methods)]  # type: ignore[attr-defined]
    return found


def routes(name: str, attack: Attack) -> Claim:
    """Nobody without a login; reading for every role; changing for all but viewers."""
    wrong, tried, bare = [], 0, 0
    for method, path in _own_routes():
        is_action = method in CHANGING and path != "/loadtest/x"
        for role in (None, *ROLES):
            answer = attack.call(method, path, role, headers=ACT, json={})
            tried += 1
            bare += "content-security-policy" not in answer.headers or "x-content-type-options" not in answer.headers
            refused = answer.status_code in (401, 403)
            allowed = role is not None and not (is_action and role == "viewer")
            right = (answer.status_code == 401) if role is None else refused is not allowed
            if not right or answer.status_code in (500, 502, 504):
                wrong.append(f"{method} {path} as {role or 'nobody'}: {answer.status_code}")
    return Claim(
        name,
        f"every route of the pages, as nobody and as {', '.join(ROLES)}, on Airflow's real server: wrong answers; "
        "answers without security headers",
        "0; 0",
        f"{len(wrong)} of {tried}{': ' + '; '.join(wrong[:5]) if wrong else ''}; {bare}",
        not wrong and not bare and tried > 100,
    )


def other_sites(name: str, attack: Attack) -> Claim:
    """What another site's page can make a browser send, with the administrator's cookie."""
    forged: tuple[dict[str, str], ...] = (
        {},
        {"Content-Type": "text/plain", "Origin": "https://evil.example"},
        {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "application/json", "X-Loadtest": "1", "Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "application/json", "X-Loadtest": "1", "Sec-Fetch-Site": "same-site"},
    )
    changing = [path for method, path in _own_routes() if method == "POST" and path != "/loadtest/x"]
    status = []
    for action in ("propose", "pin", "retire", "mark"):
        for headers in forged:
            for path in changing:
                cookie = {"_token": attack.tokens["admin"]}
                url = attack.url + path.replace("/x", f"/{action}")
                answer = httpx.post(url, headers=headers, cookies=cookie, content=b"{}", timeout=60, trust_env=False)
                status.append(answer.status_code)
    refused = status.count(403)
    claim = "changes that another site's page asks for with the administrator's login: refused"
    return Claim(name, claim, f"all of {len(status)}", f"{refused}", refused == len(status) and refused > 0)
