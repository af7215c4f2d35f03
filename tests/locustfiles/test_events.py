"""Events that are read many at once give what a parser gives for each of them."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.locustfiles.chat import StreamReader
from include.locustfiles.events import Form, form_of

pytestmark = pytest.mark.unit
WORDS = ["parola ", 'un "nome"', "a\nb", "\\", "è", "", '", "done": true']
TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(WORDS))
RAW = [
    b": keepalive\n\n",
    b"\n\n",
    b"event: x\ndata: {}\n\n",
    b'data: {"content": "first"}\ndata: {"content": "second"}\n\n',
    b'data: {"content": "half \xc3", "done": false}\n\n',
    b'data: {"content": "\xa8 half", "done": false}\n\n',
    b'data: {"content": "lone \xff", "done": false}\n\n',
    b'data: {"content": "open\\", "done": false}\n\n',
    b'data: {"content": "bad \\q", "done": false}\n\n',
    b'data: {"content": "tab\there", "done": false}\n\n',
    b'data: {"content": "nul\x00", "done": false}\n\n',
    b'data: {"content": "x", "content": "y", "done": false}\n\n',
    b'data: {"content": 5, "done": false}\n\n',
    b"data: [1]\n\n",
]


def _frame(text: str, shape: int, *, done: bool = False) -> bytes:
    event = [
        {"content": text, "done": done},
        {"content": text, "done": done, "trace": "t-1"},
        {"id": 7, "content": text, "done": done, "more": {"content": "inner"}},
    ][shape % 3]
    return f"data: {json.dumps(event, ensure_ascii=shape > 2)}\n\n".encode()


FRAMES = st.lists(
    st.one_of(
        st.builds(_frame, TEXTS, st.integers(0, 5)),
        st.builds(lambda shape: _frame("", shape, done=True), st.integers(0, 5)),
        st.sampled_from(RAW),
    ),
    max_size=30,
)


def _one_by_one(frames: list[bytes]) -> tuple[str, bool, int]:
    """Each event by the parser: the text, whether it came to its end, and the bytes up to there."""
    text, size = "", 0
    for frame in frames:
        size += len(frame)
        is_done = False
        for event in _events(frame):
            if isinstance(event, dict):
                text += event["content"] if isinstance(event.get("content"), str) else ""
                is_done = is_done or event.get("done") is True
        if is_done:
            return text, True, size
    return text, False, size


def _events(frame: bytes) -> Iterator[object]:
    for line in frame.splitlines():
        if line.startswith(b"data:"):
            try:
                yield json.loads(line[5:])
            except ValueError:
                continue


@settings(max_examples=200, deadline=None)
@given(FRAMES, st.integers(1, 31))
def test_a_stream_reads_as_its_events_do(frames: list[bytes], at_once: int) -> None:
    """Whatever the events are, and however many of them come at once: text, end and size are those of a parser."""
    reader = StreamReader(0)
    for at in range(0, len(frames), at_once):
        if not reader.finished:
            reader.feed(b"".join(frames[at : at + at_once]))
    text, is_done, size = _one_by_one(frames)
    assert ("".join(reader._parts), reader.done, reader.size) == (text, is_done, size)
    assert (reader.ttfb_us is not None) == bool(text)


def test_events_of_one_form_need_no_parser() -> None:
    """The form of one event takes all that follow, up to the one that ends the answer."""
    form = form_of(_frame("parola ", 1), "parola ")
    assert form is not None
    events = [_frame(text, 1) for text in ("una ", 'due "volte" ', "", "fine\n")]
    frames = b"".join([*events, _frame("", 1, done=True)])
    assert form.take(frames, 0) == ('una due "volte" fine\n', sum(map(len, events)))
    assert form.take(frames, len(frames) - len(_frame("", 1, done=True))) is None


@pytest.mark.parametrize(
    ("frame", "content"),
    [
        (b'data: {"content": "x", "content": "y"}\n\n', "x"),
        (b'data: {"content": "x", "done": true}\n\n', "x"),
        (b'data: {"other": "x", "content": "x"}\n\n', "x"),
        (b'event: x\ndata: {"content": "x"}\n\n', "x"),
        (b'data: {"content": "x"}\n', "x"),
        (b'data: {"content": "\\u0078"}\n\n', "x"),
    ],
    ids=["written twice", "the end", "elsewhere", "two lines", "unfinished", "escaped"],
)
def test_what_is_not_certain_has_no_form(frame: bytes, content: str) -> None:
    """A form is taken only where another text in the same place would be read as the content."""
    assert form_of(frame, content) is None


def test_halves_of_a_character_are_no_text() -> None:
    """Two events whose bytes would make a letter together are left to the parser, which refuses each."""
    form = Form(b'data: {"content": "', b'"}')
    assert form.take(b'data: {"content": "\xc3"}\n\ndata: {"content": "\xa8"}\n\n', 0) is None
