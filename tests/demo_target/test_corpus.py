import itertools

import pytest

from include.demo_target import corpus
from include.demo_target.endpoints import ENDPOINTS, UNKNOWN, find_endpoint
from tests.helpers.demo import DemoTarget


@pytest.mark.unit
def test_same_seed_gives_the_same_documents() -> None:
    """The knowledge base is the same on every machine."""
    first, second = (list(itertools.islice(corpus.regulations(), 50)) for _ in range(2))
    assert first == second
    assert first != list(itertools.islice(corpus.regulations(seed=2), 50))


@pytest.mark.integration
@pytest.mark.parametrize("phrase", ["Circolare Agenzia Entrate 2024", "Normativa fatturazione elettronica"])
def test_usual_search_finds_documents_through_the_index(phrase: str, demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """At least 10,000 documents are searched by the index, and each hit holds the words."""
    with demo.client(authorization=f"Bearer {tokens[1]}") as client:
        body = client.post("/api/v1/italian/legal/search", json={"keywords": [phrase], "limit": 10}).json()
    assert body["total"] == len(body["regulations"]) == 10
    assert demo.sql("SELECT count(*) >= 10000 FROM regulations") == [(True,)]
    plan = demo.sql(
        """EXPLAIN SELECT id FROM regulations WHERE to_tsvector('italian', title || ' ' || body)
        @@ plainto_tsquery('italian', %s)""",
        phrase,
    )
    assert any("regulations_search_idx" in line for (line,) in plan)


@pytest.mark.integration
def test_search_narrows_by_subject_and_date(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """Subjects and a first date leave only documents that match them."""
    wanted = {"keywords": ["IVA"], "subjects": ["IVA"], "date_from": "2023-01-01", "limit": 5}
    with demo.client(authorization=f"Bearer {tokens[1]}") as client:
        found = client.post("/api/v1/italian/legal/search", json=wanted).json()["regulations"]
    assert found
    assert all("IVA" in each["subjects"] and each["publication_date"] >= "2023-01-01" for each in found)


@pytest.mark.unit
def test_every_endpoint_is_found_by_method_and_path() -> None:
    """Each call has one name, also with an id in its path; what is served nowhere has none."""
    for endpoint in ENDPOINTS:
        assert (
            find_endpoint(endpoint.method, endpoint.template.replace("{document_id}", "7").replace("{client_id}", "7"))
            == endpoint
        )
    assert find_endpoint("GET", "/api/v1/search/knowledge") is UNKNOWN
