"""From what the load left to the job's colour, its summary, and `result.json` for the jobs that tell it elsewhere.

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

from workflow_commands import add_summary, annotate, say, set_output

GREEN = ("PASS", "WARN")
VERDICTS = (*GREEN, "SLA_BREACH", "REGRESSION", "ABORTED", "INCONCLUSIVE")
RESULT = "result.json"
MAX_SUMMARY_CHARS = 250_000  # GitHub takes 1 MiB of a step's summary, and up to four bytes are a character
_TAIL_LINES = 30
_CUT = "\n\n…cut; see the files.\n"


class NoVerdictError(Exception):
    """The load left no verdict that can be believed; `str()` says why."""


@dataclass(frozen=True)
class Result:
    """A verdict and where it comes from; `summary` is empty where the bundle is not on this machine."""

    verdict: str
    bundle: str
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
        return Result(verdict, bundle, "")
    stated, summary = _read_bundle(Path(bundle), results)
    if stated != verdict:
        raise NoVerdictError("the verdict in the bundle is another one than the load's")
    return Result(verdict, bundle, summary)


def _read_bundle(bundle: Path, results: Path) -> tuple[object, str]:
    """The verdict that the bundle states, and its summary."""
    if results.resolve() != bundle.resolve().parent:
        raise NoVerdictError("the bundle is not among this job's results")
    file = next((bundle / name for name in ("suite.json", "verdict.json") if (bundle / name).is_file()), None)
    if file is None:
        raise NoVerdictError("there is no bundle with a verdict")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoVerdictError(f"{file.name} cannot be read: {error}") from error
    if not _is_whole(document):
        raise NoVerdictError(f"{file.name} is no verdict")
    summaries = sorted(bundle.glob("load_test_summary_*.md"))
    return document.get("verdict"), summaries[-1].read_text(encoding="utf-8") if summaries else ""


def _is_whole(document: object) -> bool:
    lists = [document.get(name) or [] for name in ("reasons", "slos", "runs")] if isinstance(document, dict) else [None]
    return all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in lists)


def summary_of(result: Result, links: str, tail: Sequence[str]) -> str:
    """The run's own summary, or, where that is elsewhere, the verdict and the end of the log."""
    text = result.summary or f"# {result.verdict}: load test\n\nBundle {_code(result.bundle)}\n\n{_fenced(tail)}\n"
    room = MAX_SUMMARY_CHARS - len(_CUT) - len(links)
    shown = text if len(text) <= room else text[: text.rfind("\n", 0, room)] + _CUT
    return f"{shown}\n{links}\n"


def _code(text: str) -> str:
    """Text from anywhere as code on one line, in which nothing is markup."""
    return "`" + (_plain(text, 300).replace("`", "'") or " ") + "`"


def _fenced(lines: Sequence[str]) -> str:
    return "\n".join(["```text", *(_plain(line, 500).replace("`", "'") for line in lines), "```"])


def _plain(text: str, most: int) -> str:
    return "".join(char if char.isprintable() else " " for char in text[:most])


def _links(environment: Mapping[str, str]) -> str:
    page, airflow = environment["RUN_PAGE"], environment.get("AIRFLOW_PAGE")
    return f"[Log and files]({page})" + (f" · [run in Airflow]({airflow})" if airflow else "")


def main() -> int:
    """Write the summary and the result; 0 for PASS and WARN, 1 for everything else."""
    output_file, results = Path(os.environ["LOAD_TEST_OUTPUT"]), Path(os.environ["LOADTEST_RESULTS_URI"])
    output = output_file.read_text(encoding="utf-8", errors="replace").splitlines() if output_file.exists() else []
    succeeded = os.environ["LOAD_OUTCOME"] == "success"
    if succeeded and os.environ["SKIPPED"] == "yes":
        return _skipped()
    tail, links = output[-_TAIL_LINES:], _links(os.environ)
    is_local = os.environ["WAY"] != "airflow"
    told: dict[str, object] = {
        "schema": 1,
        "verdict": None,
        "bundle": None,
        "run_id": None,
        "problem": None,
        "tail": tail,
    }
    try:
        result = read_result(output, results, local=is_local)
    except NoVerdictError as error:
        told |= {"problem": str(error)}
        add_summary(
            f"# ❌ No verdict: load test\n\n{_code(str(error))}. Nothing is known about the service.\n\n{links}"
        )
        annotate("error", f"no verdict: {error}")
    else:
        run_id = Path(result.bundle).name if is_local else None
        told |= {"verdict": result.verdict, "bundle": result.bundle, "run_id": run_id}
        add_summary(summary_of(result, links, tail))
    _tell(results, told)
    return _colour(str(told["verdict"] or ""), succeeded=succeeded)


def _tell(results: Path, told: Mapping[str, object]) -> None:
    results.mkdir(parents=True, exist_ok=True)
    (results / RESULT).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _colour(verdict: str, *, succeeded: bool) -> int:
    set_output("verdict", verdict)
    say(f"verdict: {verdict or 'none'}")
    if verdict and verdict not in GREEN:
        annotate("error", f"the load test's verdict is {verdict}")
    if verdict in GREEN and not succeeded:
        annotate("error", f"the verdict is {verdict}, but the step that sent the load failed")
    return 0 if verdict in GREEN and succeeded else 1


def _skipped() -> int:
    text = "Airflow's calendar has skipped this week's run. No load was sent, and nothing is known about the service."
    add_summary(f"# ⚪ Not run: load test\n\n{text}\n\n{_links(os.environ)}")
    set_output("verdict", "")
    say("verdict: none")
    annotate("notice", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
