import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from include.demo_target.llm import answer_to
from tests.helpers.demo import ROOT

QUESTION = [{"role": "user", "content": "Come calcolare l'IVA?"}]


def _launch(*options: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "include.demo_target.llm", "--port", "0", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["llm_url"]


@pytest.fixture(scope="module")
def llm() -> Iterator[str]:
    """The stub in a process of its own."""
    process, url = _launch("--first-token-ms", "200", "--per-token-ms", "1")
    yield url
    process.terminate()
    process.wait(20)


@pytest.mark.unit
def test_answer_depends_on_question_and_seed_only() -> None:
    """The same question and seed give the same answer, a longer question gets a longer one."""
    assert answer_to("Come?", 1) == answer_to("Come?", 1)
    assert answer_to("Come?", 1) != answer_to("Come?", 2)
    assert len(answer_to("Analizza " * 20, 1)) > len(answer_to("Come?", 1))


@pytest.mark.integration
def test_stream_has_openai_s_form_and_the_set_first_token(llm: str) -> None:
    """Chunks carry deltas, the last one a finish reason, then [DONE]; the first comes after the set time."""
    begin = time.perf_counter()
    body = {"model": "gpt-4o", "stream": True, "messages": QUESTION}
    with httpx.stream("POST", f"{llm}/v1/chat/completions", json=body) as response:
        lines = []
        for line in response.iter_lines():
            if not lines:
                assert time.perf_counter() - begin >= 0.2
            lines.append(line)
    data = [line.removeprefix("data: ") for line in lines if line]
    assert data[-1] == "[DONE]"
    choices = [json.loads(each)["choices"][0] for each in data[:-1]]
    assert choices[-1]["finish_reason"] == "stop"
    text = "".join(choice["delta"].get("content", "") for choice in choices)
    assert text == " ".join(answer_to(QUESTION[0]["content"], 1))


@pytest.mark.integration
def test_whole_answer_is_the_streamed_one(llm: str) -> None:
    """Without streaming the same text comes in one message."""
    answer = httpx.post(f"{llm}/v1/chat/completions", json={"messages": QUESTION}, timeout=20).json()
    assert answer["choices"][0]["message"]["content"] == " ".join(answer_to(QUESTION[0]["content"], 1))
    assert httpx.get(f"{llm}/health").json() == {"status": "healthy"}


@pytest.mark.integration
def test_error_share_and_end_of_the_starter() -> None:
    """With a share of 1 every call fails with 500; the stub ends with the process that started it if told so."""
    process, url = _launch("--error-share", "1", "--until-stdin-closes")
    assert httpx.post(f"{url}/v1/chat/completions", json={"messages": QUESTION}).status_code == 500
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0


@pytest.mark.integration
@pytest.mark.parametrize("options", [["--host", "0.0.0.0"], ["--error-share", "2"]])  # noqa: S104 - must be refused
def test_senseless_options_are_refused_in_one_line(options: list[str], tmp_path: Path) -> None:
    """An address beyond loopback or a share above 1 ends with exit code 2."""
    del tmp_path
    command = [sys.executable, "-m", "include.demo_target.llm", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "error:" in done.stderr.splitlines()[-1] or "error" in done.stderr
