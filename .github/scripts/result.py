"""From what the load left to the job's colour, its summary and the pull request's comment.

Green is only a PASS or WARN that was read: from the bundle's own file where the load ran in this job, from the DAG
run's gate where a configured Airflow made it. Everything else is red, and a missing verdict is never replaced. A weekly
run that the configured Airflow's calendar has skipped is neither: it says that no load was sent.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_commands import add_summary, annotate, say, set_output

GREEN = ("PASS", "WARN")
VERDICTS = (*GREEN, "SLA_BREACH", "REGRESSION", "ABORTED", "INCONCLUSIVE")
MARKER = "<!-- load-test-result -->"
SMOKE_NOTE = "The smoke test finds what is plainly broken, not a small slow-down."
MAX_BODY_CHARS = 60_000  # GitHub takes 65,536 in a comment
MOST_FIGURES = 12
_TAIL_LINES = 30
_CUT = "\n\n…cut; see the files."
_MARKS = {"PASS": "✅", "WARN": "🟡"}

Document = Mapping[str, Any]


class NoVerdictError(Exception):
    """The load left no verdict that can be believed; `str()` says why."""


@dataclass(frozen=True)
class Result:
    """A verdict and where it comes from; `document` and `summary` are empty where the bundle is not on this machine."""

    verdict: str
    bundle: str
    document: Document
    summary: str


def read_result(output: Sequence[str], results: Path, *, local: bool) -> Result:
    """The result that the load's last two lines name. Raises NoVerdictError."""
    lines = [line for line in output if line.strip()][-2:]
    if len(lines) < 2 or not lines[0].startswith("verdict: ") or not lines[1].startswith("bundle: "):
        raise NoVerdictError("the load ended without a verdict")
    verdict, bundle = lines[0].removeprefix("verdict: "), lines[1].removeprefix("bundle: ")
    if verdict not in VERDICTS:
        raise NoVerdictError("the load ended with an unknown verdict")
    if not local:
        return Result(verdict, bundle, {}, "")
    document, summary = _read_bundle(Path(bundle), results)
    if document.get("verdict") != verdict:
        raise NoVerdictError("the verdict in the bundle is another one than the load's")
    return Result(verdict, bundle, document, summary)


def _read_bundle(bundle: Path, results: Path) -> tuple[Document, str]:
    if results.resolve() not in bundle.resolve().parents:
        raise NoVerdictError("the bundle is not among this job's results")
    file = next((bundle / name for name in ("suite.json", "verdict.json") if (bundle / name).is_file()), None)
    if file is None:
        raise NoVerdictError("there is no bundle with a verdict")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoVerdictError(f"{file.name} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise NoVerdictError(f"{file.name} is no verdict")
    summaries = sorted(bundle.glob("load_test_summary_*.md"))
    return document, summaries[-1].read_text(encoding="utf-8") if summaries else ""


def code(text: object) -> str:
    """Text from anywhere as code on one line, in which nothing is markup."""
    line = "".join(char if char.isprintable() else " " for char in str(text)[:300])
    return "`" + (line.replace("`", "'") or " ") + "`"


def figures(document: Document) -> list[str]:
    """What decided: the runs of a suite, else the reasons, else (all went well) the critical limits."""
    if runs := document.get("runs"):
        return [f"{code(entry['profile'])}: {code(entry['verdict'])}" for entry in runs][:MOST_FIGURES]
    if reasons := document.get("reasons"):
        return [f"{code(reason['code'])}: {code(reason['text'])}" for reason in reasons][:MOST_FIGURES]
    judged = [slo for slo in document.get("slos", ()) if slo["level"] == "critical" and slo["outcome"] != "not_judged"]
    return [code(_limit(slo)) for slo in judged][:MOST_FIGURES]


def _limit(slo: Document) -> str:
    observed = "not measured" if slo["observed"] is None else f"{slo['observed']:.4g} {slo['unit']}"
    limit = f"limit {slo['comparator']} {slo['limit']:g} {slo['unit']}"
    return f"{slo['metric']} of {slo['scope']} in {slo['phase']}: {observed}, {limit}, n={slo['n']}"


def body_of(result: Result, links: str, tail: Sequence[str]) -> str:
    """The comment's text: the verdict first, then the figures that decided, then the whole summary."""
    profile = result.document.get("profile")
    name = f" of {code(profile or result.document.get('suite'))}" if result.document else ""
    decided = figures(result.document)
    details = result.summary if result.summary else _fenced(tail)
    title = "The whole summary" if result.summary else "The end of its log"
    parts = [
        f"## {_MARKS.get(result.verdict, '❌')} {result.verdict}: load test{name}",
        "\n".join(["**Decided by**", "", *(f"- {line}" for line in decided)]) if decided else "",
        SMOKE_NOTE if profile == "smoke" else "",
        f"{links} · bundle {code(result.bundle)}",
        f"<details><summary>{title}</summary>\n\n{{}}\n\n</details>",
    ]
    return _with_details("\n\n".join(part for part in parts if part), details)


def no_verdict_body(reason: str, links: str, tail: Sequence[str]) -> str:
    """The comment's text where nothing can be said about the service."""
    text = f"## ❌ No verdict: load test\n\n{code(reason)}. Nothing is known about the service.\n\n{links}"
    return _with_details(
        f"{text}\n\n<details><summary>The end of its log</summary>\n\n{{}}\n\n</details>", _fenced(tail)
    )


def _with_details(frame: str, details: str) -> str:
    head, tail = frame.rsplit("{}", 1)
    room = MAX_BODY_CHARS - len(MARKER) - len(frame) - len(_CUT)
    shown = details if len(details) <= room else details[: details.rfind("\n", 0, room)] + _CUT
    return f"{MARKER}\n{head}{shown}{tail}\n"


def _fenced(lines: Sequence[str]) -> str:
    cleaned = ("".join(char if char.isprintable() else " " for char in line[:500]).replace("`", "'") for line in lines)
    return "\n".join(["```text", *cleaned, "```"])


def links_of(environment: Mapping[str, str]) -> str:
    """Where to read on."""
    page, airflow = environment["RUN_PAGE"], environment.get("AIRFLOW_PAGE")
    return f"[Log and files]({page})" + (f" · [run in Airflow]({airflow})" if airflow else "")


def main() -> int:
    """Write the summary and the comment; 0 for PASS and WARN, 1 for everything else."""
    output_file, results = Path(os.environ["LOAD_TEST_OUTPUT"]), Path(os.environ["LOADTEST_RESULTS_URI"])
    output = output_file.read_text(encoding="utf-8", errors="replace").splitlines() if output_file.exists() else []
    succeeded = os.environ["LOAD_OUTCOME"] == "success"
    if succeeded and os.environ["SKIPPED"] == "yes":
        return _skipped()
    tail, links = output[-_TAIL_LINES:], links_of(os.environ)
    try:
        result = read_result(output, results, local=os.environ["WAY"] != "airflow")
        body, verdict = body_of(result, links, tail), result.verdict
    except (NoVerdictError, KeyError, TypeError, ValueError) as error:
        reason = str(error) if isinstance(error, NoVerdictError) else f"the bundle's verdict is damaged: {error!r}"
        body, verdict = no_verdict_body(reason, links, tail), ""
        annotate("error", f"no verdict: {reason}")
    _write(body, verdict)
    if verdict and verdict not in GREEN:
        annotate("error", f"the load test's verdict is {verdict}")
    if verdict in GREEN and not succeeded:
        annotate("error", f"the verdict is {verdict}, but the step that sent the load failed")
    return 0 if verdict in GREEN and succeeded else 1


def _skipped() -> int:
    text = "Airflow's calendar has skipped this week's run. No load was sent, and nothing is known about the service."
    _write(f"{MARKER}\n## ⚪ Not run: load test\n\n{text}\n\n{links_of(os.environ)}\n", "")
    annotate("notice", text)
    return 0


def _write(body: str, verdict: str) -> None:
    Path(os.environ["COMMENT_FILE"]).write_text(body, encoding="utf-8")
    add_summary(body.removeprefix(MARKER))
    set_output("verdict", verdict)
    say(f"verdict: {verdict or 'none'}")


if __name__ == "__main__":
    sys.exit(main())
