"""A real environment under attack: every route and role, orders over the API, a production host, and secrets that leak.

One run is made to its end: a confirmed one against a production host, with a secret of its own in every connection.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from experiments.claims import Claim, Say
from experiments.security_attack import DAG, HOST, OPERATOR, REFUSED_WITHIN_S, TARGET, Attack, attacked, until
from experiments.security_routes import other_sites, routes
from experiments.security_secrets import leaks, plant, watched
from tests.helpers.hostile import SMOKE, canaries
from tests.helpers.listeners import listener, redirect_to

ENDED_WITHIN_S = 900.0


def claims(name: str, say: Say) -> Iterator[Claim]:
    """In an order that lets the slow run go on while routes are tried."""
    with attacked(say) as attack, ExitStack() as open_:
        forbidden = open_.enter_context(listener("127.0.0.2"))
        away = open_.enter_context(listener("127.0.0.1", answer=redirect_to(f"http://127.0.0.2:{forbidden.port}/")))
        plant(attack, away.port)
        watch = open_.enter_context(watched(attack))
        say("a production host, asked for by several users")
        text = "{{ 7 * 7 }} {{ macros.os.system('x') }} " + canaries(attack.canary)[0]
        order = {"profile": "smoke", "users": 2, "duration_s": 5, "target": TARGET, "reason": text}
        answer = attack.trigger(OPERATOR, "confirmed", {**order, "confirm_production": HOST})
        refused = _refused_orders(attack)
        say("every route and role")
        yield routes(name, attack)
        yield other_sites(name, attack)
        yield _orders(name, attack)
        yield from _production(name, attack, refused)
        say("a confirmed run with a secret in every connection")
        yield _confirmed(name, attack, answer, text)
        watch.set()
        say("looking for secrets")
        yield leaks(name, attack)
        yield Claim(
            name,
            "Slack's server sends the token elsewhere: requests that it got; connections elsewhere",
            "some; 0",
            f"{away.connections}; {forbidden.connections}",
            away.connections > 0 and forbidden.connections == 0,
        )


def _refused_orders(attack: Attack) -> dict[str, tuple[httpx.Response, str]]:
    """Orders against the production host by who may not, or not like that; the answer of Airflow, and the reason."""
    short = {"profile": "smoke", "users": 2, "duration_s": 5, "target": TARGET}
    wanted: dict[str, tuple[str, str, dict[str, Any]]] = {
        "a viewer": ("viewer", DAG, {**short, "confirm_production": HOST}),
        "another user": ("user", DAG, {**short, "confirm_production": HOST}),
        "the operator without the name": (OPERATOR, DAG, short),
    }
    return {
        who: (attack.trigger(role, f"refused-{number}", {**conf, "reason": who}, dag_id), who)
        for number, (who, (role, dag_id, conf)) in enumerate(wanted.items())
    }


def _production(name: str, attack: Attack, orders: Mapping[str, tuple[httpx.Response, str]]) -> Iterator[Claim]:
    expected = {
        "a viewer": "HTTP 403",
        "another user": f"user may not confirm it, but {OPERATOR}",
        "the operator without the name": f"type confirm_production: {HOST}",
    }
    for who, (answer, reason) in orders.items():
        said = f"HTTP {answer.status_code}"
        if answer.status_code == 200:
            said = attack.refusal_of(reason)
        right = expected[who] in said and "\n" not in said
        yield Claim(name, f"a run against a production host by {who}", f"…{expected[who]}…", said[-160:], right)


def _orders(name: str, attack: Attack) -> Claim:
    """Parameters that the form would not let pass, over the API with a login that may start runs."""
    wrong = _wrong_parameters(attack.canary)
    answers = [attack.trigger(OPERATOR, f"hostile-{number}", conf) for number, conf in enumerate(wrong)]
    taken = [str(conf)[:60] for conf, answer in zip(wrong, answers, strict=True) if answer.status_code < 400]
    texts = {
        "a tag": SMOKE.replace("title: Smoke", f"title: !!python/object/apply:os.system ['touch {attack.canary}']"),
        "a bomb": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)),
    }
    said = []
    for what, text in texts.items():
        conf = {"profile": None, "profile_yaml": text, "reason": f"{what} in a profile", "target": "demo"}
        if attack.trigger(OPERATOR, f"hostile-{what.replace(' ', '-')}", conf).status_code == 200:
            said.append(_log_of_preflight(attack, f"hostile-{what.replace(' ', '-')}"))
    refused = sum(400 <= answer.status_code < 500 for answer in answers)
    clear = sum("profile_yaml:" in line for line in said)
    return Claim(
        name,
        "hostile parameters over Airflow's API: refused there; profiles as text with a tag that runs a program and "
        "with aliases of aliases: refused by preflight in a line; programs that ran",
        f"{len(answers)} of {len(answers)}; 2 of 2; 0",
        f"{refused} of {len(answers)}{f' (taken: {taken})' if taken else ''}; {clear} of {len(texts)}; "
        f"{int(attack.canary.exists())}",
        refused == len(answers) and clear == len(texts) and not attack.canary.exists(),
    )


def _wrong_parameters(canary: Path) -> list[dict[str, Any]]:
    """One wrong value each."""
    values: dict[str, tuple[Any, ...]] = {
        "profile": (*canaries(canary)[:4], "../../etc/passwd", "smoke.yaml", "\x00"),
        "target": (*canaries(canary)[:4], "../demo", None, 1, ["demo"], {"$ne": 1}),
        "suite": ("../weekly", "$(id)", 3, []),
        "users": (0, -1, 10**30, "1; id", 1.5, True, [1], {"a": 1}),
        "duration_s": (0, -5, 10**12, "60", "$(id)"),
        "engine": ("locust; id", "k6\n", 7),
        "reason": ("x" * 501, ["x"], {"a": "b"}, 5),
        "ignore_blackout": ("yes", 1, []),
        "profile_yaml": ("x" * 65537, ["a"], 5),
        "confirm_production": ("x" * 501, ["localhost"], True),
    }
    return [{name: value} for name, wrong in values.items() for value in wrong]


def _log_of_preflight(attack: Attack, run_id: str) -> str:
    """The log of the task that refuses a run without a valid profile: such a run has no manifest."""
    path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances/preflight"
    until(f"the end of preflight of {run_id}", lambda: _state(attack, path) in ("failed", "success"), REFUSED_WITHIN_S)
    return attack.call("GET", f"{path}/logs/1", "admin", params={"map_index": -1}).text


def _state(attack: Attack, path: str) -> str:
    answer = attack.call("GET", path, "admin")
    return str(answer.json().get("state")) if answer.status_code == 200 else ""


def _confirmed(name: str, attack: Attack, answer: httpx.Response, text: str) -> Claim:
    """The named operator who types the host's name; the reason stays text in every place."""
    path = f"/api/v2/dags/{DAG}/dagRuns/confirmed"
    if answer.status_code == 200:
        until("the end of the confirmed run", lambda: _state(attack, path) in ("success", "failed"), ENDED_WITHIN_S)
    found = attack.manifest_of(text)
    bundle = found[0] if found else None
    verdict, samples = "none", 0
    if bundle and (bundle / "verdict.json").exists():
        verdict = str(json.loads((bundle / "verdict.json").read_text(encoding="utf-8"))["verdict"])
        samples = len(list((bundle / "samples").glob("*.parquet")))
    return Claim(
        name,
        "a run against a production host by the operator who types its name: load was sent; a template and a command "
        "in its reason: kept as text; programs that ran",
        "yes; yes; 0",
        f"{'yes' if samples else 'no'} (verdict {verdict}); {'yes' if found else 'no'}; {int(attack.canary.exists())}",
        samples > 0 and found is not None and not attack.canary.exists(),
    )
