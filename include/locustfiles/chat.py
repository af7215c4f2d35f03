"""A question to the chat, answered as a stream of server-sent events."""

import json
import time

from include.loadtest.scenarios.checks import check_answer
from include.locustfiles.call import Call, Reply, json_call

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""A longer stream is cut and counts as incomplete: the target is not trusted with the generator's memory."""


def chat_call(endpoint: str, question: str) -> Call:
    """The call that asks a question. `skip_proactivity`: an answer is wanted, never a form to fill in."""
    content = {"messages": [{"role": "user", "content": question}], "skip_proactivity": True}
    return json_call(endpoint, "/chatbot/chat/stream", content, check_reply, stream=True)


def check_reply(reply: Reply) -> str | None:
    """What is wrong with a streamed answer, or None."""
    return check_answer(reply.text, done=reply.done)


class StreamReader:
    """Collects a stream's answer; comment frames are no answer and do not stop the clock of the first token."""

    def __init__(self, started_ns: int) -> None:
        self._started_ns = started_ns
        self._parts: list[str] = []
        self.ttfb_us: int | None = None
        self.size = 0
        self.done = False

    def feed(self, frame: bytes) -> None:
        """One frame, up to its blank line."""
        self.size += len(frame)
        for line in frame.splitlines():
            if line.startswith(b"data:"):
                self._event(line[5:])

    def _event(self, data: bytes) -> None:
        try:
            event = json.loads(data)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        content = event.get("content")
        if isinstance(content, str) and content:
            if self.ttfb_us is None:
                self.ttfb_us = (time.perf_counter_ns() - self._started_ns) // 1000
            self._parts.append(content)
        self.done = self.done or event.get("done") is True

    @property
    def finished(self) -> bool:
        """No more frames are wanted."""
        return self.done or self.size > MAX_ANSWER_BYTES

    def reply(self, status: int) -> Reply:
        """What was collected."""
        content = "".join(self._parts).encode()
        return Reply(status, content, self.size, self.ttfb_us, self.done)
