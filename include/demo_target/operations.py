"""The account's own matters: profile, plan, usage, settings."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException
from pydantic import BaseModel

from include.demo_target.auth import utc_now
from include.demo_target.endpoints import API
from include.demo_target.services import Services, Shared
from include.demo_target.tokens import Caller, SessionCaller, UserCaller

NOTIFICATIONS = {"scadenza": True, "match": True, "comunicazione": True, "normativa": True}
DISPLAY = {"theme": "light", "language": "it", "items_per_page": 25}
# Name, limit in euro of five hours and of seven days.
PLANS = {"base": ("Base", 2.5, 10.0), "pro": ("Pro", 5.0, 22.5), "premium": ("Premium", 10.0, 45.0)}
SPENT = """SELECT coalesce(sum(cost_eur) FILTER (WHERE created_at > $2), 0) AS last_5h,
    coalesce(sum(cost_eur), 0) AS last_7d
FROM chat_messages WHERE user_id = $1 AND created_at > $3"""

router = APIRouter(prefix=API)
StudioId = Annotated[uuid.UUID, Header(alias="X-Studio-ID")]


class SettingsUpdate(BaseModel):
    """The parts to replace."""

    notification_preferences: dict[str, bool] | None = None
    display_preferences: dict[str, Any] | None = None


@router.get("/users/me")
async def users_me(services: Shared, user: UserCaller) -> dict[str, Any]:
    """The profile; an account without a studio gets one."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "avatar_url": user.avatar_url,
        "provider": user.provider,
        "role": user.role,
        "studio_id": user.studio_id or await _new_studio(services, user),
        "billing_plan_slug": user.billing_plan_slug,
    }


@router.get("/payments/subscription")
async def subscription(session: SessionCaller) -> dict[str, Any]:
    """No account of this target has one."""
    del session
    return {"subscription": None, "status": "no_subscription", "trial_available": True}


@router.get("/payments/invoices")
async def invoices(session: SessionCaller, limit: int = 10) -> dict[str, Any]:
    """No account of this target has any."""
    del session, limit
    return {"invoices": [], "total": 0}


@router.get("/billing/usage")
async def billing_usage(services: Shared, user: UserCaller) -> dict[str, Any]:
    """What the account's chats cost in its two windows."""
    now = utc_now()
    spent = await services.database.row(SPENT, user.id, now - timedelta(hours=5), now - timedelta(days=7))
    name, limit_5h, limit_7d = PLANS.get(user.billing_plan_slug, PLANS["base"])
    return {
        "plan_slug": user.billing_plan_slug,
        "plan_name": name,
        "window_5h": _window("5h", spent["last_5h"], limit_5h, timedelta(hours=5)),
        "window_7d": _window("7d", spent["last_7d"], limit_7d, timedelta(days=7)),
        "credits": {"balance_eur": 0.0, "extra_usage_enabled": False},
        "is_admin": False,
        "message_it": "Utilizzo nella norma." if spent["last_5h"] < limit_5h else "Limite di utilizzo raggiunto.",
    }


@router.get("/analytics/usage/current")
async def analytics_usage(services: Shared, session: SessionCaller) -> dict[str, Any]:
    """How often the account asked today."""
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    asked = await services.database.value(
        "SELECT count(*) FROM chat_messages WHERE user_id = $1 AND role = 'user' AND created_at >= $2",
        session.id,
        today,
    )
    return {"user_id": session.id, "current_usage": {"daily": {"requests": asked}}, "metrics": {"llm_requests": asked}}


@router.get("/settings")
async def get_settings(services: Shared, studio_id: StudioId) -> dict[str, Any]:
    """The settings of a studio."""
    await _require_studio(services, studio_id)
    return await _settings(services, studio_id)


@router.put("/settings")
async def put_settings(services: Shared, studio_id: StudioId, body: SettingsUpdate) -> dict[str, Any]:
    """Replace the given parts of a studio's settings."""
    await _require_studio(services, studio_id)
    settings = {**await _settings(services, studio_id), **body.model_dump(exclude_none=True)}
    await services.database.execute(
        """INSERT INTO settings VALUES ($1, $2, $3) ON CONFLICT (studio_id) DO UPDATE
        SET notification_preferences = $2, display_preferences = $3""",
        studio_id,
        json.dumps(settings["notification_preferences"]),
        json.dumps(settings["display_preferences"]),
    )
    return settings


async def _new_studio(services: Services, user: Caller) -> str:
    async with services.database.connection() as connection, connection.transaction():
        # Locked first, since two calls at once would otherwise make two studios.
        held = await connection.fetchval('SELECT studio_id::text FROM "user" WHERE id = $1 FOR UPDATE', user.id)
        if held:
            return str(held)
        made = await connection.fetchval("INSERT INTO studios (name) VALUES ($1) RETURNING id", f"Studio {user.email}")
        await connection.execute('UPDATE "user" SET studio_id = $2 WHERE id = $1', user.id, made)
        return str(made)


async def _require_studio(services: Services, studio_id: uuid.UUID) -> None:
    if not await services.database.value("SELECT EXISTS (SELECT FROM studios WHERE id = $1)", studio_id):
        raise HTTPException(404, "Studio not found")


async def _settings(services: Services, studio_id: uuid.UUID) -> dict[str, Any]:
    row = await services.database.row("SELECT * FROM settings WHERE studio_id = $1", studio_id)
    return {
        "studio_id": str(studio_id),
        "notification_preferences": json.loads(row["notification_preferences"]) if row else NOTIFICATIONS,
        "display_preferences": json.loads(row["display_preferences"]) if row else DISPLAY,
    }


def _window(kind: str, spent_eur: float, limit_eur: float, length: timedelta) -> dict[str, Any]:
    reset_at = datetime.now(UTC) + length
    return {
        "window_type": kind,
        "current_cost_eur": round(spent_eur, 4),
        "limit_cost_eur": limit_eur,
        "usage_percentage": round(100 * spent_eur / limit_eur, 1),
        "reset_at": reset_at.isoformat().replace("+00:00", "Z"),
        "reset_in_minutes": int(length.total_seconds() // 60),
    }
