"""Slack's rules for a message, of the kinds of blocks that this project sends: an empty list of faults is consent.

Judged by Slack's own SDK (models, and the way back must be equal), by the limits of slackblocks, and by what both of
them let through. A block of another kind is a fault: who adds one adds its rules.
"""

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block
from slackblocks.blocks import Block as LimitedBlock

KINDS = ("header", "section", "context", "divider")
MAX_BLOCKS, MAX_TEXT_CHARS, MAX_BLOCK_ID_CHARS, MAX_METADATA_BYTES = 50, 4000, 255, 8000
MAX_BLOCKS_CHARS = 12_000
"""Of the texts of all blocks together: not in Slack's reference, which bounds each block only; above some 12,000 to
13,000 its servers answer `msg_blocks_too_long`, so many apps have found."""
_COMMON = {"text", "blocks", "parse", "link_names", "metadata"}
ARGUMENTS = {
    "chat.postMessage": _COMMON | {"channel", "thread_ts", "unfurl_links", "unfurl_media"},
    "chat.update": _COMMON | {"channel", "ts"},
    "webhook": {"text", "blocks", "unfurl_links", "unfurl_media"},
}
REQUIRED = {"chat.postMessage": {"channel"}, "chat.update": {"channel", "ts"}, "webhook": set()}
_MARKUP = re.compile(r"<(?:@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|https?://[^\s<>|]+\|[^<>|]+)>")
"""All between angle brackets that this project ever means; anything else was not escaped."""
_CHANNEL_ID, _CHANNEL_NAME = re.compile(r"[CGDUW][A-Z0-9]{6,30}"), re.compile(r"#?\w[\w-]{0,79}")
_SWITCHES = ("link_names", "unfurl_links", "unfurl_media")


def faults(payload: Mapping[str, Any], method: str | None = None) -> list[str]:
    """Every rule that a message breaks; with a method also those of its arguments."""
    try:
        json.dumps(payload, ensure_ascii=False).encode()
    except ValueError as error:
        return [f"no Unicode: {error}"]
    return [*_message_faults(payload), *(_argument_faults(payload, method) if method else [])]


def _argument_faults(payload: Mapping[str, Any], method: str) -> Iterator[str]:
    yield from (f"{name}: unknown argument" for name in payload.keys() - ARGUMENTS[method])
    for name in REQUIRED[method]:
        if not isinstance(payload.get(name), str) or not payload[name]:
            yield f"{name}: required"
    for name in ("ts", "thread_ts"):
        stamp = payload.get(name)
        if stamp is not None and not (isinstance(stamp, str) and re.fullmatch(r"\d{10}\.\d{6}", stamp)):
            yield f"{name}: no time stamp of a message"
    if isinstance(payload.get("channel"), str) and not _is_channel(payload["channel"]):
        yield "channel: neither an id nor a name"
    yield from _switch_faults(payload, _SWITCHES)
    if payload.get("parse", "none") not in ("none", "full"):
        yield "parse: none or full wanted"


def _is_channel(text: str) -> bool:
    """An id, or a name: lower case in any language, no spaces, no other signs."""
    is_name = _CHANNEL_NAME.fullmatch(text) is not None and text == text.lower()
    return is_name or _CHANNEL_ID.fullmatch(text) is not None


def _switch_faults(values: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    yield from (f"{name}: true or false wanted" for name in names if not isinstance(values.get(name, True), bool))


def _message_faults(payload: Mapping[str, Any]) -> Iterator[str]:
    text, blocks = payload.get("text"), payload.get("blocks")
    if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT_CHARS:
        yield f"text: 1 to {MAX_TEXT_CHARS} characters wanted"
    else:
        yield from (f"text: {fault}" for fault in _markup_faults(text))
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= MAX_BLOCKS:
        yield f"blocks: a list of 1 to {MAX_BLOCKS} wanted"
        return
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len({str(one) for one in ids}):
        yield "blocks: a block_id is used twice"
    size = sum(len(text["text"]) for text in _all_texts(blocks))
    if size > MAX_BLOCKS_CHARS:
        yield f"blocks: {size} characters in all, {MAX_BLOCKS_CHARS} at most"
    for number, block in enumerate(blocks):
        yield from (f"blocks/{number}: {fault}" for fault in _block_faults(block))
    yield from _metadata_faults(payload.get("metadata"))


def _block_faults(block: object) -> Iterator[str]:
    if not isinstance(block, dict) or block.get("type") not in KINDS:
        yield "no block of a kind that is sent here"
        return
    yield from _own_faults(block)
    try:
        parsed = Block.parse(copy.deepcopy(block))
        for part in _parts(parsed):
            part.validate_json()
        if parsed is None or parsed.to_dict() != block:
            yield "Slack's SDK gives another block back"
    except Exception as error:  # noqa: BLE001 - whatever a model raises is its refusal
        yield f"Slack's SDK: {type(error).__name__} {str(error)[:80]}"
    try:
        LimitedBlock.from_dict(copy.deepcopy(block))
    except Exception as error:  # noqa: BLE001 - as above
        yield f"slackblocks: {type(error).__name__} {str(error)[:80]}"


def _parts(value: object) -> Iterator[JsonObject]:
    """All objects of a parsed block, itself first."""
    if isinstance(value, JsonObject):
        yield value
        for inner in vars(value).values():
            yield from _parts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _parts(inner)


def _own_faults(block: Mapping[str, Any]) -> Iterator[str]:
    """What neither of the two refuses."""
    block_id = block.get("block_id", "x")
    if not isinstance(block_id, str) or not 0 < len(block_id) <= MAX_BLOCK_ID_CHARS:
        yield "block_id: no id"
    if block["type"] == "header" and _kind(block.get("text")) != "plain_text":
        yield "text: a header's is plain_text"
    if block["type"] == "context" and not block.get("elements"):
        yield "elements: none"
    yield from _switch_faults(block, ["expand"])
    for text in _texts(block):
        yield from _text_faults(text)


def _all_texts(blocks: Iterable[object]) -> Iterator[Mapping[str, Any]]:
    for block in blocks:
        for text in _texts(block) if isinstance(block, dict) else ():
            if isinstance(text, dict) and isinstance(text.get("text"), str):
                yield text


def _kind(text: object) -> object:
    return text.get("type") if isinstance(text, dict) else None


def _texts(block: Mapping[str, Any]) -> Iterator[object]:
    yield from ([block["text"]] if "text" in block else [])
    for name in ("fields", "elements"):
        yield from block[name] if isinstance(block.get(name), list) else []


def _text_faults(text: Any) -> Iterator[str]:
    if _kind(text) not in ("mrkdwn", "plain_text"):
        yield "no text object"
        return
    yield from _switch_faults(text, ("emoji", "verbatim"))
    if not isinstance(text.get("text"), str) or not text["text"].strip():
        yield "text: empty"
    elif _kind(text) == "mrkdwn":
        yield from _markup_faults(text["text"])


def _markup_faults(text: str) -> Iterator[str]:
    rest = _MARKUP.sub("", text)
    if "<" in rest or ">" in rest:
        yield "an angle bracket that is not escaped"
    if re.search(r"&(?!(?:amp|lt|gt);)", text):
        yield "an ampersand that is not escaped"


def _metadata_faults(metadata: Any) -> Iterator[str]:
    if metadata is None:
        return
    is_whole = isinstance(metadata, dict) and metadata.keys() == {"event_type", "event_payload"}
    if not is_whole or not isinstance(metadata["event_payload"], dict):
        yield "metadata: an event_type and an event_payload wanted"
    elif not re.fullmatch(r"[a-z][a-z0-9_]{0,254}", str(metadata["event_type"])):
        yield "metadata: no event_type"
    elif len(json.dumps(metadata)) > MAX_METADATA_BYTES:
        yield "metadata: too large"
