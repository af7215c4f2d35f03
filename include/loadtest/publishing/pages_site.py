"""The HTML of the published site: the list of runs, and a run's page made of its Markdown summary. Pure.

Everything in it came from a target or from other people's index: it is text, never markup, and no page runs a script
or fetches anything from elsewhere.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from include.loadtest import run
from include.loadtest.publishing.pages_index import IndexEntry
from include.loadtest.reporting.markdown import moment
from include.loadtest.reporting.summary import plot_section, verdict_title

PLOT_TEXT = "Latency and errors over the time of the run, with the phases of the load and the limits"
_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root{color-scheme:light dark;--text:#1f2328;--soft:#59636e;--line:#d1d9e0;--back:#fff;--tint:#f6f8fa;--link:#0969da}
@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9198a1;--line:#3d444d;--back:#0d1117;--tint:#151b23;
--link:#4493f8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--back);color:var(--text);overflow-wrap:break-word;
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25}
h2{font-size:1.2rem;margin-top:2rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
a{color:var(--link)}
img{max-width:100%;height:auto;background:#fff;border-radius:.25rem}
code{padding:.1em .3em;background:var(--tint);border-radius:.25rem;font-size:.875em}
pre{padding:.75rem;overflow-x:auto;background:var(--tint)}
blockquote{margin:1rem 0;padding-left:1rem;border-left:.25rem solid var(--line);color:var(--soft)}
table{display:block;max-width:100%;overflow-x:auto;border-collapse:collapse;font-size:.875rem;overflow-wrap:normal}
th,td{padding:.35rem .6rem;border:1px solid var(--line);text-align:left;vertical-align:top}
th{background:var(--tint);white-space:nowrap}
td a{white-space:nowrap}
"""


def index_page(entries: Sequence[IndexEntry]) -> str:
    """The list of runs, in the order that they have."""
    rows = "\n".join(_row(entry) for entry in entries)
    head = "".join(f"<th>{name}</th>" for name in ("verdict", "profile or suite", "target", "began", "run"))
    return _page("Load tests", f"<h1>Load tests</h1>\n<table>\n<tr>{head}</tr>\n{rows}\n</table>")


def _row(entry: IndexEntry) -> str:
    run_id = escape(entry.run_id)
    link = f'<a href="{run_id}/">{_verdict(entry)}</a>'
    cells = (link, escape(_subject(entry)), escape(entry.target or "not known"), moment(entry.time), run_id)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _verdict(entry: IndexEntry) -> str:
    return "verdict not known" if entry.verdict is None else escape(verdict_title(entry.verdict))


def _subject(entry: IndexEntry) -> str:
    suite = f"suite {entry.suite}" if entry.suite else ""
    if entry.profile is None:
        return suite or "not known"
    return f"{entry.profile} ({suite})" if suite else entry.profile


def run_page(entry: IndexEntry, summary: str, files: Iterable[str], plot: str | None) -> str:
    """A run's or a suite's page: its Markdown summary, the picture `plot` where there is one, links to `files`."""
    picture = "" if plot is None else f'<p><img src="{escape(plot)}" alt="{PLOT_TEXT}"></p>\n'
    links = "\n".join(f'<li><a href="{escape(name)}">{escape(name)}</a></li>' for name in files)
    head, body = _halves(_html(summary.replace(plot_section(run.PLOT), "")))
    title = f"{entry.verdict or 'verdict not known'} · {_subject(entry)} · {moment(entry.time)}"
    back = '<p><a href="../">All load tests</a></p>'
    return _page(title, f"{back}\n{head}{picture}{body}\n<h2>Files</h2>\n<ul>\n{links}\n</ul>")


def _halves(html: str) -> tuple[str, str]:
    """What stands above the first section, and the sections: the picture goes between."""
    at = html.find("<h2>")
    return (html, "") if at < 0 else (html[:at], html[at:])


def _html(markdown: str) -> str:
    """Markdown as HTML, without raw HTML and without images: those would be fetched from wherever a text says."""
    from markdown_it import MarkdownIt

    parser: Any = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return str(parser.render(markdown))


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
