"""What an operator does with baselines from the pages: the four changing actions of the housekeeping's form."""

import json
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.loadtest.errors import nearest, printable
from include.loadtest.orchestration import settings
from include.loadtest.orchestration.baseline_actions import BaselineOrder, change_baselines
from include.loadtest.orchestration.web.access import Operator, user_name
from include.loadtest.orchestration.web.threads import in_own_thread

ACTIONS = {"propose": "propose", "pin": "pin", "retire": "retire", "mark": "mark_intended_change"}
"""The last part of the address, and the action's name in the form of the housekeeping DAG."""
MOST_BYTES = 64 * 1024
_LONGEST_NAME = 200
_ID_LIMIT = 2**63

router = APIRouter()


class Order(BaseModel):
    """The fields of the form; what an action does not need may be missing."""

    model_config = ConfigDict(extra="forbid", strict=True)

    target: str = Field("", max_length=_LONGEST_NAME)
    profile: str | None = Field(None, max_length=_LONGEST_NAME)
    run_ids: str | list[str] | None = None
    baseline_id: int | None = Field(None, ge=1, lt=_ID_LIMIT)
    reason: str = Field("", max_length=500)
    accept_regression: bool = False
    since: str | None = Field(None, max_length=_LONGEST_NAME)


@router.post("/actions/{name}")
async def act(name: str, request: Request, user: Operator) -> dict[str, str]:
    """Do it; the answer says what was done. 404 for another action, 422 with one line where it cannot be done."""
    if name not in ACTIONS:
        raise HTTPException(404, f"there is no action {printable(name, 40)!r}; {nearest(name[:40], ACTIONS)}")
    fields = _fields(await _body(request))
    return {"done": await in_own_thread(_change, {**fields, "action": ACTIONS[name]}, user_name(user))}


def _change(params: dict[str, Any], by: str) -> str:
    """Looks up files and connections too: nothing of it for the event loop."""
    return change_baselines(settings.history_url(), BaselineOrder.from_params(params), by)[0]


async def _body(request: Request) -> bytes:
    """The body, which nobody makes long by hand. Raises HTTPException 413."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"refused: the body is longer than {MOST_BYTES:,} bytes")
    return body


def _fields(body: bytes) -> dict[str, Any]:
    """The order's fields. Raises HTTPException 422 with one line for what the form would not let pass."""
    try:
        return Order.model_validate(json.loads(body)).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][:1]) or "the body"
        raise HTTPException(422, f"{printable(where, 40)}: {printable(first['msg'], 200)}") from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, "the body is no JSON") from error
