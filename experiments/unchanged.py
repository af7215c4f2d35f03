"""Real runs of an unchanged target are never called slower: 10 as the baseline, 20 more that are judged in turn."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml

from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from include.loadtest.orchestration.context import RunContext
from include.loadtest.profile import PROFILES_DIR
from include.loadtest.run import COMPARISON, VERDICT

NAME = "aa"
BASELINE, JUDGED = 10, 20
USERS, DURATION_S, WARM_UP_MAX_S = 10, 15, 20
VALID = ("PASS", "WARN")


def profile_yaml() -> str:
    """The committed smoke profile with shorter pauses, so that a short run has enough requests of each endpoint."""
    data: dict[str, Any] = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    data |= {"users": USERS, "ramp_up_s": 2, "duration_s": DURATION_S, "think_time_s": {"min": 0.1, "max": 0.3}}
    data["warm_up"]["max_s"] = WARM_UP_MAX_S
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def claims(say: Say) -> Iterator[Claim]:
    """The baseline's validity, then the words of the runs that are judged against it, repeats included."""
    with bench(say) as servers:
        valid = [verdict_of(made_run(servers, f"b{number}")) for number in range(1, BASELINE + 1)]
        yield Claim(
            NAME, f"{BASELINE} unchanged runs", "all valid", _counted(valid), all(one in VALID for one in valid)
        )
        judged = [made_run(servers, f"a{number}") for number in range(1, JUDGED + 1)]
        verdicts = [verdict_of(context) for context in judged]
        words = [word_of(context) for context in judged]
        repeated = sum(bool(_change(context).get("repeats")) for context in judged)
    yield Claim(
        NAME,
        f"{JUDGED} more unchanged runs, judged one after the other",
        "no REGRESSION, each compared",
        f"{_counted(verdicts)}; change test: {_counted(words)}; {repeated} suspected and repeated",
        "REGRESSION" not in (*verdicts, *words) and "NOT_ENOUGH_RUNS" not in words and all(words),
    )


def made_run(servers: Bench, name: str) -> RunContext:
    """A whole run, with its repeats if it is suspected."""
    began_s = time.monotonic()
    context = servers.context(f"smoke-{name}", profile_yaml())
    servers.run(context)
    passed_s = time.monotonic() - began_s
    servers.say(f"  {name}: {verdict_of(context)}, {word_of(context) or 'not compared'}, {passed_s:.0f} s")
    return context


def verdict_of(context: RunContext) -> str:
    """The run's verdict; none where it has none."""
    return str(context.bundle.read(VERDICT)["verdict"]) if context.bundle.has(VERDICT) else "none"


def word_of(context: RunContext) -> str:
    """What the change test said at last; empty where the run was not compared."""
    return str(_change(context).get("word", ""))


def _change(context: RunContext) -> dict[str, Any]:
    if not context.bundle.has(COMPARISON):
        return {}
    return dict(context.bundle.read(COMPARISON).get("change_test") or {})


def _counted(words: list[str]) -> str:
    return ", ".join(f"{count} {word or 'not compared'}" for word, count in Counter(words).most_common())
