"""Issues, comments and check runs as HTML that looks much like GitHub: what a reader sees of their Markdown. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

MARKS = """@font-face{font-family:Marks;src:local('Noto Color Emoji');
unicode-range:U+23F3,U+26AA,U+2705,U+274C,U+1F500-1F5FF,U+1F6D1,U+1F7E0-1F7EB}
"""
"""The signs of verdicts in colour."""
_LOOK = """
body{margin:0;padding:16px;background:#fff;color:#1f2328;font:14px/1.5 Marks,'DejaVu Sans',sans-serif;width:858px}
.title{font-size:22px;line-height:1.3;margin:0 0 8px}.title span{color:#59636e}
.state{display:inline-block;border-radius:1em;padding:3px 12px;color:#fff;background:#1f883d;font-size:13px}
.state.closed{background:#8250df}
.state.failure{background:#cf222e}.state.neutral{background:#59636e}
.label{display:inline-block;border-radius:1em;padding:1px 9px;margin-left:6px;font-size:12px;border:1px solid #d1d9e0;
background:#fff1e5}
.box{border:1px solid #d1d9e0;border-radius:6px;margin-top:14px}
.head{background:#f6f8fa;border-bottom:1px solid #d1d9e0;border-radius:6px 6px 0 0;padding:7px 14px;color:#59636e}
.head b{color:#1f2328}
.text{padding:6px 14px 10px;overflow-wrap:anywhere}
h1,h2,h3{font-size:18px;border-bottom:1px solid #d1d9e0;padding-bottom:3px;margin:16px 0 8px}
h3{font-size:15px;border:0}
table{border-collapse:collapse;font-size:12.5px;margin:8px 0}
th,td{border:1px solid #d1d9e0;padding:4px 8px;text-align:left;vertical-align:top;overflow-wrap:normal}
tr:nth-child(odd) td{background:#f6f8fa}
code{background:#eff1f3;border-radius:4px;padding:1px 4px;font:12px 'DejaVu Sans Mono',monospace}
pre{background:#f6f8fa;border-radius:6px;padding:12px;margin:8px 0}pre code{background:none;padding:0}
a{color:#0969da}sub{color:#59636e}
"""
STYLE = MARKS + _LOOK


def issue(number: int, payload: Mapping[str, Any], *, state: str) -> str:
    """An issue's title, state, labels and text."""
    return f"{_title(payload['title'], number)}{_state(state)}{_labels(payload['labels'])}{box(payload['body'])}"


def _title(title: str, number: int) -> str:
    return f'<div class="title">{escape(title)} <span>#{number}</span></div>'


def _state(state: str) -> str:
    return f'<span class="state {escape(state)}">{escape(state.capitalize())}</span>'


def _labels(labels: Iterable[str]) -> str:
    return "".join(f'<span class="label">{escape(label)}</span>' for label in labels)


def box(text: str, who: str = "load-tests", what: str = "commented") -> str:
    """A comment."""
    return (
        f'<div class="box"><div class="head"><b>{escape(who)}</b> {escape(what)}</div>'
        f'<div class="text">{markdown(text)}</div></div>'
    )


def check_run(title: str, conclusion: str, parts: Sequence[str]) -> str:
    """A check run's page: its conclusion, its title, its summary and text."""
    shown = "".join(markdown(part) for part in parts if part)
    head = f'<div class="title">{escape(title)}</div>{_state(conclusion)}'
    return f'{head}<div class="box"><div class="text">{shown}</div></div>'


def markdown(text: str) -> str:
    """GitHub's Markdown with tables; the HTML in it is this product's own (`<sub>`, hidden marks)."""
    from markdown_it import MarkdownIt

    parser: Any = MarkdownIt("commonmark", {"html": True}).enable("table")
    return str(parser.render(text))
