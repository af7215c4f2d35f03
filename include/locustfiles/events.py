"""Many events of a stream at once: those of one answer differ in their content only, and so need no parser each.

The bytes before and after the content of one event are kept: what stands between the same two in others are their
contents. It gives what the parser gives, and takes a fifth of its time where many events have come at once.
"""

import json
import re
from dataclasses import dataclass
from itertools import takewhile

FRAME_END = b"\n\n"
_DATA, _PROBE = b"data:", "loadtest-probe"
_BETWEEN = b"\x00"
_STRINGS = re.compile(rb'(?:[^"\\\x01-\x1f]++|\\[^\x00-\x1f])*+')
"""What stands in JSON's strings, with a sign between two of them: each quotation mark is escaped in its own."""


@dataclass(frozen=True, slots=True)
class Form:
    """What stands before and after the content in the frame of an event that does not end its stream."""

    before: bytes
    after: bytes

    def take(self, frames: bytes, start: int) -> tuple[str, int] | None:
        """The joined contents of the events of this form at `start`, and where the next one starts; None for none."""
        if not frames.startswith(self.before, start):
            return None
        contents = self._contents(_lines(frames[start:]))
        joined = _BETWEEN.join(contents)
        if not contents or joined.count(_BETWEEN) >= len(contents) or not _STRINGS.fullmatch(joined):
            return None
        try:
            text = _text(joined)
        except ValueError:
            return None
        around = len(self.before) + len(self.after) + len(FRAME_END)
        return text, start + len(joined) - len(contents) + 1 + len(contents) * around

    def _contents(self, lines: list[bytes]) -> list[bytes]:
        """What may be contents: of the lines up to the first one that is not of this form."""
        while lines and not self._has(lines[-1]):
            lines.pop()
        begin, end = len(self.before), -len(self.after)
        contents = [line[begin:end] for line in lines]
        if len(lines) == 1 or (self.after + self.before).join(contents) == b"".join(lines)[begin:end]:
            return contents
        return [line[begin:end] for line in takewhile(self._has, lines)]  # others are among them

    def _has(self, line: bytes) -> bool:
        least = len(self.before) + len(self.after)
        return len(line) >= least and line.startswith(self.before) and line.endswith(self.after)


def _lines(frames: bytes) -> list[bytes]:
    """Whole frames without their ends; to split by one byte is many times as fast, where each is one line."""
    parts = frames.split(b"\n")
    are_lines = frames.endswith(FRAME_END) and not any(parts[1::2])
    return parts[:-1:2] if are_lines else frames.split(FRAME_END)[:-1]


def _text(contents: bytes) -> str:
    """Contents with a sign between two of them, as JSON's strings have them. Raises ValueError where they are none."""
    if b"\\" not in contents:
        return contents.decode().replace("\x00", "") if _BETWEEN in contents else contents.decode()
    texts: list[str] = json.loads(b'["%s"]' % contents.replace(_BETWEEN, b'","'))
    return "".join(texts)


def form_of(frame: bytes, content: str) -> Form | None:
    """The form of a frame with that content; None where another text in its place would not be read as the content."""
    quoted = b'"%s"' % content.encode("utf-8", "replace")
    at = frame.find(quoted) + 1
    if not at or not frame.startswith(_DATA) or not frame.endswith(FRAME_END) or len(frame.splitlines()) != 2:
        return None
    before, after = frame[:at], frame[at + len(quoted) - 2 :]
    try:
        event = json.loads(before[len(_DATA) :] + _PROBE.encode() + after)
    except ValueError:
        return None
    is_read = isinstance(event, dict) and event.get("content") == _PROBE and event.get("done") is not True
    return Form(before, after.removesuffix(FRAME_END)) if is_read and _PROBE.encode() not in frame else None
