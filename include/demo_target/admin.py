"""Routes that exist only here: faults, and the true number of requests."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException
from pydantic import ValidationError

from include.demo_target.faults import Faults, UnknownNameError
from include.demo_target.llm_client import LlmError
from include.demo_target.services import Shared

router = APIRouter(prefix="/admin")


@router.get("/requests")
async def requests(services: Shared, run_id: str) -> dict[str, int]:
    """How many requests of a load test arrived, by phase."""
    return services.counter.of(run_id)


@router.get("/faults")
async def get_faults(services: Shared) -> Faults:
    """The faults in force."""
    return services.faults.current


@router.put("/faults")
async def put_faults(services: Shared, changes: Annotated[dict[str, Any], Body()]) -> Faults:
    """Put the given faults into force, leave the others as they are."""
    try:
        return await services.faults.change(changes)
    except UnknownNameError as error:
        raise HTTPException(422, str(error)) from error
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise HTTPException(422, "; ".join(problems).replace("Value error, ", "")) from error
    except LlmError as error:
        raise HTTPException(409, str(error)) from error


@router.delete("/faults")
async def delete_faults(services: Shared) -> Faults:
    """Put all faults out of force."""
    return await services.faults.reset()
