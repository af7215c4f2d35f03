"""The audit of the locked packages is red for a vulnerability, and for an audit that has looked at nothing."""

import json
import platform
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from pip_audit._format import JsonFormat
from pip_audit._service import ResolvedDependency, SkippedDependency, VulnerabilityResult

from tests.github.conftest import ROOT, WORKFLOW, script, step, steps

pytestmark = pytest.mark.unit
TODAY = date(2026, 11, 27)
ENTRY = """[[accepted]]
id = "CVE-2026-1"
package = "left-behind"
reason = "only its command line"
until = 2026-11-27
"""


def _report(*rows: tuple[Any, list[VulnerabilityResult]]) -> str:
    """As pip-audit itself writes it."""
    return JsonFormat(output_desc=False, output_aliases=True).format(dict(rows), [])


def _package(name: str, *vulnerabilities: VulnerabilityResult) -> tuple[Any, list[VulnerabilityResult]]:
    return ResolvedDependency(name, Version("1.0")), list(vulnerabilities)


def _found(*aliases: str) -> VulnerabilityResult:
    return VulnerabilityResult("PYSEC-2026-9", "text", [Version("1.1")], set(aliases))


def _judge(report: str, accepted: str = "", locked: str = "") -> tuple[list[str], list[str]]:
    module = script("audit")
    return module.judge(report, module.read_locked(locked), module.read_accepted(accepted), TODAY)


def test_packages_without_a_vulnerability_are_green() -> None:
    """It says how many were audited, of how many, and in which Python."""
    wrong, told = _judge(_report(_package("a"), _package("b")), locked="a==1.0 \\\n    --hash=sha256:0\nB==1.0\n")
    assert wrong == []
    here = f"2 that are locked for Python {platform.python_version()} here"
    assert told == [f"packages audited: 2 of {here}, vulnerabilities found: 0"]


def test_a_locked_package_that_is_not_in_the_report_is_red() -> None:
    """By its version too: another one was audited."""
    wrong, _ = _judge(_report(_package("a"), _package("b")), locked="a==1.0\nb==2.0\nc==1.0\n")
    assert wrong == [f"not audited: {one}: it is locked, and pip-audit does not name it" for one in ("b 2.0", "c 1.0")]


def test_what_is_locked_for_another_python_is_told() -> None:
    """It is no fault of this audit, and none may think that it was looked at."""
    locked = "a==1.0\nb==2.0 ; python_full_version < '3.0' \\\n    --hash=sha256:0\n"
    wrong, told = _judge(_report(_package("a")), locked=locked)
    assert wrong == []
    assert told[1:] == ["locked for other Pythons or systems, so not audited here: b 2.0"]


@pytest.mark.parametrize("line", ["a>=1.0", "-r other.txt", "a==1.0 ; what < '3'", "git+https://example.org/a"])
def test_a_line_that_nobody_would_audit_is_an_error(line: str) -> None:
    """It is named with its number."""
    with pytest.raises(script("audit").AuditError, match="line 2 of the locked file"):
        _judge(_report(_package("a")), locked=f"a==1.0\n{line}\n")


def test_the_jobs_pythons_audit_every_line() -> None:
    """But the line for Windows, and the one for a Python of Debian 12 that no runner has: `make audit` there has it."""
    linux = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}
    runs = [
        linux | {"python_version": one, "python_full_version": f"{one}.9"}
        for one in WORKFLOW["jobs"]["audit"]["strategy"]["matrix"]["python"]
    ]
    locked = script("audit").read_locked((ROOT / "requirements.txt").read_text())
    assert len(locked) > 200
    left = [one.package for one in locked if one.marker and not any(one.marker.evaluate(run) for run in runs)]
    assert left == ["async-timeout", "pywin32"]


@pytest.mark.parametrize(
    "rows", [[], [(SkippedDependency("a", "Dependency not found on PyPI and could not be audited: a (1.0)"), [])]]
)
def test_nothing_audited_is_red(rows: list[Any]) -> None:
    """pip-audit itself leaves with 0 then."""
    wrong, _ = _judge(_report(*rows))
    assert any("no package was audited" in line for line in wrong)


def test_one_package_that_was_left_out_is_red() -> None:
    """Named, with why."""
    wrong, _ = _judge(_report(_package("a"), (SkippedDependency("b", "not found"), [])))
    assert wrong == ["not audited: b: not found"]


def test_a_vulnerability_is_red_with_its_names() -> None:
    """The package, its version, each id, and which version mends it."""
    wrong, _ = _judge(_report(_package("left-behind", _found("CVE-2026-1"))))
    assert wrong == ["left-behind 1.0: PYSEC-2026-9, CVE-2026-1; mended in 1.1"]


def test_an_accepted_one_is_told_until_the_end_of_its_day() -> None:
    """By any of its names, for that package only; on the next day it is red."""
    report = _report(_package("left-behind", _found("CVE-2026-1")))
    wrong, told = _judge(report, ENTRY)
    assert wrong == []
    assert any("accepted until 2026-11-27" in line and "only its command line" in line for line in told)
    assert _judge(_report(_package("other", _found("CVE-2026-1"))), ENTRY)[0]
    wrong, _ = _judge(report, ENTRY.replace("11-27", "11-26"))
    assert len(wrong) == 2
    assert wrong[0].startswith("expired on 2026-11-26: left-behind CVE-2026-1")


def test_an_expired_entry_is_red_although_nothing_is_found() -> None:
    """The list stays true; one that is not needed any more is told."""
    wrong, told = _judge(_report(_package("a")), ENTRY.replace("11-27", "11-26"))
    assert len(wrong) == 1
    assert any(line.startswith("no longer found") for line in told)


@pytest.mark.parametrize(
    "text",
    [
        ENTRY.replace('reason = "only its command line"\n', ""),
        ENTRY.replace("only its command line", " "),
        ENTRY.replace("2026-11-27", '"2026-11-27"'),
        ENTRY + "who = 'x'\n",
        "accepted = [",
    ],
)
def test_an_entry_has_a_reason_and_a_date(text: str) -> None:
    """Else the audit is red."""
    with pytest.raises(script("audit").AuditError, match=r"accepted_vulnerabilities\.toml"):
        _judge(_report(_package("a")), text)


@pytest.mark.parametrize("report", ["", "no JSON", "[]", '{"dependencies": [{"name": "a"}]}', '{"dependencies": 3}'])
def test_what_is_no_report_is_an_error(report: str) -> None:
    """Never taken for an empty one."""
    with pytest.raises(script("audit").AuditError, match="no report"):
        _judge(report)


@pytest.mark.parametrize(("report", "code"), [(_report(_package("a")), 0), (_report(), 1), ("x", 1)])
def test_the_exit_code_is_the_jobs_colour(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, report: str, code: int
) -> None:
    """In GitHub what is wrong is an annotation."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (tmp_path / "report.json").write_text(report)
    (tmp_path / "locked.txt").write_text("a==1.0\n")
    assert script("audit").main([str(tmp_path / "locked.txt"), "--report", str(tmp_path / "report.json")]) == code
    assert ("::error::" in capsys.readouterr().out) is bool(code)


def test_a_pip_audit_that_fails_is_red(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a report there is nothing to believe."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert script("audit").main(["/nowhere/requirements.txt"]) == 1
    assert "pip-audit failed with exit code" in capsys.readouterr().err


def test_the_job_audits_the_locked_file_with_the_locked_program() -> None:
    """Each week, and with each change: the workflow has no filter of paths."""
    texts = [entry["run"] for entry in steps("audit") if "run" in entry]
    audit = '".venv/bin/python$PYTHON" .github/scripts/audit.py requirements.txt'
    assert texts == ["python -m venv .venv", "make venv", audit]
    assert step("audit", "Look for known vulnerabilities")["env"] == {"PYTHON": "${{ matrix.python }}"}
    assert WORKFLOW[True]["schedule"]
    assert WORKFLOW[True]["pull_request"] is None
    assert json.loads(json.dumps(WORKFLOW["jobs"]["audit"].get("if"))) is None
