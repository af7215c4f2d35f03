"""Health and metrics pages."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from include.demo_target.auth import utc_now
from include.demo_target.endpoints import API
from include.demo_target.merging import merged
from include.demo_target.services import Services, Shared

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
router = APIRouter()


@router.get("/health")
async def health(services: Shared) -> JSONResponse:
    """The state of the target and its servers; 503 when one of them is down."""
    return await _health(services)


@router.get(f"{API}/health")
async def api_health(services: Shared) -> JSONResponse:
    """The same under the API's prefix."""
    return await _health(services)


@router.get("/metrics")
async def metrics(services: Shared) -> Response:
    """Requests, responses, the process and what goes on inside, for Prometheus."""
    others = await services.siblings.ask_others("GET", "/admin/own/metrics")
    return _page(services.public_page(), [answer.text for answer in others])


@router.get(f"{API}/monitoring/metrics")
async def monitoring_metrics(services: Shared) -> Response:
    """Durations, cache and resources, for Prometheus."""
    others = [answer.json() for answer in await services.siblings.ask_others("GET", "/admin/own/monitoring")]
    hits, lookups = (
        own + sum(other[name] for other in others)
        for name, own in (("hits", services.cache.hits), ("lookups", services.cache.lookups))
    )
    return _page(services.metrics.monitoring_page(hits, lookups), [other["page"] for other in others])


def _page(own: bytes, others: list[str]) -> Response:
    return Response(merged([own.decode(), *others]) if others else own, media_type=TEXT_FORMAT)


async def _health(services: Services) -> JSONResponse:
    up = {"api": True, "database": await services.database.is_up(), "cache": await services.cache.is_up()}
    body: dict[str, Any] = {
        "status": "healthy" if all(up.values()) else "degraded",
        "version": "1.0.0",
        "environment": "development",
        "components": {name: "healthy" if healthy else "unhealthy" for name, healthy in up.items()},
        "timestamp": utc_now().isoformat(),
    }
    return JSONResponse(body, status_code=200 if all(up.values()) else 503)
