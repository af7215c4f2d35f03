"""`comment.py FOLDER`: tells a pull request and its commit the result in FOLDER, the artefact of the load's job.

PR_NUMBER gets one comment, renewed by each run, HEAD_SHA a check. A job that left no verdict is told as such: an old
green comment must not stay under a new red job.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from job_settings import job_settings
from patience import patiently, status_of
from result import RESULT
from workflow_commands import annotate, say

from include.loadtest import run
from include.loadtest.errors import LoadTestError, printable
from include.loadtest.publishing.delivery import Budget, DeliveryError
from include.loadtest.publishing.github import github_errors, repository
from include.loadtest.publishing.github_text import bounded, code, harmless, link
from include.loadtest.publishing.pages_index import is_run_id
from include.loadtest.publishing.pull_request import Check, check_of, report_check, upsert_comment
from include.loadtest.publishing.pull_request_text import pull_request_text
from include.loadtest.reporting.report import SENTENCES
from include.loadtest.reporting.summary import verdict_title

NO_WRITE = "this run's token may not write (a fork's never may); the summary is on the run's page"
_DOCUMENTS = (run.METRICS, run.COMPARISON, run.DIAGNOSIS)
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Told:
    """What is told of one run: the comment's text and the commit's check."""

    text: str
    check: Check


def main() -> int:
    """0 also where GitHub grants no writing: the verdict is the other job's; 1 when GitHub fails."""
    environment = os.environ
    if environment["HEAD_REPOSITORY"] != environment["GITHUB_REPOSITORY"]:
        annotate("notice", f"nothing is told: {NO_WRITE}")
        return 0
    told = told_of(Path(sys.argv[1]), environment)
    try:
        settings = job_settings(environment)
    except LoadTestError as error:
        annotate("error", f"nothing is told: {error}")
        return 1
    number = int(environment["PR_NUMBER"])
    comment = _tell("comment", lambda budget: upsert_comment(repository(settings, budget), number, told.text))
    check = _tell("check", lambda budget: report_check(repository(settings, budget), told.check))
    return 0 if comment and check else 1


def _tell(what: str, attempt: Any) -> bool:
    def within(budget: Budget) -> Mapping[str, Any]:
        with github_errors():
            receipt: Mapping[str, Any] = attempt(budget)
            return receipt

    try:
        receipt = patiently(within)
    except DeliveryError as error:
        if status_of(error) == 403:
            annotate("notice", f"no {what} was written: {NO_WRITE}")
            return True
        annotate("error", f"no {what} was written: {error}")
        return False
    say(f"wrote the {what}: {receipt['url']}")
    return True


def told_of(results: Path, environment: Mapping[str, str]) -> Told:
    """What the folder of results says. Never fails: what cannot be read is no verdict."""
    sha, page = environment["HEAD_SHA"], environment["RUN_PAGE"]
    try:
        return _of_result(results, _read(results / RESULT), sha, page)
    except FileNotFoundError:
        return _no_verdict("the job ended before it had a result", sha, page, ())
    except (OSError, *_DAMAGED):
        return _no_verdict("the job's result is damaged", sha, page, ())


def _of_result(results: Path, result: Mapping[str, Any], sha: str, page: str) -> Told:
    tail = tuple(str(line) for line in result["tail"])
    if result["verdict"] is None:
        return _no_verdict(str(result["problem"]), sha, page, tail)
    if result["run_id"] is None:
        return _elsewhere(result, sha, page, tail)
    return _of_bundle(results, str(result["run_id"]), sha, page)


def _read(file: Path) -> dict[str, Any]:
    document = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(f"{file.name} is no object")
    return document


def _of_bundle(results: Path, run_id: str, sha: str, page: str) -> Told:
    if not is_run_id(run_id):
        raise ValueError("no id of a run")
    bundle = results / run_id
    verdict = _read(bundle / run.VERDICT)
    metrics, comparison, diagnosis = (
        _read(bundle / name) if (bundle / name).is_file() else None for name in _DOCUMENTS
    )
    text = pull_request_text(
        verdict=verdict,
        metrics=metrics,
        comparison=comparison,
        diagnosis=diagnosis,
        link_to_run=page,
        commit=sha,
    )
    return Told(text, check_of(verdict, sha, text, page))


def _elsewhere(result: Mapping[str, Any], sha: str, page: str, tail: tuple[str, ...]) -> Told:
    """A run of a configured Airflow: its bundle lies there, and only its verdict is known here."""
    verdict = {"verdict": str(result["verdict"])}
    where = f"{link('Run', page)} · bundle {code(str(result['bundle']))}"
    sentence = f"{SENTENCES[verdict['verdict']]} Its figures are in its own report."
    text = _text(f"{verdict_title(verdict['verdict'])}: load test in the configured Airflow", sentence, where, tail)
    return Told(text, check_of(verdict, sha, text, page))


def _no_verdict(reason: str, sha: str, page: str, tail: tuple[str, ...]) -> Told:
    sentence = f"{harmless(reason)}. Nothing is known about the service."
    text = _text("❌ No verdict: load test", sentence, str(link("Log and files", page)), tail)
    return Told(text, Check(sha, "action_required", "error", printable(f"No verdict: {reason}", 140), text, page))


def _text(head: str, sentence: str, where: str, tail: tuple[str, ...]) -> str:
    log = ["", "The end of its log:", "", *(f"- {code(line)}" for line in tail)] if tail else []
    return bounded([f"## {head}", "", sentence, "", where, *log])


if __name__ == "__main__":
    sys.exit(main())
