"""A question to the chat, answered as a stream of server-sent events."""

import json
import time
from typing import ClassVar

from include.loadtest.scenarios.checks import check_answer
from include.locustfiles.call import Call, Reply, json_call
from include.locustfiles.events import FRAME_END, Form, form_of

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""A longer stream is cut and counts as incomplete: the target is not trusted with the generator's memory."""
_MOST_FORMS_TRIED = 8
"""In one stream: where each of its events has another form, looking for one is in vain."""
_MOST_RUNS = 16
"""So often a run of events of one form is looked for in what has come at once; then each event is parsed."""


def chat_call(endpoint: str, question: str) -> Call:
    """The call that asks a question. `skip_proactivity`: an answer is wanted, never a form to fill in."""
    content = {"messages": [{"role": "user", "content": question}], "skip_proactivity": True}
    return json_call(endpoint, "/chatbot/chat/stream", content, check_reply, stream=True)


def check_reply(reply: Reply) -> str | None:
    """What is wrong with a streamed answer, or None."""
    return check_answer(reply.text, done=reply.done)


class StreamReader:
    """Collects a stream's answer; comment frames are no answer and do not stop the clock of the first token.

    `form`: that of the events that came last, of any stream; a target's are mostly the same.
    """

    form: ClassVar[Form | None] = None

    def __init__(self, started_ns: int) -> None:
        self._started_ns = started_ns
        self._parts: list[str] = []
        self._forms_tried = 0
        self.ttfb_us: int | None = None
        self.size = 0
        self.done = False

    def feed(self, frames: bytes) -> None:
        """Whole frames, each up to its blank line; those after the end of the answer are not read."""
        start, left = 0, _MOST_RUNS
        while start < len(frames) and not self.finished:
            run = StreamReader.form.take(frames, start) if StreamReader.form and left > 0 else None
            left -= 1
            content, end = run or ("", _end_of_frame(frames, start))
            if run:
                self._add(content)
            else:
                self._frame(frames[start:end])
            self.size += end - start
            start = end

    def _frame(self, frame: bytes) -> None:
        for line in frame.splitlines():
            if line.startswith(b"data:"):
                self._event(line[5:], frame)

    def _event(self, data: bytes, frame: bytes) -> None:
        try:
            event = json.loads(data)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        content = event.get("content")
        if isinstance(content, str) and content:
            self._add(content)
            if self._forms_tried < _MOST_FORMS_TRIED:
                self._forms_tried += 1
                StreamReader.form = form_of(frame, content) or StreamReader.form
        self.done = self.done or event.get("done") is True

    def _add(self, content: str) -> None:
        if content:
            if self.ttfb_us is None:
                self.ttfb_us = (time.perf_counter_ns() - self._started_ns) // 1000
            self._parts.append(content)

    @property
    def finished(self) -> bool:
        """No more frames are wanted."""
        return self.done or self.size > MAX_ANSWER_BYTES

    def reply(self, status: int) -> Reply:
        """What was collected."""
        content = "".join(self._parts).encode()
        return Reply(status, content, self.size, self.ttfb_us, self.done)


def _end_of_frame(frames: bytes, start: int) -> int:
    """Behind the blank line of the frame at `start`; an unfinished one goes to the end."""
    at = frames.find(FRAME_END, start)
    return len(frames) if at < 0 else at + len(FRAME_END)
