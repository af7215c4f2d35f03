"""What every Slack message is made of: harmless text, links, calls to people, and blocks within Slack's limits.

Limits and escapes are those of Slack's reference (docs.slack.dev: Block Kit, "Formatting message text").
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from include.loadtest.errors import printable

HEADER_CHARS = 150
SECTION_CHARS = 2900
TEXT_CHARS = 600
MAX_SECTIONS = 5
"""A list of lines takes at most so many sections."""


@dataclass(frozen=True)
class Message:
    """What is sent: `text` for notifications and readers without blocks, `blocks` (Block Kit) for the channel."""

    text: str
    blocks: tuple[dict[str, Any], ...]

    def payload(self) -> dict[str, Any]:
        """The same for a row of the outbox."""
        return {"text": self.text, "blocks": list(self.blocks)}

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "Message":
        """What `payload` made."""
        return cls(payload["text"], tuple(payload["blocks"]))


def assembled(head: str, body: Iterable[Block], text: str) -> Message:
    """A message with a headline; `head` and `text` come from anywhere, `body` is made of this module's parts."""
    header = cut(list(_defused(head, HEADER_CHARS)), HEADER_CHARS)
    blocks = [HeaderBlock(text=PlainTextObject(text=header, emoji=False)), *body]
    return Message(escaped(text, TEXT_CHARS), tuple(block.to_dict() for block in blocks))


def section(text: str) -> SectionBlock:
    """A paragraph; `text` is mrkdwn that was made of `escaped` and `code`, at most 3,000 characters."""
    return SectionBlock(text=mrkdwn(text))


def fields(texts: Iterable[str]) -> SectionBlock:
    """At most ten short texts beside each other, mrkdwn as in `section`, each of at most 2,000 characters."""
    return SectionBlock(fields=[mrkdwn(text) for text in texts])


def small_print(texts: Iterable[str]) -> list[Block]:
    """A block of at most ten small texts, mrkdwn as in `section`; none without texts."""
    elements = [mrkdwn(text) for text in texts]
    return [ContextBlock(elements=elements)] if elements else []


def listed(title: str, lines: Sequence[str], *, keep_last: bool = False) -> list[Block]:
    """Lines of mrkdwn of at most 600 characters each, below a title, in at most `MAX_SECTIONS` sections.

    What has no room is counted: the end of the list, or with `keep_last` its beginning.
    """
    ordered = list(reversed(lines)) if keep_last else list(lines)
    sizes = accumulate(len(line) + 1 for line in ordered)
    # A section may stay empty by as much as one line.
    room = MAX_SECTIONS * (SECTION_CHARS - 700)
    shown = [line for line, size in zip(ordered, sizes, strict=True) if size <= room]
    left = len(lines) - len(shown)
    if keep_last:
        told = [title, *([f"… {left} earlier"] if left else []), *reversed(shown)]
    else:
        told = [title, *shown, *([f"… and {left} more"] if left else [])]
    return [section(text) for text in _packed(told)]


def _packed(lines: Iterable[str]) -> Iterator[str]:
    text = ""
    for line in lines:
        if text and len(text) + len(line) + 1 > SECTION_CHARS:
            yield text
            text = line
        else:
            text = f"{text}\n{line}" if text else line
    yield text


def links(*named: tuple[str, str | None]) -> Iterator[str]:
    """Name and address as a link, for each address that is one (http or https)."""
    for name, link in named:
        address = without_password(link or "").replace("&", "&amp;")
        if re.fullmatch(r"https?://[^\s<>|]{1,2500}", address) and address.isprintable():
            yield f"<{address}|{escaped(name, 100)}>"


def calls(mentions: Iterable[str]) -> str:
    """Mention users and user groups by their ids; what is no id is left out."""
    return " ".join(f"<!subteam^{one}>" if one.startswith("S") else f"<@{one}>" for one in mentions if is_mention(one))


def is_mention(text: str) -> bool:
    """Whether it is the id of a user (U… or W…) or of a user group (S…)."""
    return re.fullmatch(r"[UWS][A-Z0-9]{2,30}", text) is not None


def called(message: Message, mentions: Sequence[str]) -> Message:
    """The same with people mentioned, if any: right below the headline, since in a mere fallback text nobody is."""
    names = calls(mentions)
    if not names:
        return message
    return Message(f"{names} {message.text}", (message.blocks[0], section(names).to_dict(), *message.blocks[1:]))


def noted(message: Message, note: str) -> Message:
    """The same with a note in small print at its end."""
    small = [block.to_dict() for block in small_print([escaped(note, 300)])]
    return Message(f"{message.text} {escaped(note, 300)}", (*message.blocks, *small))


def with_issues(message: Message, issues: Iterable[tuple[int, str]]) -> Message:
    """The same with links to issues (number and address), above its last block, where one reads on."""
    found = [link for number, url in issues for link in links((f"#{number}", url if len(url) <= 500 else None))]
    if not found:
        return message
    block = section(f"Issues: {', '.join(found[:5])}").to_dict()
    return Message(message.text, (*message.blocks[:-1], block, message.blocks[-1]))


def clock(moment: datetime) -> str:
    """The time of day in UTC, without its zone."""
    return f"{moment.astimezone(UTC):%H:%M:%S}"


def without_password(uri: str) -> str:
    """An address whose password is not shown."""
    return re.sub(r"://([^/@:]*):[^/@]*@", r"://\1:***@", uri)


def mrkdwn(text: str) -> MarkdownTextObject:
    """A text object in which only what this program wrote is a link or a mention."""
    # Verbatim: Slack makes no link, channel or mention of a plain word. It refuses an empty text.
    return MarkdownTextObject(text=text if text.strip() else "–", verbatim=True)


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
"""All that Slack has; other signs that mark up or mention need a look-alike or a space of no width."""
_DEFUSED = str.maketrans({"@": "@\u200b", "`": "'", "*": "\u2217", "~": "\u223c"})
_EMOJI = re.compile(r"(?:(?<!\d\d):|:(?!\d\d:\d\d))(?=[\w+'-]+:)")
"""A colon that begins an emoji's name; not the first one of a time of day."""


def escaped(value: object, limit: int) -> str:
    """Text from anywhere as harmless mrkdwn on one line, at most `limit` characters."""
    return cut([_ENTITIES.get(char, char) for char in _defused(value, limit)], limit)


def code(value: object, limit: int) -> str:
    """The same between code marks, where only the entities count, so that it can be copied as it is."""
    text = _one_line(value, limit).replace("`", "'")
    return f"`{cut([_ENTITIES.get(char, char) for char in text], limit) or 'unknown'}`"


def _defused(value: object, limit: int) -> str:
    """One line in which nobody is mentioned, nothing is marked up and a `:name:` is no emoji."""
    return _EMOJI.sub(":\u200b", _one_line(value, limit).translate(_DEFUSED))


def _one_line(value: object, limit: int) -> str:
    """The printable beginning; one character longer than `limit` where there is more, so that the cut shows."""
    text = printable(str(value), 10 * limit)
    return " ".join(text.split())[: limit + 1]


def cut(pieces: Sequence[str], limit: int) -> str:
    """The pieces as one text of at most `limit` characters; none is cut in two."""
    sizes = list(accumulate(len(piece) for piece in pieces))
    if not sizes or sizes[-1] <= limit:
        return "".join(pieces)
    return "".join(piece for piece, size in zip(pieces, sizes, strict=True) if size < limit) + "…"
