"""`make backtest DIR=… [CASES=…] [PROFILE=…]`: a row of CSV for each case on standard output, nothing else."""

import csv
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from include.loadtest.backtest.recorded import read_history
from include.loadtest.backtest.replay import Answer, judge_cases, judge_history, read_cases
from include.loadtest.errors import ConfigError, LoadTestError
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.reference import requirements

HEADER = ("case", "verdict", "metric", "scope", "change", "ci_low", "ci_high")
BAD_INPUT = 2


def main(environment: Mapping[str, str]) -> int:
    """Judge what DIR holds; returns the exit code. The settings are PROFILE's, else those that all profiles share."""
    try:
        if not environment.get("DIR"):
            raise ConfigError("DIR: no folder given; make backtest DIR=load_test_results")
        rules = load_profile(find_profile(environment["PROFILE"])) if environment.get("PROFILE") else requirements()
        history = read_history(Path(environment["DIR"]))
        if environment.get("CASES"):
            cases = read_cases(Path(environment["CASES"]), history)
            answers = judge_cases(history, cases, rules.change_test, rules.stall_limit_s)
        else:
            answers = judge_history(history, rules.change_test, rules.stall_limit_s)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(_row(answer) for answer in answers)
    except LoadTestError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    return 0


def _row(answer: Answer) -> tuple[str, ...]:
    worst = answer.evidence
    if worst is None:
        return (answer.case, str(answer.word), "", "", "", "", "")
    figures = (f"{figure:.4f}" for figure in (worst.change, worst.ci_low, worst.ci_high))
    return (answer.case, str(answer.word), worst.measure, worst.scope, *figures)


if __name__ == "__main__":
    sys.exit(main(os.environ))
