import time
from typing import Any

import httpx
import psycopg2
import pytest
import redis

from include.demo_target.faults import Faults, UnknownNameError, added_delay_s
from tests.helpers.demo import DemoTarget

IVA = {"tax_type": "iva", "amount": 1000}
QUESTION = {"messages": [{"role": "user", "content": "Quale aliquota per i libri?"}], "skip_proactivity": True}
SEARCH = {"keywords": ["fatturazione elettronica"], "limit": 5}


@pytest.mark.unit
def test_delay_stretches_and_adds() -> None:
    """The factor multiplies what an answer took, the addition comes on top, `all` holds where no own value is."""
    faults = Faults(latency_factor={"chat_stream": 3}, latency_added_ms={"all": 100})
    assert added_delay_s(faults, "chat_stream", 2.0) == pytest.approx(4.1)
    assert added_delay_s(faults, "users_me", 2.0) == pytest.approx(0.1)
    assert added_delay_s(Faults(), "users_me", 2.0) == 0


@pytest.mark.unit
def test_unknown_fault_names_the_nearest() -> None:
    """A misspelt fault is refused with the name that was meant."""
    with pytest.raises(UnknownNameError, match="did you mean 'cache_flush'"):
        Faults().changed({"cash_flush": True})


@pytest.mark.integration
def test_change_is_partial_and_delete_puts_all_out_of_force(demo: DemoTarget, switch: Any) -> None:
    """A PUT leaves other faults alone; a DELETE ends them all; both answer with the faults in force."""
    switch(error_share={"users_me": 0.5})
    assert switch(cpu_burn=0.1).json()["error_share"] == {"users_me": 0.5}
    with demo.client() as client:
        assert client.get("/admin/faults").json()["cpu_burn"] == 0.1
        assert client.delete("/admin/faults").json() == Faults().model_dump()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"freze_s": 1}, "freeze_s"),
        ({"error_share": {"chat_strem": 0.1}}, "chat_stream"),
        ({"pool_size": 0}, "pool_size"),
        ({"latency_factor": {"all": 0.5}}, "latency_factor"),
    ],
)
def test_senseless_fault_is_refused_with_422(change: dict[str, Any], told: str, switch: Any) -> None:
    """A wrong name or value changes nothing and is told."""
    response = switch(**change)
    assert response.status_code == 422
    assert told in response.json()["detail"]


@pytest.mark.integration
def test_errors_hit_the_named_endpoint_only(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """A share of 1 fails every call of an endpoint with 500, and no call of another."""
    switch(error_share={"tax_calculate": 1})
    assert demo.timed(tokens[1], "italian/tax/calculate", IVA)[1] == 500
    assert demo.timed(tokens[1], "italian/legal/search", SEARCH)[1] == 200


@pytest.mark.integration
@pytest.mark.parametrize(
    "call",
    [("tax_calculate", "italian/tax/calculate", IVA), ("chat_stream", "chatbot/chat/stream", QUESTION)],
    ids=["plain", "streamed"],
)
def test_added_latency_is_felt(
    call: tuple[str, str, dict[str, Any]], demo: DemoTarget, tokens: tuple[str, str], switch: Any
) -> None:
    """An answer takes at least what is added, streamed or not."""
    endpoint, path, body = call
    switch(latency_added_ms={endpoint: 400})
    took_s, status = demo.timed(tokens[1], path, body)
    assert status == 200
    assert took_s >= 0.4


@pytest.mark.integration
def test_slow_llm_is_felt_by_uncached_questions_only(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """The override reaches the stub over HTTP; an answer that is kept does not wait for it."""
    body = {**QUESTION, "messages": [{"role": "user", "content": "Aliquota per il cioccolato?"}]}
    switch(llm_first_token_ms=700, llm_per_token_ms=0)
    assert demo.timed(tokens[1], "chatbot/chat/stream", body)[0] >= 0.7
    begin_s, _ = demo.timed(tokens[1], "chatbot/chat/stream", body)
    with demo.client() as client:
        assert client.get(f"{demo.llm_url}/admin/behaviour").json()["first_token_ms"] == 700
        client.delete("/admin/faults")
        assert client.get(f"{demo.llm_url}/admin/behaviour").json()["first_token_ms"] == 50
    assert begin_s < 30


@pytest.mark.integration
def test_freeze_stops_every_answer(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """The switch answers first, then nothing is answered for that long; it happens once."""
    assert switch(freeze_s=1.5).json()["freeze_s"] == 0
    time.sleep(0.3)
    assert demo.timed(tokens[1], "italian/tax/calculate", IVA)[0] >= 0.9


@pytest.mark.integration
def test_row_lock_holds_up_tax_calculations_only(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """While the row is locked a calculation waits on a real lock, a search does not, and the end frees it."""
    switch(row_lock_s=600)
    with pytest.raises(httpx.ReadTimeout):
        demo.timed(tokens[1], "italian/tax/calculate", IVA, timeout_s=0.7)
    assert demo.timed(tokens[1], "italian/legal/search", SEARCH)[1] == 200
    assert demo.sql("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == [(True,)]
    with demo.client() as client:
        client.delete("/admin/faults")
    assert demo.timed(tokens[1], "italian/tax/calculate", IVA)[1] == 200


@pytest.mark.integration
def test_missing_index_is_really_missing(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """The index goes and comes with the fault, and the search answers the same without it."""
    find = "SELECT count(*) FROM pg_indexes WHERE indexname = 'regulations_search_idx'"

    def found() -> Any:
        with demo.client(authorization=f"Bearer {tokens[1]}") as client:
            return client.post("/api/v1/italian/legal/search", json=SEARCH).json()["regulations"]

    with_index = found()
    assert len(with_index) == 5
    switch(missing_index=True)
    assert demo.sql(find) == [(0,)]
    assert found() == with_index
    switch(missing_index=False)
    assert demo.sql(find) == [(1,)]


@pytest.mark.integration
def test_cache_faults_make_misses(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """A flush forgets every answer; a miss share of 1 finds none although it is kept."""
    server = redis.Redis.from_url(demo.redis_url)
    demo.timed(tokens[1], "chatbot/chat/stream", QUESTION)
    assert server.dbsize() > 0
    switch(cache_flush=True)
    assert server.dbsize() == 0
    demo.timed(tokens[1], "chatbot/chat/stream", QUESTION)
    hits = server.info("stats")["keyspace_hits"]
    switch(cache_miss_share=1)
    demo.timed(tokens[1], "chatbot/chat/stream", QUESTION)
    assert server.info("stats")["keyspace_hits"] == hits
    server.close()


@pytest.mark.integration
def test_narrow_pool_and_slow_queries_queue_requests(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """With one connection and slow queries the pool serves, and PostgreSQL itself sees the slow statement."""
    switch(pool_size=1, query_added_ms=150)
    took_s, status = demo.timed(tokens[1], "italian/tax/calculate", IVA)
    assert status == 200
    assert took_s >= 0.3
    slow = "SELECT max(max_exec_time) > 140 FROM pg_stat_statements WHERE query LIKE '%pg_sleep%'"
    assert demo.sql(slow) == [(True,)]


@pytest.mark.integration
def test_burn_and_leak_use_cpu_and_memory(demo: DemoTarget, switch: Any) -> None:
    """The process' own metrics show the CPU and the memory that the faults take."""

    def reading(name: str) -> float:
        with demo.client() as client:
            lines = client.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).split(" ")[1])

    cpu_s, memory = reading("process_cpu_seconds_total"), reading("process_resident_memory_bytes")
    switch(cpu_burn=0.5, leak_mb_per_min=1800)
    time.sleep(1.2)
    assert reading("process_cpu_seconds_total") - cpu_s > 0.2
    assert reading("process_resident_memory_bytes") - memory > 20_000_000


@pytest.mark.integration
def test_database_is_the_target_s_own(demo: DemoTarget) -> None:
    """The announced database URL is usable as it stands."""
    connection = psycopg2.connect(demo.database_url)
    connection.close()


WORD, WORDS = {"keywords": ["IVA"]}, {"keywords": ["IVA", "IRPEF"]}


@pytest.mark.integration
@pytest.mark.parametrize(
    ("kind", "path", "slow_and_other"),
    [
        ("tax_irpef", "italian/tax/calculate", ({"tax_type": "irpef", "amount": 35_000}, IVA)),
        ("search_simple", "italian/legal/search", (WORD, WORDS)),
        ("search_full_text", "italian/legal/search", (WORDS, WORD)),
        ("search_complex", "italian/legal/search", ({**WORD, "subjects": ["IVA"]}, WORD)),
    ],
)
def test_one_kind_of_work_is_slowed_and_no_other_of_its_endpoint(
    kind: str, path: str, slow_and_other: tuple[dict[str, Any], dict[str, Any]], switch: Any, request: Any
) -> None:
    """What is slow takes at least what is added; the other call is answered in less."""
    demo, tokens = request.getfixturevalue("demo"), request.getfixturevalue("tokens")
    switch(kind_added_ms={kind: 1000})
    slow, other = (demo.timed(tokens[1], path, body) for body in slow_and_other)
    assert (slow[1], other[1]) == (200, 200)
    assert slow[0] >= 1
    assert other[0] < 1


@pytest.mark.integration
def test_a_hidden_endpoint_is_as_if_it_were_not_there(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """The framework's own words for a route that does not exist; without the fault the audit log has events."""
    with demo.client(authorization=f"Bearer {tokens[1]}") as client:
        events = client.get("/api/v1/audit/events", params={"limit": 5}).raise_for_status().json()
        assert set(events) == {"events", "total"}
        nowhere = client.get("/api/v1/nowhere")
        switch(hidden=["audit_log"])
        hidden = client.get("/api/v1/audit/events")
    assert (
        (hidden.status_code, hidden.json()) == (nowhere.status_code, nowhere.json()) == (404, {"detail": "Not Found"})
    )
    assert switch(hidden=["audit_logs"]).status_code == 422
    assert switch(kind_added_ms={"tax_iwa": 1}).status_code == 422


@pytest.mark.integration
def test_an_erasure_can_be_told_and_not_done_and_a_log_can_stand_still(
    demo: DemoTarget, tokens: tuple[str, str], switch: Any
) -> None:
    """The answers are those of the real thing; without the faults the name is gone, and the log has grown."""
    person = {"codice_fiscale": "X", "nome": "Prova", "tipo_cliente": "ente", "comune": "Roma", "provincia": "RM"}
    with demo.client(authorization=f"Bearer {tokens[0]}") as client:
        studio = client.get("/api/v1/users/me").json()["studio_id"]
        made = client.post("/api/v1/clients", params={"studio_id": studio}, json=person).raise_for_status().json()
        client.headers.update({"X-Studio-ID": studio, "X-User-ID": "1", "authorization": f"Bearer {tokens[1]}"})

        def erased() -> tuple[int, str]:
            answer = client.delete(f"/api/v1/data-rights/erase/{made['id']}").raise_for_status().json()
            held = client.get(f"/api/v1/data-rights/access/{made['id']}").raise_for_status().json()["client"]
            return answer["client_id"], held["nome"]

        def logged() -> int:
            return int(client.get("/api/v1/audit/events").raise_for_status().json()["total"])

        before = logged()
        switch(erase_ignored=True, audit_stopped=True)
        assert (erased(), logged()) == ((made["id"], "Prova"), before)
        switch(erase_ignored=False, audit_stopped=False)
        assert (erased(), logged()) == ((made["id"], "ANONIMIZZATO"), before + 2)


@pytest.mark.integration
def test_searches_can_find_nothing(demo: DemoTarget, tokens: tuple[str, str], switch: Any) -> None:
    """As a knowledge base that nobody filled."""
    with demo.client(authorization=f"Bearer {tokens[1]}") as client:

        def hits() -> int:
            answer = client.post("/api/v1/italian/legal/search", json=WORD).raise_for_status().json()
            assert answer["total"] == len(answer["regulations"])
            return int(answer["total"])

        assert hits() > 0
        switch(search_empty=True)
        assert hits() == 0
