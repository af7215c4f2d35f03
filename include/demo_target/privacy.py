"""GDPR: requests of data subjects, the rights of a studio's clients, audit and compliance."""

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException
from pydantic import BaseModel, Field

from include.demo_target.auth import utc_now
from include.demo_target.endpoints import API
from include.demo_target.operations import StudioId
from include.demo_target.services import Services, Shared
from include.demo_target.tokens import SessionCaller

DELETION_TEXT = "Data deletion will be processed within 30 days as required by GDPR"
ANONYMOUS = "ANONIMIZZATO"
MAX_EVENTS = 500
RETENTION = {
    "identity": "2555 days, 0:00:00",
    "contact": "365 days, 0:00:00",
    "financial": "2555 days, 0:00:00",
    "behavioral": "90 days, 0:00:00",
    "technical": "30 days, 0:00:00",
    "content": "365 days, 0:00:00",
}
FEATURES = [
    "consent_management",
    "data_processing_tracking",
    "audit_logging",
    "data_subject_requests",
    "automatic_cleanup",
    "pii_anonymization",
]
CHECKS = {
    "right_to_access": 5,
    "right_to_erasure": 6,
    "consent_management": 5,
    "data_retention": 5,
    "privacy_by_design": 5,
}
CLIENT_COLUMNS = (
    "id", "codice_fiscale", "nome", "tipo_cliente", "stato_cliente", "partita_iva", "email", "phone", "indirizzo",
    "cap", "comune", "provincia", "note_studio",
)  # fmt: skip

router = APIRouter(prefix=API)
UserId = Annotated[str, Header(alias="X-User-ID")]


class DataSubjectRequest(BaseModel):
    """What a person asks about the data held on them."""

    user_id: str
    request_type: str
    additional_info: dict[str, Any] | None = None


class ClientType(StrEnum):
    """What a client is."""

    PERSON = "persona_fisica"
    SOLE_TRADER = "ditta_individuale"
    COMPANY = "societa"
    BODY = "ente"


class NewClient(BaseModel):
    """A client of a studio."""

    codice_fiscale: str = Field(max_length=50)
    nome: str = Field(max_length=200)
    tipo_cliente: ClientType
    stato_cliente: str = Field("attivo", max_length=30)
    partita_iva: str | None = Field(None, max_length=50)
    email: str | None = Field(None, max_length=255)
    phone: str | None = Field(None, max_length=50)
    indirizzo: str | None = Field(None, max_length=300)
    cap: str | None = Field(None, max_length=5)
    comune: str = Field(max_length=100)
    provincia: str = Field(max_length=2)
    note_studio: str | None = None


@router.post("/privacy/data-subject-request")
async def data_subject_request(services: Shared, session: SessionCaller, body: DataSubjectRequest) -> dict[str, Any]:
    """Access, portability or deletion; a deletion is only noted down."""
    del session
    events = await services.database.value("SELECT count(*) FROM audit_events WHERE user_id = $1", body.user_id)
    data: dict[str, Any] = {"user_id": body.user_id}
    if body.request_type == "deletion":
        data |= {"status": "deletion_request_received", "message": DELETION_TEXT}
    elif body.request_type in ("access", "portability"):
        data |= {"consent_records": [], "processing_records": [], "audit_events_count": events}
    else:
        raise HTTPException(400, f"Unsupported request type: {body.request_type}")
    await _note(services, body.user_id, body.request_type)
    return {
        "request_id": str(uuid.uuid4()),
        "user_id": body.user_id,
        "request_type": body.request_type,
        "status": "processed",
        "data": data,
        "message": data.get("message"),
        "timestamp": utc_now().isoformat(),
    }


@router.get("/privacy/compliance/status")
async def compliance_status(services: Shared, session: SessionCaller) -> dict[str, Any]:
    """Counts of what is recorded, and the rules of retention."""
    del session
    return {
        "consent_records_count": 0,
        "processing_records_count": await services.database.value("SELECT count(*) FROM tax_calculations"),
        "audit_events_count": await services.database.value("SELECT count(*) FROM audit_events"),
        "retention_policies": RETENTION,
        "compliance_features": FEATURES,
        "last_cleanup": None,
    }


@router.get("/gdpr/audit/run")
async def gdpr_audit() -> dict[str, Any]:
    """Run the audit: its 26 checks by category."""
    started_at = datetime.now(UTC).isoformat()
    total = sum(CHECKS.values())
    return {
        "audit_id": str(uuid.uuid4()),
        "environment": "development",
        "overall_status": "pass",
        "compliance_score": 100.0,
        "started_at": started_at,
        "completed_at": datetime.now(UTC).isoformat(),
        "summary": {"total_checks": total, "passed": total, "failed": 0, "warnings": 0},
        "category_results": {
            category: {"total": count, "passed": count, "failed": 0, "warnings": 0, "status": "pass"}
            for category, count in CHECKS.items()
        },
        "checks": [_check(category, number) for category, count in CHECKS.items() for number in range(1, count + 1)],
    }


@router.get("/audit/events")
async def audit_events(services: Shared, session: SessionCaller, limit: int = 50) -> dict[str, Any]:
    """The latest events of the audit trail."""
    del session
    rows = await services.database.rows(
        "SELECT id, user_id, event, created_at FROM audit_events ORDER BY id DESC LIMIT $1", min(limit, MAX_EVENTS)
    )
    total = await services.database.value("SELECT count(*) FROM audit_events")
    return {"events": [{**dict(row), "created_at": row["created_at"].isoformat()} for row in rows], "total": total}


@router.get("/compliance")
async def compliance(services: Shared, studio_id: uuid.UUID) -> dict[str, Any]:
    """The compliance report of a studio."""
    clients = await services.database.value("SELECT count(*) FROM clients WHERE studio_id = $1", studio_id)
    return {"studio_id": str(studio_id), "clients_total": clients, "overall_status": "pass", "checks": CHECKS}


@router.post("/clients", status_code=201)
async def create_client(services: Shared, studio_id: uuid.UUID, body: NewClient) -> dict[str, Any]:
    """A new client of a studio."""
    values = body.model_dump()
    names, places = ", ".join(values), ", ".join(f"${number}" for number in range(2, len(values) + 2))
    if not await services.database.value("SELECT EXISTS (SELECT FROM studios WHERE id = $1)", studio_id):
        raise HTTPException(404, "Studio not found")
    row = await services.database.row(
        f"INSERT INTO clients (studio_id, {names}) VALUES ($1, {places}) RETURNING *",  # noqa: S608 - the model's own names
        studio_id,
        *values.values(),
    )
    return {**_client(row), "studio_id": str(studio_id), "created_at": row["created_at"].isoformat()}


@router.get("/clients")
async def list_clients(services: Shared, studio_id: uuid.UUID, offset: int = 0, limit: int = 50) -> dict[str, Any]:
    """The clients of a studio."""
    rows = await services.database.rows(
        "SELECT * FROM clients WHERE studio_id = $1 ORDER BY id OFFSET $2 LIMIT $3", studio_id, offset, limit
    )
    total = await services.database.value("SELECT count(*) FROM clients WHERE studio_id = $1", studio_id)
    return {"items": [_client(row) for row in rows], "total": total, "offset": offset, "limit": limit}


@router.get("/data-rights/access/{client_id}")
async def access(services: Shared, client_id: int, studio_id: StudioId, user_id: UserId) -> dict[str, Any]:
    """Everything held on a client."""
    client = await _find_client(services, client_id, studio_id)
    await _note(services, user_id, "client_access")
    return {"gdpr_article": "Article 15 — Right of Access", "client": client}


@router.get("/data-rights/export/{client_id}")
async def export(services: Shared, client_id: int, studio_id: StudioId, user_id: UserId) -> dict[str, Any]:
    """Everything held on a client, to be taken elsewhere."""
    client = await _find_client(services, client_id, studio_id)
    await _note(services, user_id, "client_export")
    return {"gdpr_article": "Article 20 — Right to Data Portability", "format": "application/json", "data": client}


@router.delete("/data-rights/erase/{client_id}")
async def erase(services: Shared, client_id: int, studio_id: StudioId, user_id: UserId) -> dict[str, Any]:
    """Make a client anonymous; the answer carries what was held."""
    client = await _find_client(services, client_id, studio_id)
    if not services.faults.current.erase_ignored:
        await _make_anonymous(services, client_id)
    await _note(services, user_id, "client_erasure")
    return {
        "gdpr_article": "Article 17 — Right to Erasure",
        "client_id": client_id,
        "export_data": client,
        "anonymized_at": datetime.now(UTC).isoformat(),
        "communications_affected": 0,
    }


async def _make_anonymous(services: Services, client_id: int) -> None:
    await services.database.execute(
        """UPDATE clients SET codice_fiscale = $2, nome = $2, partita_iva = NULL, email = NULL, phone = NULL,
        indirizzo = NULL, cap = NULL, note_studio = NULL, stato_cliente = 'cessato' WHERE id = $1""",
        client_id,
        ANONYMOUS,
    )


def _check(category: str, number: int) -> dict[str, Any]:
    return {
        "check_id": f"{category.rsplit('_', maxsplit=1)[-1].upper()}_{number:03}",
        "category": category,
        "name": f"{category.replace('_', ' ').capitalize()} {number}",
        "status": "pass",
        "severity": "high",
        "remediation": None,
    }


def _client(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in CLIENT_COLUMNS}


async def _find_client(services: Services, client_id: int, studio_id: uuid.UUID) -> dict[str, Any]:
    row = await services.database.row("SELECT * FROM clients WHERE id = $1 AND studio_id = $2", client_id, studio_id)
    if row is None:
        raise HTTPException(404, "Client not found")
    return _client(row)


async def _note(services: Services, user_id: str, event: str) -> None:
    if not services.faults.current.audit_stopped:
        await services.database.execute("INSERT INTO audit_events (user_id, event) VALUES ($1, $2)", user_id, event)
