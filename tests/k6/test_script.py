"""The script draws, asks and judges as the locustfiles do: the same user does the same in either engine."""

import hashlib
import json
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.run import SESSION_MAX_AGE_S, trace_id
from include.loadtest.runners.generator import LoadRequest, exit_meaning
from include.loadtest.runners.k6 import SCENARIOS_FILE, find_k6
from include.loadtest.runners.k6_plan import HELD_UP_S, write_script_plan
from include.loadtest.scenarios.draws import Draws, Zipf, scenario_order
from include.loadtest.scenarios.taxes import iva
from include.locustfiles.call import Call, Reply
from include.locustfiles.chat import StreamReader
from include.locustfiles.registry import next_calls
from include.locustfiles.user_context import UserContext

pytestmark = pytest.mark.integration

CALLS = Path(__file__).with_name("calls.js")
CAPS = ("20121", "10121")
NUMBERS = (3, 17, 200)
ITERATIONS, JUDGED = 200, 60
MIX = {"simple_query": 25, "complex_query": 20, "tax_calculation": 20, "document_upload": 10, "knowledge_search": 10}
MIX |= {"user_operations": 10, "studio_settings": 5}
STUDIOS = {3: "studio-3", 17: None, 200: "studio-é"}
_SETTINGS = '"notification_preferences": {"mail": true, "app": {"b": 1, "a": [2]}}, "display_preferences": {}'
CONTENTS = (
    "abbastanza lungo",
    r"\u00e8 abbastanza",
    r"breve\n\n\n\n\n\n\n",
    'due", "done": false, "x": "lungo abbastanza',
    "rotto\t abbastanza lungo",
    "due\\",
    "",
)
"""Of an event that differs from the one before it in this only: plain, escaped, none, and no JSON any more."""
ANSWERS = (
    "",
    "not json",
    "null",
    "[]",
    "{}",
    '{"success": true, "uploaded_documents": [{}]}',
    '{"success": 1, "uploaded_documents": [{}]}',
    '{"success": true, "uploaded_documents": []}',
    '{"regulations": [], "total": 0}',
    '{"regulations": [], "total": true}',
    '{"regulations": {}, "total": 1}',
    '{"id": 1, "email": null, "status": "x", "plan_slug": 0, "window_5h": {}, "invoices": [], "total": 0}',
    '{"toString": 1, "id": 1}',
    '{"calculation": {}}',
    '{"calculation": {"imposta_dovuta": true}}',
    '{"calculation": {"imposta_dovuta": 1e9}}',
    '{"tax_amount": "12"}',
    '{"calculation": [], "tax_amount": 1}',
    '{"studio_id": "studio-3", ' + _SETTINGS + "}",
    '{"studio_id": "another", ' + _SETTINGS + "}",
    '{"studio_id": "studio-é", "notification_preferences": [], "display_preferences": {}}',
    'data: {"content": "Una risposta abbastanza lunga"}\n\ndata: {"content": "", "done": true}\n\n',
    ': wait\n\ndata: {"content": "Una risposta "}\n\ndata:{"content":"abbastanza lunga", "done": true}\n\n',
    'data: {"content": "Una risposta abbastanza lunga"}\r\n\r\ndata: {"done": true}\r\n\r\n',
    'data: {"content": "Una risposta abbastanza lunga"}\n\n',
    'data: {"content": "breve è"}\n\ndata: {"done": true}\n\n',
    'data: {"content": "Si è verificato un errore nella generazione della risposta"}\n\ndata: {"done": true}\n\n',
    'data: {"content": 7}\n\ndata: []\n\ndata: nothing\n\ndata: {"done": "true"}\n\n',
    *(
        f'data: {{"content": "uno "}}\n\ndata: {{"content": "{text}"}}\n\ndata: {{"done": true}}\n\n'
        for text in CONTENTS
    ),
    *(f'data: {{"a": "", "content": "{text}"}}\n\ndata: {{"done": true}}\n\n' for text in ("", *CONTENTS)),
    'data: {"content": "a", "content": "uno"}\n\ndata: {"content": "abcdefghilmno", "content": "uno"}\n\n'
    'data: {"done": true}\n\n',
    'data: {"content": "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600", "done": true}\n\n',
)


@pytest.fixture
def request_of(tmp_path: Path) -> LoadRequest:
    profile = load_profile(find_profile("smoke"))
    profile = Profile.model_validate(profile.model_dump() | {"engine": "k6", "mix_pct": MIX})
    sessions = {
        str(number): {"studio_id": STUDIOS[number], "user_token": "u", "session_token": "s", "obtained_at": 0}
        for number in NUMBERS
    }
    (tmp_path / "sessions.json").write_text(json.dumps(sessions))
    return LoadRequest(
        bundle=Bundle(tmp_path / "smoke-draws"),
        profile=profile,
        base_url="http://127.0.0.1:9",
        api_prefix="/api/v1",
        forwarded_for=False,
        sessions_file=tmp_path / "sessions.json",
        user_numbers=NUMBERS,
        work_dir=tmp_path,
        caps=CAPS,
    )


def of_script(request: LoadRequest, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """What calls.js says, in its order."""
    file = request.work_dir / "wanted.json"
    file.write_text(json.dumps(wanted))
    command = [
        *(find_k6(), "run", "--quiet", "--no-usage-report", "--no-summary", "--address", "", "--log-format", "raw"),
        *("--env", f"LOADTEST_K6_PLAN={write_script_plan(request)}", "--env", f"WANTED={file}", str(CALLS)),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return [json.loads(line) for line in ended.stderr.splitlines()]


def users(request: LoadRequest) -> list[tuple[UserContext, Draws]]:
    """The same users, as Locust has them, each with its stream of pauses."""
    seed, questions = request.profile.seed, request.profile.questions
    popularity = Zipf(questions.pool_size, questions.zipf_exponent)
    key = zlib.crc32(request.bundle.run_id.encode())
    return [
        (
            UserContext(
                number=number,
                draws=Draws(seed, number, 0, 3),
                popularity=popularity,
                pool_size=questions.pool_size,
                new_share=questions.new_share,
                run_key=key,
                studio_id=STUDIOS[number],
                caps=CAPS,
            ),
            Draws(seed, number, 0, 2),
        )
        for number in NUMBERS
    ]


def shown(call: Call) -> dict[str, Any]:
    is_json = call.headers.get("Content-Type") == "application/json"
    sha256 = hashlib.sha256(call.body).hexdigest() if call.body is not None and not is_json else None
    return {
        "endpoint": call.endpoint,
        "method": call.method,
        "path": call.path,
        "token": call.token,
        "headers": dict(call.headers),
        "content": json.loads(call.body or b"") if is_json else None,
        "sha256": sha256,
    }


def judged(call: Call, text: str) -> str | None:
    if not call.stream:
        return call.check(Reply(200, text.encode(), 0))
    reader = StreamReader(0)
    for frame in text.replace("\r\n", "\n").split("\n\n"):
        if not reader.finished:
            reader.feed(frame.encode())
    return call.check(reader.reply(200))


def test_both_engines_ask_the_same_and_judge_alike(request_of: LoadRequest) -> None:
    """Scenario, path, body, headers, pause and trace of 200 iterations of three users; each check's word on answers."""
    answers = [*ANSWERS, *(json.dumps({"calculation": {"imposta_dovuta": iva(9000) + off}}) for off in (0.99, 1.01))]
    found = of_script(request_of, {"iterations": ITERATIONS, "judged": JUDGED, "answers": answers})
    assert len(found) == ITERATIONS * len(NUMBERS)
    ask = next_calls(request_of.profile)
    rows = iter(found)
    outcomes, spans = set(), set()
    for user, pauses in users(request_of):
        order = scenario_order(request_of.profile.deck(), request_of.profile.seed, user.number)
        for iteration in range(ITERATIONS):
            scenario = next(order)
            call = ask[scenario](user)
            errors = [judged(call, text) for text in answers] if iteration < JUDGED else []
            outcomes.update(errors)
            think = request_of.profile.think_time_s
            same = {"number": user.number, "scenario": scenario, "think_s": pauses.uniform(think.min, think.max)}
            row = next(rows)
            version, trace, span, flags = row.pop("trace").split("-")
            spans.add(span)
            assert (version, trace, flags) == ("00", trace_id("smoke-draws", user.number, iteration), "01")
            assert row == {**shown(call), **same, "errors": errors}
    assert len(outcomes) > 18
    assert (len(spans), {len(span) for span in spans}) == (len(found), {16})
    assert {row["endpoint"] for row in found} >= {"settings_write", "studio_settings_write", "tax_imu", "chat_complex"}


def test_each_built_in_scenario_is_one_exported_function() -> None:
    """Adding one is adding one; the script holds no number of a session's life either."""
    text = SCENARIOS_FILE.read_text(encoding="utf-8")
    assert all(f"export function {name}(user) {{" in text for name in MIX)
    sources = "".join(file.read_text(encoding="utf-8") for file in SCENARIOS_FILE.parent.glob("*.js"))
    assert str(SESSION_MAX_AGE_S) not in sources
    assert "export function setup" not in sources  # no login in k6's own set-up, whose time-out would be another number


def test_a_script_that_was_held_up_sends_nothing(request_of: LoadRequest) -> None:
    """Started long before its first request was due, it may have lost its target: it ends itself."""
    spawned_ms = (time.time() - HELD_UP_S - 5) * 1000
    command = [
        *(find_k6(), "run", "--quiet", "--no-usage-report", "--no-summary", "--address", "", "--out", "json=-"),
        *(
            "--env",
            f"LOADTEST_K6_PLAN={write_script_plan(request_of)}",
            "--env",
            f"LOADTEST_SPAWNED_MS={spawned_ms:.0f}",
        ),
        str(SCENARIOS_FILE.with_name("load.js")),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert exit_meaning("k6", ended.returncode) == "exit code 108 (the script ended the load)"
    assert "held up for so long" in ended.stderr
    assert '"metric":"loadtest_users","type":"Point"' in ended.stdout
    assert "http_req" not in ended.stdout
