"""Routes that exist only here: faults, and the true number of requests.

Below `/admin/own` each process speaks for itself, to its siblings.
"""

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from include.demo_target.faults import Faults, UnknownNameError
from include.demo_target.llm_client import LlmError
from include.demo_target.services import Shared

router = APIRouter(prefix="/admin")


@router.get("/requests")
async def requests(services: Shared, run_id: str) -> dict[str, int]:
    """How many requests of a load test arrived, by phase."""
    counted = Counter(services.counter.of(run_id))
    for answer in await services.siblings.ask_others("GET", "/admin/own/requests", params={"run_id": run_id}):
        counted.update(answer.json())
    return dict(counted)


@router.get("/faults")
async def get_faults(services: Shared) -> Faults:
    """The faults in force."""
    return services.faults.current


@router.put("/faults", response_model=Faults)
async def put_faults(services: Shared, changes: Annotated[dict[str, Any], Body()]) -> Faults | Response:
    """Put the given faults into force, leave the others as they are."""
    if not services.siblings.leads:
        answer = await services.siblings.ask_leader("PUT", "/admin/faults", json=changes)
        return JSONResponse(answer.json(), answer.status_code)
    try:
        return await services.faults.change(changes)
    except UnknownNameError as error:
        raise HTTPException(422, str(error)) from error
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise HTTPException(422, "; ".join(problems).replace("Value error, ", "")) from error
    except LlmError as error:
        raise HTTPException(409, str(error)) from error


@router.delete("/faults", response_model=Faults)
async def delete_faults(services: Shared) -> Faults | Response:
    """Put all faults out of force."""
    if not services.siblings.leads:
        answer = await services.siblings.ask_leader("DELETE", "/admin/faults")
        return JSONResponse(answer.json(), answer.status_code)
    return await services.faults.reset()


@router.put("/own/faults")
async def put_own_faults(services: Shared, wanted: Faults) -> None:
    """Put the faults of one process into force, as the leader says."""
    await services.faults.follow(wanted)


@router.get("/own/requests")
async def own_requests(services: Shared, run_id: str) -> dict[str, int]:
    """The requests that arrived at this process."""
    return services.counter.of(run_id)


@router.get("/own/metrics")
async def own_metrics(services: Shared) -> Response:
    """This process' part of `/metrics`."""
    return Response(services.public_page())


@router.get("/own/monitoring")
async def own_monitoring(services: Shared) -> dict[str, Any]:
    """This process' part of `/api/v1/monitoring/metrics`."""
    hits, lookups = services.cache.hits, services.cache.lookups
    return {"hits": hits, "lookups": lookups, "page": services.metrics.monitoring_page(hits, lookups).decode()}
