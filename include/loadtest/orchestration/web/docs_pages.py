"""The documentation in docs/, rendered: links between its pages work, and HTML in it is text."""

import difflib
import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from include.loadtest.doc_pages import DOCS_FOLDER
from include.loadtest.errors import printable
from include.loadtest.orchestration.settings import ROOT
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.links import link
from include.loadtest.orchestration.web.pages import render

FOLDER = ROOT / DOCS_FOLDER
PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}
_EXTERNAL = re.compile(r"https?://|mailto:")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")

router = APIRouter(dependencies=[READS])


@router.get("/docs")
@router.get("/docs/")
def contents(request: Request) -> Response:
    """All pages, by folder."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, path in _pages().items():
        groups.setdefault(posixpath.dirname(name), []).append((name, _title(path)))
    return render(request, "docs_contents.html.jinja", active="docs", groups=groups)


@router.get("/docs/{page:path}")
def page(request: Request, page: str) -> Response:
    """One page, with or without `.md`, or one of its pictures. Raises HTTPException 404 with the nearest name."""
    picture = _pictures().get(page)
    if picture is not None:
        return Response(picture.read_bytes(), media_type=PICTURES[picture.suffix])
    name = page.removesuffix(".md")
    path = _pages().get(name)
    if path is None:
        close = difflib.get_close_matches(name[:100], _pages(), n=1, cutoff=0.4)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise HTTPException(404, f"There is no page {printable(name, 100)} in the documentation{hint}")
    body = rendered(path.read_text(encoding="utf-8"), name, link(request, "docs"))
    return render(request, "docs_page.html.jinja", active="docs", title=_title(path), body=body)


def rendered(text: str, name: str, root: str) -> Markup:
    """Markdown as HTML. `name`: of the page, for its relative links; `root`: address of the documentation.

    A link to a file that is not served, as of the source code, becomes its text alone.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    _name_headings(tokens)
    for inline in tokens:
        _mend_links(inline.children or [], name, root)
    html = parser.renderer.render(tokens, parser.options, {})
    return Markup(_scrollable(str(html)))  # noqa: S704 - the renderer escapes, and passes no HTML of the text


def _name_headings(tokens: Sequence[Token]) -> None:
    """Ids as GitHub makes them, so that links to a heading work in both places."""
    seen: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            slug = _NOT_IN_SLUG.sub("", _words(inline).lower()).replace(" ", "-")
            number = seen[slug] = seen.get(slug, -1) + 1
            opening.attrSet("id", f"{slug}-{number}" if number else slug)


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))


def _mend_links(children: Sequence[Token], name: str, root: str) -> None:
    for token in children:
        if token.type == "image":
            target = _target(str(token.attrGet("src") or ""), name)
            token.attrSet("src", f"{root}/{target}" if target in _pictures() else "")
        elif token.type == "link_open":
            _mend_link(token, str(token.attrGet("href") or ""), name, root)


def _mend_link(token: Token, href: str, name: str, root: str) -> None:
    if href.startswith("#"):
        return
    if _EXTERNAL.match(href):
        token.attrSet("rel", "noopener noreferrer")
        return
    path, _, fragment = href.partition("#")
    target = _target(path, name).removesuffix(".md")
    if target in _pages() or target in _pictures():
        token.attrSet("href", f"{root}/{target}" + (f"#{fragment}" if fragment else ""))
    else:
        token.attrs.pop("href", None)


def _target(path: str, name: str) -> str:
    """A relative link as the name of a page or a picture."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _scrollable(html: str) -> str:
    """Tables and programs scroll by themselves on a narrow screen, by keyboard too."""
    html = html.replace("<pre>", '<pre tabindex="0">')
    opening = '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>'
    return html.replace("<table>", opening).replace("</table>", "</table></div>")


@cache
def _pages() -> dict[str, Path]:
    return {name.removesuffix(".md"): path for name, path in _files({".md"})}


@cache
def _pictures() -> dict[str, Path]:
    return dict(_files(set(PICTURES)))


def _files(suffixes: set[str]) -> Iterator[tuple[str, Path]]:
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in suffixes and path.is_file():
            yield path.relative_to(FOLDER).as_posix(), path


@cache
def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").splitlines()[:1]
    return first[0].lstrip("# ").strip() if first else path.stem
