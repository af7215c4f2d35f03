"""The change test on recorded histories, against what was planted in them and what others labelled; and its rivals.

The constants of the test were chosen while looking at these runs. So the cases are drawn anew besides, from halves of
the runs that share none with the baseline: that shows how much hangs on single runs, not what other systems do.
"""

import csv
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from experiments.claims import Claim, Say
from experiments.expectations import BLAMES, COMPARED, EXPECTED, EXPECTED_OF_REDRAWN, Scored, comparison
from experiments.public_series import PublicSeries, claimed, compared, public_series, rule_alarms, scored_by
from experiments.redraw import redrawn
from experiments.rivals import Otava, OtavaUnavailableError, naive_alarms, naive_calls
from experiments.scoring import SeriesScore
from include.loadtest.backtest.recorded import History, read_history
from include.loadtest.backtest.replay import Case, judge_cases, read_cases
from include.loadtest.profile.reference import requirements

NAME = "regression"
RULE, NAIVE = "this rule", "naive 10 %"
MEASURED = Path(__file__).parent / "data" / "measured"
LEAST_CASES_PER_S = 100


def claims(say: Say) -> Iterator[Claim]:
    """On the measured cases, on cases drawn anew, on the public series; then the rivals on the same."""
    say("reading the measured runs")
    history = read_history(MEASURED)
    cases = read_cases(MEASURED / "cases.csv", history)
    kinds = {row["case"]: row["kind"] for row in _rows("cases-truth.csv")}
    began_s = time.perf_counter()
    scored = judged(history, cases, kinds)
    cases_per_s = len(cases) / (time.perf_counter() - began_s)
    for expectation in EXPECTED:
        yield expectation.claim(NAME, f"{len(cases)} cases", list(scored.values()))
    yield _speed(len(cases), cases_per_s)
    say("judging cases that are drawn anew")
    yield from _cross_validated(history)
    say("replaying the public series")
    series = public_series()
    scores = {RULE: scored_by(series, [rule_alarms(series, one.ids) for one in series.parts])}
    yield from claimed(NAME, scores[RULE])
    blamed = {RULE: {case: one.word in BLAMES for case, one in scored.items()}}
    yield from _compared(say, (history, cases), scored, blamed, (series, scores))


def _rows(file: str) -> list[dict[str, str]]:
    with (MEASURED / file).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def judged(
    history: History, cases: Mapping[str, Case], kinds: Mapping[str, str], folds: Mapping[str, str] | None = None
) -> dict[str, Scored]:
    """What the rule says of each case, with the settings that all profiles share."""
    rules = requirements()
    answers = judge_cases(history, cases, rules.change_test, rules.stall_limit_s)
    return {
        answer.case: Scored(
            kinds[answer.case],
            cases[answer.case].candidate[0],
            len(cases[answer.case].confirm),
            answer.word,
            answer.evidence.scope if answer.evidence else "",
            (folds or {}).get(answer.case, ""),
        )
        for answer in answers
    }


def _speed(cases: int, cases_per_s: float) -> Claim:
    return Claim(
        NAME,
        f"{cases} cases judged, the runs' statistics being there",
        f">= {LEAST_CASES_PER_S} a second",
        f"{cases_per_s:.0f} a second",
        cases_per_s >= LEAST_CASES_PER_S,
    )


def _cross_validated(history: History) -> Iterator[Claim]:
    kinds = {row["run_id"]: "_".join(filter(None, (row["kind"], row["week"]))) for row in _rows("runs.csv")}
    drawn = {one.name: one for one in redrawn(kinds)}
    scored = judged(
        history,
        {name: one.case for name, one in drawn.items()},
        {name: one.kind for name, one in drawn.items()},
        {name: one.fold for name, one in drawn.items()},
    )
    for expectation in EXPECTED_OF_REDRAWN:
        yield expectation.claim(NAME, "drawn anew over halves of the runs", list(scored.values()))


def _compared(
    say: Say,
    measured: tuple[History, Mapping[str, Case]],
    scored: Mapping[str, Scored],
    blamed: dict[str, dict[str, bool]],
    public: tuple[PublicSeries, dict[str, list[SeriesScore]]],
) -> Iterator[Claim]:
    """The rivals on the same cases and series, in the same rows; without Otava the others stand."""
    history, cases = measured
    series, scores = public
    blamed[NAIVE] = {name: naive_calls(history, case) for name, case in cases.items()}
    scores[NAIVE] = scored_by(
        series, [naive_alarms(one.values, higher_is_better=one.higher_is_better) for one in series.parts]
    )
    say("replaying Apache Otava")
    yield _with_otava(Otava(say), measured, series, blamed, scores)
    yield from (comparison(NAME, own, scored, blamed) for own in COMPARED)
    yield from compared(NAME, scores)


def _with_otava(
    otava: Otava,
    measured: tuple[History, Mapping[str, Case]],
    series: PublicSeries,
    blamed: dict[str, dict[str, bool]],
    scores: dict[str, list[SeriesScore]],
) -> Claim:
    """Adds what Otava says to `blamed` and `scores`."""
    title, expected = "Apache Otava 0.8.0 is replayed beside", "both histories"
    try:
        calls = otava.calls(*measured)
        alarms = otava.alarms([(part.values, part.higher_is_better) for part in series.parts])
    except OtavaUnavailableError as error:
        return Claim(NAME, title, expected, f"not replayed, the rows below lack it: {error}", False)
    blamed |= calls
    scores |= {setting: scored_by(series, found) for setting, found in alarms.items()}
    return Claim(NAME, title, expected, f"{len(measured[1])} cases, {len(series.parts)} stretches", True)
