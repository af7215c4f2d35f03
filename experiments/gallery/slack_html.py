"""Block Kit as HTML that looks much like Slack: what a reader sees of a message. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from experiments.gallery.github_html import MARKS
from include.loadtest.publishing.message_parts import Message

Block = Mapping[str, Any]

_LOOK = """
body{margin:0;padding:14px 16px;background:#fff;color:#1d1c1d;font:15px/1.46 Marks,'DejaVu Sans',sans-serif;width:700px}
.post{display:flex;gap:10px;margin-bottom:12px}
.face{flex:none;width:36px;height:36px;border-radius:6px;background:#1264a3;color:#fff;font-weight:700;
text-align:center;line-height:36px;font-size:13px}
.body{flex:1;min-width:0;overflow-wrap:anywhere}
.who{font-weight:700}.who span{font-weight:400;color:#616061;font-size:12px;margin-left:6px}
.app{background:#e8e8e8;border-radius:3px;padding:0 3px;font-size:10px;color:#616061;margin-left:4px}
h3{margin:4px 0 8px;font-size:18px;line-height:1.33}
p{margin:0 0 8px}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 16px;margin-bottom:8px}
.small{color:#616061;font-size:13px;margin-bottom:6px}.small span{margin-right:10px}
code{background:#f6f6f6;border:1px solid #ddd;border-radius:3px;padding:1px 3px;color:#c0134e;
font:12px 'DejaVu Sans Mono',monospace}
a{color:#1264a3;text-decoration:none}
.call{background:#fcf4da;color:#8a5a00;border-radius:3px;padding:0 2px}
.thread{border-left:3px solid #ddd;margin-left:17px;padding-left:14px}
.replies{color:#1264a3;font-weight:700;font-size:13px;margin:0 0 8px}
img{max-width:100%;border:1px solid #ddd;border-radius:6px}
"""
STYLE = MARKS + _LOOK
_TOKEN = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>|`([^`\n]+)`|\*([^*\n]+)\*")


def posts(messages: Sequence[Message]) -> str:
    """Messages in a channel."""
    return "".join(_post(_content(message)) for message in messages)


def thread(replies: Sequence["Message | str"]) -> str:
    """The replies to a message; one that is a text is the address of a picture."""
    shown = [_post(_picture(reply) if isinstance(reply, str) else _content(reply)) for reply in replies]
    count = f'<div class="replies">{len(shown)} {"reply" if len(shown) == 1 else "replies"}</div>'
    return f'<div class="thread">{count}{"".join(shown)}</div>' if shown else ""


def _post(content: str) -> str:
    who = '<div class="who">Load tests<span class="app">APP</span></div>'
    return f'<div class="post"><div class="face">LT</div><div class="body">{who}{content}</div></div>'


def _picture(address: str) -> str:
    return f'<p><img src="{escape(address)}"></p>'


def _content(message: Message) -> str:
    return "".join(_block(block) for block in message.blocks)


def _block(block: Block) -> str:
    kind = block["type"]
    if kind == "header":
        return f"<h3>{escape(block['text']['text'])}</h3>"
    if kind == "section":
        return "".join(_section(block))
    if kind == "context":
        small = "".join(f"<span>{mrkdwn(one['text'])}</span>" for one in block["elements"])
        return f'<div class="small">{small}</div>'
    raise ValueError(f"no picture for a block of the type {kind}")


def _section(block: Block) -> Iterator[str]:
    if "text" in block:
        yield f"<p>{mrkdwn(block['text']['text'])}</p>"
    if "fields" in block:
        cells = "".join(f"<div>{mrkdwn(one['text'])}</div>" for one in block["fields"])
        yield f'<div class="fields">{cells}</div>'


def mrkdwn(text: str) -> str:
    """Slack's mrkdwn (bold, code, links, mentions) as HTML; its three entities are HTML's too."""
    leading = re.sub(r"^ +", lambda found: "&nbsp;" * len(found[0]), text, flags=re.MULTILINE)
    return _TOKEN.sub(_token, leading.replace('"', "&quot;")).replace("\n", "<br>")


def _token(found: re.Match[str]) -> str:
    address, name, code, bold = found.groups()
    if code is not None:
        return f"<code>{code}</code>"
    if bold is not None:
        return f"<b>{bold}</b>"
    if address.startswith(("@", "!")):
        return f'<span class="call">@{address.removeprefix("@").removeprefix("!subteam^")}</span>'
    return f"<a>{name or address}</a>"
