"""The cost file is the document's three examples; an error in one names its line and the near word."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from include.loadtest.errors import ConfigError
from include.loadtest.profile import find_profile, profile_names
from include.loadtest.profile.costs import COSTS_FILE, load_costs

pytestmark = pytest.mark.unit


def test_the_committed_file_has_the_documents_three_examples() -> None:
    """Triggers, parts, prices, priorities and efforts, word for word."""
    examples = [
        (
            *(one.component, [(trigger.metric, trigger.above, trigger.unit) for trigger in one.triggers]),
            *(one.current, one.recommended, one.priority, one.effort, one.documents_assumption),
            (one.cost_eur_a_month.low, one.cost_eur_a_month.high),
        )
        for one in load_costs().scaling
    ]
    cpu, memory = [("host_cpu_pct", 70, "%")], [("host_memory_pct", 80, "%")]
    database = [("postgres_connections", 70, "connections"), ("slow_queries_per_min", 10, "queries/min")]
    assert examples == [
        ("CPU", cpu, "2 cores", "4 cores", "HIGH", "LOW", "40% performance gain", (50, 100)),
        ("Memory", memory, "4GB RAM", "8GB RAM", "HIGH", "LOW", "35% performance gain", (30, 60)),
        (
            *("Database", database, "Single PostgreSQL instance", "Primary + 2 read replicas", "MEDIUM", "MEDIUM"),
            *("25% query performance", (100, 200)),
        ),
    ]


def test_the_plan_is_the_documents_users_and_goal() -> None:
    """50 to 100 users; 25,000 euro."""
    planned = load_costs().planned
    assert (planned.users.low, planned.users.high) == (50, 100)
    assert "25,000 euro ARR" in planned.goal


def test_the_models_are_frozen() -> None:
    """A price that was read is not changed."""
    with pytest.raises(ValidationError, match="frozen"):
        load_costs().scaling[0].component = "GPU"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("above: 70}\n    current: 2", "abov: 70}\n    current: 2", "did you mean above?"),
        ("host_memory_pct", "host_memry_pct", "did you mean host_memory_pct?"),
        ("component: CPU", "compnent: CPU", "did you mean component?"),
        ("low: 100, high: 200", "low: 300, high: 200", "low is 300, more than high (200)"),
        ("priority: MEDIUM", "priority: URGENT", "'LOW', 'MEDIUM' or 'HIGH'"),
        ("planned:", "plan:", "did you mean planned?"),
        ("users: {low: 50", "users: {lo: 50", "did you mean low?"),
    ],
)
def test_an_error_names_file_line_and_the_near_word(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Whatever the depth of the key."""
    text = COSTS_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "costs.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_costs(file)
    where = f"{file}:{text[: text.index(old)].count(chr(10)) + 1}: "
    assert str(raised.value).startswith(where)
    assert message in str(raised.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """With the file to start from."""
    file = tmp_path / "costs.yaml"
    file.write_text("- CPU\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"start from include/profiles/costs\.yaml"):
        load_costs(file)


def test_the_cost_file_is_no_profile() -> None:
    """It lies beside them, and nobody can start it."""
    assert "costs" not in profile_names()
    with pytest.raises(ConfigError, match="unknown profile 'costs'"):
        find_profile("costs")
