import pytest
import redis

from include.demo_target.cache import normalise
from tests.helpers.contract import events
from tests.helpers.demo import DemoTarget

ERROR = "Si è verificato un errore nella generazione della risposta. Prova a riformulare la domanda."


def _ask(demo: DemoTarget, session: str, question: str) -> tuple[int, str, bool]:
    body = {"messages": [{"role": "user", "content": question}], "skip_proactivity": True}
    with demo.client(authorization=f"Bearer {session}") as client:
        response = client.post("/api/v1/chatbot/chat/stream", json=body)
    _, received = events(response.text)
    return response.status_code, "".join(event["content"] for event in received), received[-1]["done"]


@pytest.mark.unit
def test_questions_that_differ_in_form_only_are_one_question() -> None:
    """Case, punctuation and spaces do not make another question; words do."""
    assert normalise("  Come calcolare l'IVA? ") == normalise("come calcolare l iva")
    assert normalise("Come calcolare l'IVA?") != normalise("Come calcolare l'IRPEF?")


@pytest.mark.integration
def test_stream_without_an_llm_ends_with_200_and_no_answer(
    demo: DemoTarget, tokens: tuple[str, str], no_faults: None
) -> None:
    """With the LLM down status and done look right, only the text tells; it is not kept as an answer."""
    del no_faults
    with demo.client() as client:
        client.put("/admin/faults", json={"llm_down": True}).raise_for_status()
        assert client.get(f"{demo.llm_url}/health").status_code == 503
        assert _ask(demo, tokens[1], "Domanda senza risposta") == (200, ERROR, True)
        client.put("/admin/faults", json={"llm_down": False}).raise_for_status()
    status, text, done = _ask(demo, tokens[1], "Domanda senza risposta")
    assert (status, done) == (200, True)
    assert text != ERROR


@pytest.mark.integration
def test_zipf_pool_of_questions_is_mostly_answered_from_the_cache(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """Redis itself counts a hit for a repeated question and a miss for a new one, and nothing else."""
    server = redis.Redis.from_url(demo.redis_url)

    def counted() -> tuple[int, int]:
        stats = server.info("stats")
        return stats["keyspace_hits"], stats["keyspace_misses"]

    hits, misses = counted()
    for _ in range(3):
        _ask(demo, tokens[1], "Quanto costa aprire una partita IVA?")
    assert counted() == (hits + 2, misses + 1)
    server.close()


@pytest.mark.integration
def test_chat_leaves_a_handful_of_rows_keyed_by_its_session(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """A chat writes messages and checkpoints under its session's id; clearing the chat removes them."""
    session = demo.session(tokens[0])
    _ask(demo, session, "Cosa sono gli scaglioni?")
    tables = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
    newest = "(SELECT id FROM session ORDER BY created_at DESC LIMIT 1)"
    counts = [demo.sql(f"SELECT count(*) FROM {table} WHERE thread_id = {newest}")[0][0] for table in tables]
    assert counts == [1, 2, 2]
    with demo.client(authorization=f"Bearer {session}") as client:
        assert [message["role"] for message in client.get("/api/v1/chatbot/messages").json()["messages"]] == [
            "user",
            "assistant",
        ]
        assert client.delete("/api/v1/chatbot/messages").status_code == 200
        assert client.get("/api/v1/chatbot/messages").json()["messages"] == []
    assert all(demo.sql(f"SELECT count(*) FROM {table} WHERE thread_id = {newest}") == [(0,)] for table in tables)
