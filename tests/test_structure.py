"""The tree itself: tests mirror it, Airflow sees exactly the DAGs that are meant, limits stand in profiles only."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.unit


def test_every_library_module_has_its_test_file_or_is_named_here() -> None:
    """tests/ mirrors include/; a module without a test of its own is covered through the module named beside it."""
    covered_elsewhere = {
        "include/loadtest/profile/reference.py": "test_loading",
        "include/loadtest/profile/rules.py": "test_loading",
        "include/loadtest/profile/slo.py": "test_loading",
        "include/loadtest/profile/vocabulary.py": "test_loading",
        "include/loadtest/profile/yaml_source.py": "test_loading",
        "include/loadtest/profile/explaining.py": "test_loading",
        "include/loadtest/analysis/recommendations/case.py": "test_conditions",
        "include/loadtest/history/schema.py": "test_database",
        "include/loadtest/history/runs.py": "test_store",
        "include/loadtest/orchestration/web/trend_choice.py": "test_trends",
        "include/loadtest/collectors/reader.py": "test_process",
        "include/loadtest/orchestration/params.py": "test_factory",
        "include/loadtest/orchestration/airflow_context.py": "test_end_to_end",
        "include/loadtest/orchestration/faults.py": "test_pipeline",
        "include/loadtest/orchestration/limits.py": "test_deadline",
        "include/loadtest/orchestration/web/missing.py": "test_sources",
        "include/loadtest/orchestration/web/pages.py": "test_app",
        "include/loadtest/metrics/figures.py": "test_samples",
        "include/loadtest/runners/generator.py": "test_locust",
        "include/loadtest/reasons.py": "test_verdict",
        "include/loadtest/analysis/bottleneck/limits.py": "test_ranking",
        "include/loadtest/analysis/bottleneck/model.py": "test_ranking",
        "include/loadtest/publishing/message_parts.py": "test_message",
        "include/loadtest/publishing/slack_answers.py": "test_slack_client",
        "include/loadtest/reporting/page/view.py": "test_report_page",
        "include/loadtest/publishing/expressions.py": "test_alert_rules",
        "include/loadtest/publishing/dashboard_parts.py": "test_dashboards",
        "include/loadtest/publishing/dashboard_load.py": "test_dashboards",
        "include/loadtest/publishing/dashboard_target.py": "test_dashboards",
        "include/loadtest/publishing/dashboard_stores.py": "test_dashboards",
        "include/loadtest/publishing/dashboard_readings.py": "test_dashboards",
        "include/loadtest/publishing/dashboard_history.py": "test_dashboards",
    }
    missing = []
    for module in sorted((ROOT / "include" / "loadtest").rglob("*.py")):
        relative = module.relative_to(ROOT / "include")
        test = ROOT / "tests" / relative.parent / f"test_{module.name}"
        is_plain = not module.name.startswith("__") and "migrations" not in relative.parts
        if is_plain and not test.exists() and str(module.relative_to(ROOT)) not in covered_elsewhere:
            missing.append(str(relative))
    assert missing == []


def test_test_files_have_a_module() -> None:
    """A test file whose module has gone is deleted with it."""
    of_helpers = {"test_block_kit_rules.py"}
    for test in (ROOT / "tests" / "loadtest").rglob("test_*.py"):
        if test.name in of_helpers:
            continue
        relative = test.relative_to(ROOT / "tests")
        assert (ROOT / "include" / relative.parent / test.name.removeprefix("test_")).exists(), test


def test_no_limit_stands_in_code() -> None:
    """The spec's limits in ms and req/min are found in include/profiles only (py and js are searched)."""
    limits = re.compile(r"\b(3000|4000|5000|8000|12000|1500|2000)\b")
    allowed = {
        *("include/demo_target", "include/embedded"),  # sizes and ports of the stand-in, no limits
        "include/loadtest/reporting/page/assets/uPlot.iife.min.js",  # bundled as it was released
    }
    found = []
    for source in [
        *(ROOT / "include").rglob("*.py"),
        *(ROOT / "include").rglob("*.js"),
        *(ROOT / "dags").rglob("*.py"),
    ]:
        name = str(source.relative_to(ROOT))
        if not any(name.startswith(prefix) for prefix in allowed):
            found += [f"{name}: {line.strip()}" for line in source.read_text().splitlines() if limits.search(line)]
    assert found == []


def test_dag_files_are_a_docstring_and_one_call() -> None:
    """At most about twenty lines, and the two words without which Airflow skips a file."""
    for file in (ROOT / "dags").glob("*.py"):
        text = file.read_text()
        assert len(text.splitlines()) <= 20
        assert "dag" in text.lower()
        assert "airflow" in text.lower()


PROBE = """
import sys
sys.path.insert(0, "dags")
import importlib, pathlib
for file in sorted(pathlib.Path("dags").glob("*.py")):
    importlib.import_module(file.stem)
heavy = {"great_expectations", "pandas", "locust", "duckdb", "pyarrow", "scipy", "holidays"}
heavy |= {"github", "matplotlib", "slack_sdk"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""


def test_parsing_a_dag_file_imports_nothing_heavy(tmp_path) -> None:
    """Airflow parses the files again and again; great-expectations alone would cost it ten seconds."""
    environment = {"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    probe = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert probe.returncode == 0, probe.stderr
    assert probe.stdout.splitlines()[-1] == "[]"
