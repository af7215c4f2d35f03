"""Scripts and styles by an allow-list of names; the address has a hash of the content, so that it may be kept."""

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.links import link

FOLDERS = (Path(__file__).parent / "static", Path(__file__).parents[2] / "reporting" / "page" / "assets")
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
KEPT_S = 24 * 3600
"""A browser keeps a file for so long; another content has another address."""

router = APIRouter(dependencies=[READS])


def static_link(request: Request, name: str) -> str:
    """The address of a file. Raises KeyError for one that is not there: a fault of the template."""
    digest = hashlib.sha256(_content(_files()[name])).hexdigest()[:12]
    return link(request, "static", name, v=digest)


def has_static(name: str) -> bool:
    """Whether there is such a file."""
    return name in _files()


@router.get("/static/{name}")
def static_file(name: str) -> Response:
    """One file of the app's own."""
    path = _files().get(name)
    if path is None:
        raise HTTPException(404, "there is no such file")
    headers = {"Cache-Control": f"private, max-age={KEPT_S}"}
    return Response(_content(path), media_type=MEDIA_TYPES[path.suffix], headers=headers)


@cache
def _files() -> dict[str, Path]:
    return {path.name: path for folder in FOLDERS for path in sorted(folder.glob("*")) if path.suffix in MEDIA_TYPES}


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()
