"""Attacks on what runs: hostile orders, addresses that lead elsewhere, every route and role, secrets that might leak.

Everything is real but the attacked outside: listeners on addresses of this machine, which count who connects.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from experiments.claims import Claim, Say
from experiments.security_inside import claims as claims_inside
from experiments.security_outside import claims as claims_outside
from tests.helpers.hostile import cases, is_one_clear_line

NAME = "security"
WITHIN_S = 5.0


def claims(say: Say) -> Iterator[Claim]:
    """Without Airflow first, then in a real environment with an API server and real logins."""
    say("hostile orders")
    yield _hostile()
    yield from claims_outside(NAME, say)
    yield from claims_inside(NAME, say)


def _hostile() -> Claim:
    with tempfile.TemporaryDirectory(prefix="loadtest-prove-") as folder:
        canary = Path(folder) / "canary"
        wrong, slowest_s, refused = [], 0.0, 0
        given = cases(canary)
        for case in given:
            began_s = time.monotonic()
            try:
                said = case.give()
            except Exception as error:  # noqa: BLE001 - a traceback is what is looked for
                said = f"\n{type(error).__name__}"
            slowest_s = max(slowest_s, time.monotonic() - began_s)
            refused += said != "text"
            if (said == "text") is not (case.fate == "text") or not is_one_clear_line(said):
                wrong.append(case.name)
        was_run = canary.exists()
    return Claim(
        NAME,
        "hostile profiles, parameters and inputs (shell, templates, tags and bombs of YAML, paths, 10 MB, NUL, "
        "directions): refused in one line or kept as text; the slowest; programs that ran",
        f"all of at least 100; under {WITHIN_S:.0f} s; 0",
        f"{len(given) - len(wrong)} of {len(given)} ({refused} refused){': not ' + ', '.join(wrong) if wrong else ''}; "
        f"{slowest_s:.1f} s; {int(was_run)}",
        len(given) >= 100 and not wrong and slowest_s < WITHIN_S and not was_run,
    )
