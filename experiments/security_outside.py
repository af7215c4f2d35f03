"""Requests that somebody would like to lead elsewhere: each place that must not be reached counts who connects."""

import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from slack_sdk import WebClient, WebhookClient

from experiments.claims import Claim, Say
from include.loadtest.bundle import Bundle
from include.loadtest.collectors.app import AppReader
from include.loadtest.collectors.llm import LlmReader
from include.loadtest.errors import ConfigError
from include.loadtest.profile import Overrides, Profile, find_profile, load_profile
from include.loadtest.publishing import slack_client
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest
from include.loadtest.target.cities import known_caps
from include.loadtest.target.preflight import check_target
from include.loadtest.target.requests import http_client
from include.loadtest.target.restart import restart_since
from include.loadtest.target.sessions import Session, SessionCache, ensure_sessions
from include.loadtest.target.settings import Target, TargetFile
from include.loadtest.target.warm_up import warm_cache
from tests.helpers.listeners import Listener, listener, redirect_to

HERE, THERE = "127.0.0.1", "127.0.0.2"
NOWHERE = "target.invalid"
"""A name that no resolver knows: whoever reaches its server was told the address."""
STATUS = (301, 302, 303, 307, 308)
USERS, HOLD_S = 2, 4


def claims(name: str, say: Say) -> Iterator[Claim]:
    """Addresses, names that move, redirections."""
    with listener(THERE) as forbidden, listener(HERE) as allowed:
        yield _addresses(name, allowed, forbidden)
        yield _rebinding(name, allowed, forbidden)
    yield _redirects(name)
    for engine in ("locust", "k6"):
        say(f"a load by {engine} that the target sends elsewhere")
        yield _load(name, engine)


def _file(*hosts: str) -> TargetFile:
    return TargetFile.model_validate({"name": "x", "allowed_hosts": hosts}, strict=False)


def _addresses(name: str, allowed: Listener, forbidden: Listener) -> Claim:
    other = forbidden.port
    urls = [
        *(f"http://{THERE}:{other}", f"http://{HERE}:{other}", f"http://{HERE}:{allowed.port}@{THERE}:{other}"),
        *(f"http://user:pw@{HERE}:{allowed.port}", f"http://{HERE}:{allowed.port}#@{THERE}"),
        *(f"http://2130706434:{other}", f"http://0x7f000002:{other}", f"http://0177.0.0.2:{other}"),
        *(f"http://127.2:{other}", f"http://0:{other}"),
        *(f"http://0.0.0.0:{other}", f"http://[::ffff:127.0.0.2]:{other}", f"http://[::ffff:7f00:2]:{other}"),
        *(f"http://[::1%25lo]:{other}", f"http://{HERE}.nip.example:{other}", f"http://localhost.evil:{other}"),
        *(f"http://{THERE}.:{other}", f"http://{HERE}\\@{THERE}:{other}", f"http://{HERE}%2f@{THERE}:{other}"),
        *(f"http://{HERE}:{allowed.port}\r\nHost: {THERE}", f"http://{HERE}:{allowed.port}/../../x"),
        *(f"http://{HERE}:{allowed.port}?@{THERE}", f"http://127。0。0。2:{other}", f"http://ⓛocalhost:{other}"),
        *("http://169.254.169.254/latest/meta-data", "file:///etc/passwd", f"gopher://{THERE}:{other}/x"),
        *(f"unix:///{HERE}", f"//{THERE}:{other}", f"http:{THERE}:{other}", f"http://{HERE}:0", f"http://{HERE}:99999"),
        *(f"https://{THERE}:{other}", f"http://{HERE}\t:{other}", f"http://LOCALHOST:{other}", f"http://[::]:{other}"),
    ]
    file = _file(f"{HERE}:{allowed.port}")
    taken, lines = [], []
    for url in urls:
        try:
            target = Target.checked(file, url)
        except ConfigError as error:
            lines.append(str(error))
            continue
        taken.append(url)
        with suppress(Exception), http_client(target, 2) as client:
            client.get(target.base_url)
    clear = sum(line.isprintable() for line in lines)
    return Claim(
        name,
        f"{len(urls)} addresses that mean another server than the one allowed: taken; refused in one line; connections "
        "to others",
        f"0; {len(urls)}; 0",
        f"{len(taken)}{' (' + ', '.join(map(repr, taken)) + ')' if taken else ''}; {clear}; {forbidden.connections}",
        not taken and clear == len(urls) and forbidden.connections == 0,
    )


@contextmanager
def _resolver(answers: list[str]) -> Iterator[list[str]]:
    """A resolver that gives the next address each time it is asked for a name; the names that it was asked for."""
    asked: list[str] = []

    def look_up(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        if str(host).replace(".", "").isdigit():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, int(port)))]
        asked.append(str(host))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[min(len(asked), len(answers)) - 1], int(port)))]

    with patch.object(socket, "getaddrinfo", look_up):
        yield asked


def _rebinding(name: str, allowed: Listener, forbidden: Listener) -> Claim:
    """Another server listens on the same port of the other address, as it has to for this attack."""
    file = _file(f"{NOWHERE}:{allowed.port}", f"{HERE}:{allowed.port}")
    url, before = f"http://{NOWHERE}:{allowed.port}", allowed.connections
    with listener(THERE, port=allowed.port) as moved, _resolver([HERE, THERE]) as asked:
        target = Target.checked(file, url)
        with http_client(target, 2) as client:
            for _ in range(20):
                client.get(f"{url}/health")
        reader = AppReader([f"{url}/metrics"], "x", 2, target.addresses)
        with suppress(Exception):
            reader.read()
        reader.close()
        try:
            Target.checked(file, url)
            refused = "taken"
        except ConfigError:
            refused = "refused"
        reached = moved.connections + forbidden.connections
    return Claim(
        name,
        "a name that points elsewhere after its check: requests that arrive where it was checked; connections "
        "elsewhere; the next check",
        "21; 0; refused",
        f"{allowed.connections - before}; {reached}; {refused} ({len(asked)} questions to the resolver)",
        allowed.connections - before == 21 and reached == 0 and refused == "refused" and len(asked) == 2,
    )


def _redirects(name: str) -> Claim:
    """Every client of the library, against a server that answers all with a redirection."""
    reached, made = 0, 0
    quiet: list[str] = []
    with tempfile.TemporaryDirectory(prefix="loadtest-prove-") as folder:
        for status in STATUS:
            with listener(THERE) as forbidden:
                elsewhere = redirect_to(f"http://{THERE}:{forbidden.port}/", status)
                for label, client in _clients(Path(folder)).items():
                    with listener(HERE, answer=elsewhere) as asked:
                        with suppress(Exception):
                            client(f"http://{HERE}:{asked.port}")
                        made += asked.connections
                        quiet += [] if asked.connections else [label]
                reached += forbidden.connections
    return Claim(
        name,
        f"redirections ({', '.join(map(str, STATUS))}) of the target, its metrics and LLM page, Slack: clients that "
        "did not ask at all; connections elsewhere",
        "none; 0",
        f"{', '.join(sorted(set(quiet))) or 'none'}; {reached} ({made} requests)",
        not quiet and reached == 0,
    )


def _clients(folder: Path) -> dict[str, Callable[[str], object]]:
    file = _file(HERE)
    session = Session(1, "user-token", "session-token", None, time.time())
    profile = load_profile(find_profile("smoke"))

    def of(url: str) -> Target:
        return Target.checked(file, url, "postgresql://nobody@127.0.0.1:1/x")

    return {
        "preflight": lambda url: check_target(of(url), "x-1"),
        "login": lambda url: ensure_sessions(of(url), (1,), folder / f"{time.monotonic_ns()}.json", "x-1"),
        "cities": lambda url: known_caps(of(url), session, 1, "x-1", {"Milano": ("20121",)}),
        "warm-up": lambda url: warm_cache(of(url), _short(profile), {1: session}, "x-1"),
        "restart": lambda url: restart_since(of(url), datetime.now(UTC)),
        "metrics page": lambda url: AppReader([f"{url}/metrics"], "x", 2, (HERE,)).read(),
        "LLM page": lambda url: LlmReader(f"{url}/metrics", "x", 2).read(),
        "Slack": lambda url: WebClient("xoxb-secret", f"{url}/api/", 3).api_test(),
        "Slack's webhook": lambda url: WebhookClient(f"{url}/services/x", 3).send(text="x"),
        "Slack's files": lambda url: slack_client._put(f"{url}/upload", b"x", 3),
    }


def _short(profile: Profile) -> Profile:
    return profile.model_copy(update={"questions": profile.questions.model_copy(update={"pool_size": 2})})


def _load(name: str, engine: str) -> Claim:
    """A real load to a server that is known by its checked address only, and that sends every request elsewhere."""
    with tempfile.TemporaryDirectory(prefix="loadtest-prove-") as made, listener(THERE) as forbidden:
        folder = Path(made)
        elsewhere = redirect_to(f"http://{THERE}:{forbidden.port}/", 307)
        with listener(HERE, answer=elsewhere) as asked:
            sessions = folder / "sessions.json"
            obtained = {number: Session(number, "u", "s", None, time.time()) for number in range(1, USERS + 1)}
            SessionCache(sessions).save(obtained)
            overrides = Overrides(users=USERS, duration_s=HOLD_S, engine=engine)
            request = LoadRequest(
                bundle=Bundle(folder / "x-1"),
                profile=load_profile(find_profile("smoke"), overrides),
                base_url=f"http://{NOWHERE}:{asked.port}",
                addresses=(HERE,),
                api_prefix="/api/v1",
                forwarded_for=False,
                sessions_file=sessions,
                user_numbers=tuple(obtained),
                work_dir=folder,
                caps=("20121",),
            )
            result = run_load(request, lambda _line: None, lambda: False)
            arrived = asked.connections
        reached = forbidden.connections
    return Claim(
        name,
        f"a load by {engine} to a name that only its check knows, every answer a redirection: requests that arrive; "
        "connections elsewhere",
        "some; 0",
        f"{arrived}; {reached} ({'complete' if result.completed else 'ended early'})",
        arrived > 0 and reached == 0,
    )
