"""What every Slack message is made of: harmless text, links, calls to people, and blocks within Slack's limits.

Limits and escapes are those of Slack's reference (docs.slack.dev: Block Kit, "Formatting message text"). One is not in
it: Slack answers `msg_blocks_too_long` to somewhat more than 12,000 characters in all blocks of a message, so the
bounds of the parts are such that even the longest message with all additions has at most `MAX_CHARS`.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, Any

from include.loadtest.publishing.foreign_text import cut, one_line
from include.loadtest.target.urls import without_passwords

if TYPE_CHECKING:
    from slack_sdk.models.blocks import Block, MarkdownTextObject, SectionBlock  # imported where a message is made

HEADER_CHARS = 150
SECTION_CHARS = 2900
TEXT_CHARS = 600
LIST_CHARS = 5800
"""A list of lines takes at most so many characters."""
BUNDLE_CHARS = 400
MAX_CHARS = 10_000
"""The texts of all blocks of a message together."""
_ADDRESS_CHARS, _ISSUE_CHARS = 500, 150
_MAX_CALLS, _MAX_ISSUES = 10, 5


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


def text_name(text: str) -> str:
    """A short name of a message's text, to know it again."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def assembled(head: str, body: Iterable["Block"], text: str) -> Message:
    """A message with a headline; `head` and `text` come from anywhere, `body` is made of this module's parts."""
    from slack_sdk.models.blocks import HeaderBlock, PlainTextObject

    header = cut(list(_defused(head, HEADER_CHARS)), HEADER_CHARS)
    blocks = [HeaderBlock(text=PlainTextObject(text=header, emoji=False)), *body]
    return Message(escaped(text, TEXT_CHARS), tuple(block.to_dict() for block in blocks))


def section(text: str) -> "SectionBlock":
    """A paragraph; `text` is mrkdwn that was made of `escaped` and `code`, at most 3,000 characters."""
    from slack_sdk.models.blocks import SectionBlock

    return SectionBlock(text=mrkdwn(text))


def fields(texts: Iterable[str]) -> "SectionBlock":
    """At most ten short texts beside each other, mrkdwn as in `section`, each of at most 2,000 characters."""
    from slack_sdk.models.blocks import SectionBlock

    return SectionBlock(fields=[mrkdwn(text) for text in texts])


def small_print(texts: Iterable[str]) -> list["Block"]:
    """A block of at most ten small texts, mrkdwn as in `section`; none without texts."""
    from slack_sdk.models.blocks import ContextBlock

    elements = [mrkdwn(text) for text in texts]
    return [ContextBlock(elements=elements)] if elements else []


def listed(title: str, lines: Sequence[str], *, keep_last: bool = False) -> list["Block"]:
    """Lines of mrkdwn of at most 600 characters each, below a title, of at most `LIST_CHARS` characters in all.

    What has no room is counted: the end of the list, or with `keep_last` its beginning.
    """
    ordered = list(reversed(lines)) if keep_last else list(lines)
    sizes = accumulate(len(line) + 1 for line in ordered)
    shown = [line for line, size in zip(ordered, sizes, strict=True) if size <= LIST_CHARS]
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
    """Name and address as a link, for each address that is one (http or https) and not endless."""
    for name, address in named:
        if (link := _link(name, address or "", _ADDRESS_CHARS)) is not None:
            yield link


def _link(name: str, address: str, limit: int) -> str | None:
    shown = without_passwords(address).replace("&", "&amp;")
    is_one = re.fullmatch(r"https?://[^\s<>|]+", shown) is not None and len(shown) <= limit and shown.isprintable()
    return f"<{shown}|{escaped(name, 100)}>" if is_one else None


def calls(mentions: Iterable[str]) -> str:
    """Mention the first ten users and user groups by their ids; what is no id is left out."""
    ids = [one for one in mentions if is_mention(one)][:_MAX_CALLS]
    return " ".join(f"<!subteam^{one}>" if one.startswith("S") else f"<@{one}>" for one in ids)


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
    """The same with links to the first five issues (number and address), above the small print."""
    links_to = (_link(f"#{number}", url, _ISSUE_CHARS) for number, url in issues)
    found = [link for link in links_to if link is not None]
    if not found:
        return message
    more = f" and {len(found) - _MAX_ISSUES} more" if len(found) > _MAX_ISSUES else ""
    block = section(f"Issues: {', '.join(found[:_MAX_ISSUES])}{more}").to_dict()
    end = len(message.blocks) - len(list(takewhile(lambda one: one["type"] == "context", reversed(message.blocks))))
    return Message(message.text, (*message.blocks[:end], block, *message.blocks[end:]))


def clock(moment: datetime) -> str:
    """The time of day in UTC, without its zone."""
    return f"{moment.astimezone(UTC):%H:%M:%S}"


def mrkdwn(text: str) -> "MarkdownTextObject":
    """A text object in which only what this program wrote is a link or a mention."""
    from slack_sdk.models.blocks import MarkdownTextObject

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
    text = one_line(value, limit).replace("`", "'")
    return f"`{cut([_ENTITIES.get(char, char) for char in text], limit) or 'unknown'}`"


def _defused(value: object, limit: int) -> str:
    """One line in which nobody is mentioned, nothing is marked up and a `:name:` is no emoji."""
    return _EMOJI.sub(":\u200b", one_line(value, limit).translate(_DEFUSED))
