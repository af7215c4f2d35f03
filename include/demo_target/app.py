"""Puts the rooms together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from include.demo_target import (
    admin,
    auth,
    chat,
    documents,
    health,
    operations,
    privacy,
    search,
    tax_routes,
)
from include.demo_target.gate import Gate
from include.demo_target.services import Services

ROOMS = (auth, chat, tax_routes, documents, search, operations, privacy, health, admin)


def build_app(services: Services) -> FastAPI:
    """The target as an application; its services are connected when it starts and closed when it ends."""

    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = services
        await services.database.open(create=services.siblings.leads)
        watching = asyncio.create_task(services.event_loop.run())
        try:
            yield
        finally:
            watching.cancel()
            await services.faults.close()
            await services.siblings.close()
            await services.llm.close()
            await services.cache.close()
            await services.database.close()
            services.threads.close()

    app = FastAPI(title="PratikoAI stand-in", lifespan=connected, openapi_url=None)
    for room in ROOMS:
        app.include_router(room.router)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Gate, services=services)
    return app


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    del request
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"field": ".".join(map(str, each["loc"][1:])), "message": each["msg"]} for each in problems]
    return JSONResponse({"detail": "Validation error", "errors": errors}, status_code=422)


async def _broken(request: Request, error: Exception) -> JSONResponse:
    del request, error
    return JSONResponse({"detail": "Internal server error"}, status_code=500)
