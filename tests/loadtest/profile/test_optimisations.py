"""Every optimisation of the document stands in the file, each with evidence or left to people."""

from pathlib import Path

import pytest

from include.loadtest.causes import CAUSES
from include.loadtest.errors import ConfigError
from include.loadtest.profile.costs import load_costs
from include.loadtest.profile.optimisations import MANUAL_REVIEW, Evidence, load_optimisations

pytestmark = pytest.mark.unit

CODE_LEVEL = (
    "Add database indexes for frequent queries",
    "Implement query result caching",
    "Use database connection pooling",
    "Optimize ORM queries (avoid N+1)",
    "Increase cache TTL for stable data",
    "Implement cache warming strategies",
    "Use Redis clustering for scale",
    "Add cache compression",
    "Implement request batching",
    "Add response compression",
    "Use async/await patterns",
    "Optimize serialization",
)
INFRASTRUCTURE = (
    "Implement sticky sessions for better cache hits",
    "Use health checks for automatic failover",
    "Configure proper connection limits",
    "Set up horizontal pod autoscaling",
    "Configure based on CPU and memory metrics",
    "Implement gradual scale-up/down",
    "Add APM for detailed performance insights",
    "Implement distributed tracing",
    "Set up comprehensive alerting",
)
BOTTLENECKS = (
    "Scale CPU resources (horizontal/vertical)",
    "Optimize CPU-intensive operations",
    "Implement request queuing",
    "Increase memory allocation",
    "Optimize memory usage patterns",
    "Implement memory monitoring",
    "Increase connection pool size",
    "Add database read replicas",
    "Optimize query performance",
    "Implement connection pooling",
    "Increase Redis memory",
    "Optimize cache keys and TTL",
    "Implement cache warming",
    "Review caching strategy",
)


@pytest.mark.parametrize(
    ("source", "texts"), [("code", CODE_LEVEL), ("infrastructure", INFRASTRUCTURE), ("bottleneck", BOTTLENECKS)]
)
def test_each_list_of_the_document_is_there_in_its_words_and_order(source: str, texts: tuple[str, ...]) -> None:
    """12 of code, 9 of infrastructure, and the 14 recommendations of the bottleneck sections: no more, no fewer."""
    assert tuple(entry.text for entry in load_optimisations().entries if entry.source == source) == texts


def test_evidence_is_a_cause_that_exists_a_condition_or_a_person() -> None:
    """And what is bought stands in the cost file."""
    components = {part.component for part in load_costs().scaling}
    for entry in load_optimisations().entries:
        assert entry.evidence == MANUAL_REVIEW or isinstance(entry.evidence, Evidence)
        if isinstance(entry.evidence, Evidence):
            assert set(entry.evidence.causes) <= set(CAUSES), entry.id
        assert entry.scaling is None or entry.scaling in components, entry.id
        assert entry.scaling is None or entry.cost_eur_a_month is None, "the cost file has the price"


def test_every_cause_has_an_entry() -> None:
    """A diagnosis never leaves people without a next change."""
    named = {
        name
        for entry in load_optimisations().entries
        if isinstance(entry.evidence, Evidence)
        for name in entry.evidence.causes
    }
    assert named == set(CAUSES)


def test_what_no_load_test_shows_is_for_people() -> None:
    """Six entries, in the file's order."""
    assert load_optimisations().for_manual_review == (
        "Implement request batching",
        "Optimize serialization",
        "Implement sticky sessions for better cache hits",
        "Use health checks for automatic failover",
        "Implement gradual scale-up/down",
        "Set up comprehensive alerting",
    )


ENTRY = "- {id: a, text: A, source: own, component: X, priority: LOW, effort: LOW, evidence: manual_review}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("just words", "mine.yaml:1: expected keys and values"),
        ("entries: []", "mine.yaml:1: entries"),
        (f"entries:\n{ENTRY}\n{ENTRY}", "the id a stands twice"),
        (f"entries:\n{ENTRY[:-1]}, same_as: b}}", "same_as of a names no other entry"),
        (ENTRY.replace("manual_review", "{causes: []}").join(["entries:\n", ""]), "causes and condition are missing"),
        (
            ENTRY.replace("manual_review", "{condition: often}").join(["entries:\n", ""]),
            "mine.yaml:2: entries.0.evidence",
        ),
        (ENTRY.replace("priority: LOW", "priority: low").join(["entries:\n", ""]), "mine.yaml:2: entries.0.priority"),
        (ENTRY.replace("effort: LOW", "effor: LOW").join(["entries:\n", ""]), "unknown key; did you mean effort"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str, monkeypatch) -> None:
    """One line that says where and what."""
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_optimisations(Path("mine.yaml"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
