"""The app: its routes, the headers of every answer, errors as pages."""

from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.loadtest.errors import ConfigError, LoadTestError, printable
from include.loadtest.orchestration.web import (
    actions,
    compare,
    dag_runs,
    docs_pages,
    files,
    live,
    overview,
    run_page,
    static_files,
    suite_page,
    trends,
)
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.links import login_link
from include.loadtest.orchestration.web.pages import render
from include.loadtest.orchestration.web.threads import OwnThreads

PAGES = (static_files, overview, live, files, run_page, suite_page, dag_runs, trends, compare, actions, docs_pages)
"""The modules with routes; the addresses of no two overlap."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "form-action 'self'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise."""
LONGEST_TEXT = 500
OTHER_METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def create_app() -> FastAPI:
    """The app as Airflow mounts it."""
    app = FastAPI(title="Load tests", docs_url=None, redoc_url=None, openapi_url=None)
    pages = OwnThreads()
    for module in PAGES:
        pages.include_router(module.router)
    app.include_router(pages)
    app.add_api_route("/{path:path}", _no_such_page, dependencies=[READS])
    app.add_api_route("/{path:path}", _only_read, methods=list(OTHER_METHODS), dependencies=[READS])
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(LoadTestError, _failed)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Answers)
    return app


async def _no_such_page() -> Response:
    raise HTTPException(404, "there is no such page")


async def _only_read() -> Response:
    """The app's own answer would be sent before the login is asked for, and so tell which addresses there are."""
    raise HTTPException(405, "pages are only read", {"Allow": "GET, HEAD"})


async def _refused(request: Request, error: Any) -> Response:
    return _error(request, error.status_code, str(error.detail), getattr(error, "headers", None))


async def _failed(request: Request, error: Any) -> Response:
    """What an action is given may be wrong (422); a page is given nothing but what this installation has set up."""
    is_input = isinstance(error, ConfigError) and request.method == "POST"
    return _error(request, 422 if is_input else 503, printable(str(error), LONGEST_TEXT), None)


async def _broken(request: Request, error: Any) -> Response:
    """A fault of this program; Airflow's log has the rest of it."""
    return _error(request, 500, f"a fault of this page ({type(error).__name__}); the API server's log says more", None)


def _error(request: Request, status: int, text: str, headers: Any) -> Response:
    """A page for a browser, JSON for a program."""
    if "text/html" not in request.headers.get("accept", ""):
        answer: Response = JSONResponse({"detail": text}, status)
    elif status == 401:  # styles and scripts are behind the login too
        answer = render(request, "login.html.jinja", status=status, text=text, login=login_link(request))
    else:
        answer = render(request, "error.html.jinja", status=status, code=status, text=text)
    answer.headers.update({**HEADERS, **(headers or {})})
    return answer


class Answers:
    """Gives each answer the security headers it does not set itself, and answers HEAD as GET without a body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                own = ((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
                message["headers"] = [*message["headers"], *(pair for pair in own if pair[0] not in present)]
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"} if is_head else scope, receive, answer)
