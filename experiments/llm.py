"""A slow LLM is told from a slow target, and a cap on the LLM's calls holds, whichever engine sends the load."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from experiments.aftermath import document
from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from experiments.validity import profile_yaml
from include.loadtest.exposition import series_of
from include.loadtest.orchestration.context import RunContext
from include.loadtest.target.settings import Target, load_target_file

NAME = "llm"
NORMAL, SLOW, ADDED_MS = "normal", "slow", 2000
FIRST_TOKEN = {NORMAL: 100, SLOW: 100 + ADDED_MS}
"""The stub's first token, in ms."""
RATE_RPM, RATED_USERS, RATED_S, PAIRS = 480, 60, 75, 2
OWN_MS = 150
"""Work of the target's own beside its LLM, as a real one has more than the few ms of the stand-in."""
TIMES = ("llm_wait_mean_ms", "own_time_mean_ms")
TARGET_OPTIONS = ("--llm-first-token-ms", str(FIRST_TOKEN[NORMAL]), "--pool-size", "50")
"""An answer holds a connection while it waits for its LLM: with few of them a slow LLM makes others wait, which is time
of the target's own."""
LIMIT_MS = 1800
"""On the P95: met as the stub starts, missed with what is added."""
TOLERANCE = 0.05
USERS, CAPPED_S = 10, 60
MAX_CALLS, MAX_COST_EUR, PRICE_EUR = 150, 1.2, 0.01
LOOK_EVERY_S = 0.05
BREACHED = ("SLA_BREACH", "WARN")


def claims(say: Say) -> Iterator[Claim]:
    """Own time and cause with a slow LLM, then caps: by calls, by price, and one that nothing watches."""
    with bench(say, *TARGET_OPTIONS) as servers:
        yield from _slow_llm(servers)
        yield from _capped(servers, "calls", "locust", {"max_calls": MAX_CALLS}, MAX_CALLS)
        yield from _capped(servers, "price", "k6", {"max_cost_eur": MAX_COST_EUR}, round(MAX_COST_EUR / PRICE_EUR))
        yield _unwatched(servers)


def _context(servers: Bench, run_id: str, *, with_llm: bool = True, **changes: Any) -> RunContext:
    """A run on the demo target whose file has a price; `with_llm`: its LLM's page is known."""
    demo = servers.demo
    file = load_target_file("demo").model_copy(update={"llm_price_eur_a_call": PRICE_EUR})
    target = Target.checked(
        file,
        demo.base_url,
        demo.database_url,
        demo.redis_url,
        llm_metrics_url=demo.llm_url if with_llm else None,
    )
    return replace(servers.context(run_id, profile_yaml(**changes)), load_target=lambda _: target)


@contextmanager
def _fault(servers: Bench, **changes: Any) -> Iterator[None]:
    with servers.demo.client() as client:
        client.put("/admin/faults", json=changes).raise_for_status()
        try:
            yield
        finally:
            client.delete("/admin/faults").raise_for_status()


def _slow_llm(servers: Bench) -> Iterator[Claim]:
    """Runs in turns, so that what else the machine does meets both kinds."""
    bundles: dict[str, list[Path]] = {state: [] for state in FIRST_TOKEN}
    for number in range(1, PAIRS + 1):
        for state, first_token_ms in FIRST_TOKEN.items():
            servers.say(f"{state} stub, run {number}")
            context = _rated(servers, f"llm-{state}-{number}")
            with _fault(servers, llm_first_token_ms=first_token_ms, latency_added_ms={"chat_stream": OWN_MS}):
                servers.run(context)
            bundles[state].append(context.bundle.path)
    yield from _times(*([_mean(bundles[state], metric) for state in FIRST_TOKEN] for metric in TIMES))
    for bundle in bundles[SLOW]:
        yield _cause(bundle)


def _times(wait_ms: Sequence[float], own_ms: Sequence[float]) -> Iterator[Claim]:
    """Each as the stub starts, and slow."""
    added_ms, change = wait_ms[1] - wait_ms[0], own_ms[1] / own_ms[0] - 1
    yield Claim(
        NAME,
        f"the stub answers {ADDED_MS:,} ms later: the wait for a call grows by it",
        f"{ADDED_MS:,} ms ±5 %",
        f"{wait_ms[0]:,.0f} ms to {wait_ms[1]:,.0f} ms, {added_ms:+,.0f} ms",
        abs(added_ms / ADDED_MS - 1) <= TOLERANCE,
    )
    yield Claim(
        NAME,
        "the stub answers 2 s later: the target's own time stays",
        "±5 %",
        f"{own_ms[0]:.2f} ms to {own_ms[1]:.2f} ms an answer, {100 * change:+.1f} % ({PAIRS} runs each, in turns)",
        abs(change) <= TOLERANCE,
    )


def _mean(bundles: Sequence[Path], metric: str) -> float:
    """Over the answers, or calls, of all these runs' holds."""
    rows = [
        row
        for bundle in bundles
        for row in document(bundle, "metrics.json").get("metrics", ())
        if (row["metric"], row["phase"], row["scope"]) == (metric, "hold", "all")
    ]
    if len(rows) < len(bundles) or any(row["value"] is None for row in rows):
        raise RuntimeError(f"{metric} was not measured: {[row.get('why') for row in rows]}")
    return float(sum(row["value"] * row["n"] for row in rows) / sum(row["n"] for row in rows))


def _rated(servers: Bench, run_id: str) -> RunContext:
    """Arrivals on a schedule, so that a slow LLM makes no fewer requests; each asks what nobody asked before."""
    changes: Mapping[str, Any] = {
        "users": RATED_USERS,
        "arrival": {"rate_rpm": RATE_RPM, "max_users": RATED_USERS},
        "duration_s": RATED_S,
        "mix_pct": {"simple_query": 50, "complex_query": 50},
        "questions": {"pool_size": 3, "zipf_exponent": 1.1, "new_share": 1.0},
        "scenario_limits": "warning",
        "slos": [{"metric": "latency_p95_ms", "comparator": "<", "limit": LIMIT_MS}],
    }
    return _context(servers, run_id, **changes)


def _cause(bundle: Path) -> Claim:
    verdict, diagnosis = document(bundle, "verdict.json").get("verdict"), document(bundle, "diagnosis.json")
    causes = [cause["cause"] for cause in diagnosis.get("causes", ())]
    return Claim(
        NAME,
        f"{bundle.name}: the limit on the P95 is missed, and the LLM is named as the cause",
        "SLA_BREACH or WARN, first cause llm_slow",
        f"{verdict}, causes {', '.join(causes) or 'none'}: {diagnosis.get('sentence')}",
        verdict in BREACHED and causes[:1] == ["llm_slow"],
    )


@dataclass
class StubWatch:
    """How many calls have begun at the stub, looked at all the time from outside: done ones and those in work."""

    url: str
    begun: list[tuple[float, float]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator["StubWatch"]:
        """Look until the block is left."""
        thread = threading.Thread(target=self._run, name="stub-watch")
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def after(self, moment_s: float) -> float:
        """Calls that began after a look that was made after that moment (seconds since 1970)."""
        first = next(count for at_s, count in self.begun if at_s >= moment_s)
        return self.begun[-1][1] - first

    @property
    def in_all(self) -> float:
        """Calls that began while it looked."""
        return self.begun[-1][1] - self.begun[0][1]

    def _run(self) -> None:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=5) as client:
            while not self._ended.wait(LOOK_EVERY_S):
                with suppress(httpx.HTTPError):
                    page = client.get("/metrics").text
                    names = ("llm_requests_total", "llm_requests_in_progress")
                    count = sum(one.value or 0.0 for one in series_of(page) if one.name in names)
                    self.begun.append((time.time(), count))


def _capped(servers: Bench, what: str, engine: str, llm: Mapping[str, float], cap: int) -> Iterator[Claim]:
    """Without a cap this load would call the LLM some hundred times."""
    context = _context(
        servers,
        f"llm-cap-{what}",
        users=USERS,
        engine=engine,
        duration_s=CAPPED_S,
        questions={"pool_size": 5, "zipf_exponent": 1.1, "new_share": 0.8},
        llm=dict(llm),
    )
    servers.say(f"a cap by {what} with {engine}")
    with StubWatch(servers.demo.llm_url).running() as stub:
        servers.run(context)
        time.sleep(3)
    bundle = context.bundle.path
    manifest, verdict = context.manifest(), document(bundle, "verdict.json")
    reasons = [reason["code"] for reason in verdict.get("reasons", ())]
    text = next((reason["text"] for reason in verdict.get("reasons", ()) if reason["code"] == "cost_cap"), "none")
    yield Claim(
        NAME,
        f"a cap by {what} ({engine}) ends the load",
        "ABORTED, reason cost_cap, after some load",
        f"{verdict.get('verdict')}, {text}",
        verdict.get("verdict") == "ABORTED" and reasons[:1] == ["cost_cap"] and "load" in manifest,
    )
    counted = manifest["llm"]["calls"]
    yield Claim(
        NAME,
        f"a cap by {what} ({engine}): calls at the stub, and those that the run counted",
        f"at most {cap}, and equal",
        f"{stub.in_all:.0f} of {cap}, {counted:.0f} counted",
        0 < stub.in_all <= cap and stub.in_all == counted,
    )
    ended_s = datetime.fromisoformat(manifest["load"]["ended"]).timestamp()
    late = stub.after(ended_s)
    yield Claim(
        NAME, f"a cap by {what} ({engine}): calls that begin after the load's end", "0", f"{late:.0f}", late == 0
    )


def _unwatched(servers: Bench) -> Claim:
    """The target says nothing of its calls, and the LLM's page is not known."""
    servers.say("a cap that nothing can watch")
    context = _context(servers, "llm-unwatched", with_llm=False, llm={"max_calls": MAX_CALLS})
    with _fault(servers, bare_metrics=True), StubWatch(servers.demo.llm_url).running() as stub:
        servers.run(context)
    verdict = document(context.bundle.path, "verdict.json")
    reason: Mapping[str, Any] = next(iter(verdict.get("reasons", ())), {})
    return Claim(
        NAME,
        "a cap whose calls nothing counts: no load is sent",
        "INCONCLUSIVE, reason cap_unwatched, 0 calls",
        f"{verdict.get('verdict')}, {reason.get('code')}: {reason.get('text')}; {stub.in_all:.0f} calls",
        (verdict.get("verdict"), reason.get("code"), stub.in_all) == ("INCONCLUSIVE", "cap_unwatched", 0),
    )
