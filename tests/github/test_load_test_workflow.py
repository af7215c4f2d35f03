"""The workflow's file itself: its schema, its triggers, and the rules that keep it safe."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.profile import find_profile, load_profile
from tests.github.conftest import ROOT, SCRIPTS, WORKFLOW, WORKFLOW_FILE, step, steps

pytestmark = pytest.mark.unit
JOBS = tuple(WORKFLOW["jobs"])
RUN_STEPS = [(job, entry["name"]) for job in JOBS for entry in steps(job) if "run" in entry]


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    """Checked without a network: every proxy leads nowhere."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    return subprocess.run(
        [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", file],
        env={"PATH": os.defpath} | nowhere,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_a_workflow_by_githubs_schema() -> None:
    """The schema comes with the checker, so it needs no network."""
    checked = check_schema(WORKFLOW_FILE)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_schema_refuses_a_misspelt_key(tmp_path: Path) -> None:
    """The check is one that can fail."""
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOW_FILE.read_text().replace("runs-on:", "run-on:", 1))
    assert check_schema(broken).returncode == 1


def test_it_starts_on_the_events_of_the_requirements() -> None:
    """Pull requests, pushes to main, Sundays at 02:00 UTC, and by hand."""
    triggers = WORKFLOW[True]  # YAML 1.1 reads the key `on` as true
    assert set(triggers) == {"pull_request", "push", "schedule", "workflow_dispatch"}
    assert triggers["push"] == {"branches": ["main"]}
    assert triggers["schedule"] == [{"cron": "0 2 * * 0"}]
    assert {"profile", "suite", "users", "duration_s", "engine", "target_url"} <= set(
        triggers["workflow_dispatch"]["inputs"]
    )


def test_the_pull_requests_profile_is_ten_users_for_a_minute() -> None:
    """The order says smoke; smoke is what the requirements ask for."""
    smoke = load_profile(find_profile("smoke"))
    assert (smoke.users, smoke.duration_s) == (10, 60)


def test_permissions_are_the_least() -> None:
    """Reading is the rule; the pull request and the reports are written by jobs that run no load."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    own = {job: WORKFLOW["jobs"][job].get("permissions") for job in JOBS}
    assert own == {
        "load-test": None,
        "comment": {"contents": "read", "pull-requests": "write", "checks": "write"},
        "pages": {"contents": "write", "pages": "read"},
        "audit": None,
    }


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    """A tag can be moved to other code, a commit cannot."""
    lines = [line.strip() for line in WORKFLOW_FILE.read_text().splitlines() if "uses:" in line]
    assert len(lines) >= 9
    assert all(re.fullmatch(r"(- )?uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in lines), lines


def test_no_checkout_leaves_its_token_behind() -> None:
    """A load test runs what the pull request brings: it must not find a credential of git's."""
    checkouts = [entry for job in JOBS for entry in steps(job) if "actions/checkout" in entry.get("uses", "")]
    assert len(checkouts) == len(JOBS)
    assert all(entry["with"]["persist-credentials"] is False for entry in checkouts)


@pytest.mark.parametrize(("job", "name"), RUN_STEPS)
def test_no_expression_becomes_part_of_a_shell_script(job: str, name: str) -> None:
    """A branch's name or an input reaches a step through its environment only, and a step is valid bash."""
    text = step(job, name)["run"]
    assert "${{" not in text
    checked = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_step_and_script_ends_at_its_first_error() -> None:
    """Of an unset variable and of a pipe's first part too; no step sets a shell of its own."""
    assert WORKFLOW["defaults"]["run"]["shell"].startswith("bash ")
    assert "-euo pipefail" in WORKFLOW["defaults"]["run"]["shell"]
    assert not any("shell" in entry for job in JOBS for entry in steps(job))
    for file in SCRIPTS.glob("*.sh"):
        assert "\nset -euo pipefail\n" in file.read_text(), file.name
        assert os.access(file, os.X_OK), file.name
        subprocess.run(["bash", "-n", file], check=True)


def test_every_script_is_used_and_every_used_one_is_there() -> None:
    """Steps name programs that exist, and no program is left over."""
    named = {found for job, name in RUN_STEPS for found in re.findall(r"scripts/([\w.]+)", step(job, name)["run"])}
    sources = {file.name: file.read_text() for file in SCRIPTS.iterdir() if file.is_file()}
    imported = {f"{name}.py" for text in sources.values() for name in re.findall(r"^from (\w+) import", text, re.M)}
    assert named <= set(sources)
    assert set(sources) == named | (imported & set(sources))


def test_secrets_reach_only_the_job_that_needs_them() -> None:
    """And no secret is named where a pull request's title or branch is."""
    for job in JOBS:
        has_secrets = any("secrets." in str(value) for entry in steps(job) for value in entry.get("env", {}).values())
        assert has_secrets == (job == "load-test")


def test_two_load_tests_on_one_service_follow_each_other() -> None:
    """They wait, however many there are, and none is cancelled in its middle."""
    rule = WORKFLOW["jobs"]["load-test"]["concurrency"]
    assert rule["queue"] == "max"
    assert "cancel-in-progress" not in rule
    assert all(name in rule["group"] for name in ("vars.AIRFLOW_URL", "inputs.target_url", "vars.LOAD_TEST_BASE_URL"))


@pytest.mark.parametrize("name", ["Send the load", "Let the configured Airflow send the load"])
def test_the_load_gets_every_input_of_make_run(name: str) -> None:
    """What the order decided arrives under the names that `make run` reads."""
    inputs = re.search(r"^INPUTS := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert inputs is not None
    of_others = {"CONFIRM_PRODUCTION"}  # the workflow's login is nobody's own, so it confirms nothing
    of_others |= {"AIRFLOW_PORT", "ONLY", "DIR", "CASES", "SEEDS", "RECORD", "BUNDLES", "SAMPLES"}
    expected = set(inputs[1].split()) - of_others
    environment = step("load-test", name)["env"]
    assert expected <= set(environment)
    assert all(environment[word] == f"${{{{ steps.order.outputs.{word.lower()} }}}}" for word in expected)


def test_what_tells_and_cleans_up_runs_after_a_failure_too() -> None:
    """A red load test is the one whose report is read."""
    always = {entry["name"] for entry in steps("load-test") if str(entry.get("if", "")).startswith("always()")}
    assert always == {
        "Read the verdict",
        "Save Prometheus' readings",
        "Stop what was started",
        "Keep the results, samples included",
    }
    assert all(WORKFLOW["jobs"][job]["if"].startswith("always()") for job in ("comment", "pages"))


@pytest.mark.parametrize("name", ["order", "result", "workflow_commands"])
def test_programs_outside_of_the_venv_need_only_pythons_own_library(name: str) -> None:
    """They run before, or without, an installation."""
    tree = ast.parse((SCRIPTS / f"{name}.py").read_text())
    found: set[Any] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    assert found <= set(sys.stdlib_module_names) | {file.stem for file in SCRIPTS.glob("*.py")}
