"""`make prove`: runs the experiments and prints a line for each claim; exit code 1 if one does not hold."""

import logging
import sys

import psycopg2

from experiments import (
    alerts,
    bottleneck,
    calendar,
    capacity,
    censored,
    collectors,
    compose,
    confirm,
    dashboards,
    faults,
    freeze,
    fresh,
    generators,
    italian,
    kill9,
    live_page,
    llm,
    lock,
    outbox,
    pages,
    pages_speed,
    parity,
    parse,
    profiles,
    regression,
    release,
    report,
    screens,
    security,
    selftest,
    tickets,
    unchanged,
    upkeep,
    validity,
    walk,
)
from experiments.claims import Claim, Experiment, Progress, run_program, wanted
from include.embedded.state import EmbeddedError
from include.loadtest.errors import LoadTestError

EXPERIMENTS: dict[str, Experiment] = {
    faults.NAME: faults.claims,
    profiles.NAME: profiles.claims,
    kill9.NAME: kill9.claims,
    freeze.NAME: freeze.claims,
    censored.NAME: censored.claims,
    unchanged.NAME: unchanged.claims,
    confirm.NAME: confirm.claims,
    regression.NAME: regression.claims,
    validity.NAME: validity.claims,
    parity.NAME: parity.claims,
    walk.NAME: walk.claims,
    calendar.NAME: calendar.claims,
    lock.NAME: lock.claims,
    italian.NAME: italian.claims,
    release.NAME: release.claims,
    parse.NAME: parse.claims,
    collectors.NAME: collectors.claims,
    alerts.NAME: alerts.claims,
    dashboards.NAME: dashboards.claims,
    bottleneck.NAME: bottleneck.claims,
    llm.NAME: llm.claims,
    capacity.NAME: capacity.claims,
    tickets.NAME: tickets.claims,
    outbox.NAME: outbox.claims,
    selftest.NAME: selftest.claims,
    pages.NAME: pages.claims,
    live_page.NAME: live_page.claims,
    report.NAME: report.claims,
    pages_speed.NAME: pages_speed.claims,
    screens.NAME: screens.claims,
    generators.NAME: generators.claims,
    upkeep.NAME: upkeep.claims,
    security.NAME: security.claims,
    compose.NAME: compose.claims,
    fresh.NAME: fresh.claims,
}
DEFAULT = (
    faults.NAME,
    profiles.NAME,
    kill9.NAME,
    freeze.NAME,
    censored.NAME,
    unchanged.NAME,
    confirm.NAME,
    regression.NAME,
    validity.NAME,
    parity.NAME,
    calendar.NAME,
    lock.NAME,
    italian.NAME,
    release.NAME,
    parse.NAME,
    collectors.NAME,
    alerts.NAME,
    dashboards.NAME,
    bottleneck.NAME,
    llm.NAME,
    capacity.NAME,
    tickets.NAME,
    outbox.NAME,
    selftest.NAME,
    pages.NAME,
    live_page.NAME,
    report.NAME,
    pages_speed.NAME,
    screens.NAME,
    generators.NAME,
    upkeep.NAME,
    security.NAME,
)
"""Without ONLY. Asked for by their names: walk, which takes about an hour; compose and fresh, which need root."""
HEAD = "name | claim | expected | measured | ok"
BAD_INPUT, FAILED = 2, 1


def main(only: str) -> int:
    """Run what is wanted; returns the exit code."""
    say = Progress()
    try:
        names = wanted(only, EXPERIMENTS, DEFAULT)
    except LoadTestError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    # Airflow, once imported, logs to standard output, which is for the claims.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    print(HEAD, flush=True)
    all_hold = True
    for name in names:
        say(f"experiment {name}")
        try:
            for claim in EXPERIMENTS[name](say):
                print(claim.line(), flush=True)
                all_hold = all_hold and claim.ok
        except (EmbeddedError, LoadTestError, OSError, RuntimeError, psycopg2.Error) as error:
            print(
                Claim(name, "runs to its end", "no error", f"{type(error).__name__}: {error}", False).line(), flush=True
            )
            all_hold = False
    return 0 if all_hold else FAILED


if __name__ == "__main__":
    run_program(main)
