import itertools
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.helpers.contract import CONTRACT, deviations, events, filled, send
from tests.helpers.demo import PASSWORD, DemoTarget

pytestmark = pytest.mark.integration

CALLS: list[dict[str, Any]] = CONTRACT["calls"]
STREAMS: list[dict[str, Any]] = CONTRACT["streams"]
FORGED = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AAAA"
EMAIL = "contract@pratikoai.it"


@pytest.fixture(scope="module")
def account(demo: DemoTarget) -> Mapping[str, Any]:
    """Everything that a placeholder of the contract stands for."""
    demo.add_user(EMAIL)
    with demo.client() as client:
        tokens = client.post("/api/v1/auth/login", data={"username": EMAIL, "password": PASSWORD}).json()
        me = client.get("/api/v1/users/me", headers={"authorization": f"Bearer {tokens['access_token']}"}).json()
        person = next(call for call in CALLS if call["name"] == "client_create")["json"]
        made = client.post(f"/api/v1/clients?studio_id={me['studio_id']}", json=person).json()
    return {
        "email": EMAIL,
        "password": PASSWORD,
        "user_id": str(me["id"]),
        "studio_id": me["studio_id"],
        "client_id": made["id"],
        "refresh_token": tokens["refresh_token"],
        "user": tokens["access_token"],
        "session": demo.session(tokens["access_token"]),
        "garbage": "no-token",
        "forged": FORGED,
        "none": None,
    }


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["name"])
def test_call_is_answered_as_the_contract_says(
    call: dict[str, Any], demo: DemoTarget, account: Mapping[str, Any]
) -> None:
    """The demo target gives status, keys, types and values that were captured from the real one."""
    if call["name"] == "refresh":  # a login by another test has used up the first one
        form = {"username": EMAIL, "password": PASSWORD}
        fresh = httpx.post(f"{demo.base_url}/api/v1/auth/login", data=form, timeout=60).json()["refresh_token"]
        account = {**account, "refresh_token": fresh}
    wanted = filled(call, account)
    with demo.client() as client:
        assert deviations(wanted, send(client, wanted, account[call["token"]])) == []


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream["name"])
def test_stream_is_framed_as_the_contract_says(
    stream: dict[str, Any], demo: DemoTarget, account: Mapping[str, Any]
) -> None:
    """A streamed answer has the comments, events and keys that were captured from the real target."""
    with demo.client(authorization=f"Bearer {account['session']}") as client:
        response = client.post("/api/v1/chatbot/chat/stream", json=stream["json"])
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    comments, received = events(response.text)
    assert comments == stream["comments"]
    assert [kind for kind, _ in itertools.groupby(event["event_type"] for event in received)] == stream["events"]
    assert all(list(event) == CONTRACT["stream_keys"] for event in received)
    assert received[0] | stream.get("first", {}) == received[0]
    assert received[-1] | stream["last"] == received[-1]
    assert [event["done"] for event in received] == [False] * (len(received) - 1) + [True]


def test_cached_answer_is_the_answer_of_the_llm(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """Put together, the pieces of a cached answer are those of the uncached one, and long enough to be an answer."""
    question = {"messages": [{"role": "user", "content": "Regime forfettario requisiti?"}], "skip_proactivity": True}
    texts = []
    with demo.client(authorization=f"Bearer {tokens[1]}") as client:
        for _ in range(2):
            _, received = events(client.post("/api/v1/chatbot/chat/stream", json=question).text)
            texts.append("".join(event["content"] for event in received))
    assert texts[0] == texts[1]
    assert len(texts[0]) > 200
    assert "errore" not in texts[0]


@pytest.mark.parametrize(("page", "names"), CONTRACT["metrics"].items(), ids=lambda part: str(part)[:20])
def test_metrics_page_exposes_the_named_series(page: str, names: list[str], demo: DemoTarget) -> None:
    """Each series that the contract names is on its page, in Prometheus' text format."""
    with demo.client() as client:
        response = client.get(page)
    assert response.headers["content-type"].startswith("text/plain")
    series = {line.split("{")[0].split(" ")[0] for line in response.text.splitlines() if not line.startswith("#")}
    assert set(names) <= series


@pytest.mark.parametrize("limit", CONTRACT["limits"], ids=lambda limit: limit["name"])
def test_limit_refuses_the_next_request(
    limit: dict[str, Any], demo: DemoTarget, tokens: tuple[str, str], no_faults: None
) -> None:
    """With limits on, one address gets so many requests and then 429 with the target's words; another is served."""
    del no_faults
    headers = {"authorization": f"Bearer {tokens[1]}"}
    with demo.client() as client:
        client.put("/admin/faults", json={"rate_limits": True})

        def call(address: str) -> httpx.Response:
            # An empty body is refused with 422, which counts like any other request and costs nothing.
            return client.request(limit["method"], limit["path"], headers={**headers, "x-forwarded-for": address})

        # A window may end in between: then the count starts again, and the limit shows within as many more.
        answers = [call("198.51.100.7, 10.0.0.1") for _ in range(limit["requests"])]
        assert 429 not in {answer.status_code for answer in answers}
        refused = next(
            answer for _ in range(limit["requests"] + 1) if (answer := call("198.51.100.7")).status_code == 429
        )
        assert refused.json() == {"error": f"Rate limit exceeded: {limit['text']}"}
        assert "retry-after" not in refused.headers
        assert call("198.51.100.8").status_code != 429


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (201, {}),
        (200, {"tax_amount": 221.0}),
        (200, {"tax_amount": 220}),
        (200, {"calculation_id": "1"}),
        (200, {"surplus": 1}),
        (200, {"confidence_score": None}),
        (200, {"calculation_date": "2026-11-24T04:02:43Z"}),
    ],
    ids=["status", "value", "number type", "type", "surplus key", "null", "zone"],
)
def test_planted_deviation_is_found(
    status: int, change: dict[str, Any], demo: DemoTarget, tokens: tuple[str, str]
) -> None:
    """An answer that differs in one point only is told from the right one: the contract's test can fail."""
    call = next(call for call in CALLS if call["name"] == "tax_iva")
    with demo.client() as client:
        right = send(client, call, tokens[1])
    assert deviations(call, right) == []
    planted = httpx.Response(status, content=json.dumps({**right.json(), **change}))
    assert len(deviations(call, planted)) == 1
