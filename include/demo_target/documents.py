"""Documents: uploads that are really parsed, and what becomes of them."""

import io
import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, HTTPException, UploadFile
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from include.demo_target.auth import utc_now
from include.demo_target.endpoints import API
from include.demo_target.services import Services, Shared
from include.demo_target.tokens import AnyCaller, Caller

MAX_FILES = 5
MAX_FILE_BYTES = 10 * 1024 * 1024
SMALL_BYTES, MEDIUM_BYTES = 1024 * 1024, 5 * 1024 * 1024
"""Up to so many a document is small, or of medium size."""
KEPT_FOR = timedelta(hours=48)
SIGNATURE = b"%PDF-"
# The file's name speaks before its text does.
CATEGORIES = (("fattura", "fattura_elettronica"), ("f24", "f24"), ("dichiarazione", "dichiarazione_730"))

logging.getLogger("pypdf").setLevel(logging.ERROR)  # its warnings about odd files are the sender's matter
router = APIRouter(prefix=f"{API}/documents")


class RefusedError(ValueError):
    """A file that is not taken; the message is the target's."""

    status = 400


class BusyError(RefusedError):
    """No place is free for another document."""

    status = 503


@dataclass(frozen=True)
class _Document:
    id: uuid.UUID
    filename: str
    size: int
    category: str
    text: str


@router.post("/upload")
async def upload(
    services: Shared,
    caller: AnyCaller,
    files: Annotated[list[UploadFile], File()],
    analysis_query: Annotated[str | None, Form()] = None,
) -> dict[str, Any]:
    """Up to five PDF files of 10 MB; a refused file is told in the body, the status stays 200."""
    if len(files) > MAX_FILES:
        raise HTTPException(400, f"Maximum {MAX_FILES} files allowed")
    taken, errors = [], []
    for file in files:
        name = file.filename or "documento"
        try:
            taken.append(await _process(services, caller, name, await file.read(), analysis_query))
        except RefusedError as error:
            errors.append({"filename": name, "error": f"{error.status}: {error}"})
    message = f"Caricati ed elaborati {len(taken)} documenti su {len(files)}."
    return {
        "success": bool(taken),
        "uploaded_documents": taken,
        "total_uploaded": len(taken),
        "errors": errors,
        "message": message if taken else "Nessun documento caricato con successo.",
    }


@router.get("/")
async def list_documents(services: Shared, caller: AnyCaller, skip: int = 0, limit: int = 50) -> dict[str, Any]:
    """The caller's documents, the newest first."""
    rows = await services.database.rows(
        "SELECT * FROM documents WHERE user_id = $1 ORDER BY upload_timestamp DESC OFFSET $2 LIMIT $3",
        caller.id,
        skip,
        limit,
    )
    return {"documents": [_shown(row) for row in rows], "total": len(rows), "skip": skip, "limit": limit}


@router.get("/search")
async def search_documents(services: Shared, caller: AnyCaller, q: str, limit: int = 20) -> dict[str, Any]:
    """The caller's documents that hold the words of `q` as a phrase, as far as they are indexed; the newest first."""
    rows = await services.database.rows(
        """SELECT * FROM documents WHERE user_id = $1 AND upload_timestamp <= $2
        AND to_tsvector('italian', extracted_text) @@ phraseto_tsquery('italian', $3)
        ORDER BY upload_timestamp DESC LIMIT $4""",
        caller.id,
        services.faults.indexed_until(utc_now()),
        q,
        limit,
    )
    return {"documents": [_shown(row) for row in rows], "total": len(rows), "query": q}


@router.get("/{document_id}")
async def get_document(services: Shared, caller: AnyCaller, document_id: uuid.UUID) -> dict[str, Any]:
    """One of the caller's documents with its text."""
    row = await services.database.row("SELECT * FROM documents WHERE id = $1 AND user_id = $2", document_id, caller.id)
    if row is None:
        raise HTTPException(404, "Document not found")
    return {**_shown(row), "extracted_text": row["extracted_text"]}


@router.delete("/{document_id}")
async def delete_document(services: Shared, caller: AnyCaller, document_id: uuid.UUID) -> dict[str, Any]:
    """Delete one of the caller's documents."""
    gone = await services.database.value(
        "DELETE FROM documents WHERE id = $1 AND user_id = $2 RETURNING id", document_id, caller.id
    )
    if gone is None:
        raise HTTPException(404, "Document not found")
    return {"success": True, "message": "Document deleted successfully"}


async def _process(
    services: Services, caller: Caller, filename: str, content: bytes, query: str | None
) -> dict[str, Any]:
    """Read and keep one document as soon as a place is free. Raises RefusedError."""
    slots, faults = services.document_slots, services.faults.current
    has_to_wait = slots.are_taken
    if has_to_wait and faults.refuse_queued:
        raise BusyError("Too many documents in process, try again later")
    async with slots.place():
        await services.faults.slow_down(_size_kind(len(content)))
        document = await _read(services, filename, content)
        await services.faults.keep_file(document.id, content)
        row = await _store(services, caller, document, query)
        if has_to_wait and faults.lose_queued:
            await services.database.execute("DELETE FROM documents WHERE id = $1", document.id)
        return row


def _size_kind(size: int) -> str:
    if size <= SMALL_BYTES:
        return "document_small"
    return "document_medium" if size <= MEDIUM_BYTES else "document_large"


async def _read(services: Services, filename: str, content: bytes) -> _Document:
    if Path(filename).suffix.lower() != ".pdf":
        raise RefusedError(f"File type not supported: {Path(filename).suffix or filename}")
    if len(content) > MAX_FILE_BYTES:
        raise RefusedError("File too large: at most 10 MB")
    if not content.startswith(SIGNATURE):
        raise RefusedError("File content doesn't match expected format for pdf")
    text = await services.threads.run(_text_of, content)
    return _Document(uuid.uuid4(), filename, len(content), _category(filename, text), text)


def _text_of(content: bytes) -> str:
    try:
        text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        # pypdf meets a broken file with any of these.
        raise RefusedError("PDF file cannot be read") from error
    return text.replace("\x00", "")  # PostgreSQL's text cannot hold it


def _category(filename: str, text: str) -> str:
    for source in (filename.lower(), text.lower()):
        for word, category in CATEGORIES:
            if word in source:
                return category
    return "altro"


async def _store(services: Services, caller: Caller, document: _Document, query: str | None) -> dict[str, Any]:
    now = utc_now()
    row = await services.database.row(
        """INSERT INTO documents (id, user_id, original_filename, file_type, file_size, status, document_category,
        extracted_text, analysis_query, upload_timestamp, expires_at)
        VALUES ($1, $2, $3, 'pdf', $4, 'completed', $5, $6, $7, $8, $9) RETURNING *""",
        document.id,
        caller.id,
        document.filename[-255:],
        document.size,
        document.category,
        document.text,
        query,
        now,
        now + KEPT_FOR,
    )
    return _shown(row)


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "original_filename": row["original_filename"],
        "file_type": row["file_type"],
        "file_size": row["file_size"],
        "file_size_mb": round(row["file_size"] / 1024 / 1024, 2),
        "status": row["status"],
        "document_category": row["document_category"],
        "upload_timestamp": row["upload_timestamp"].isoformat(),
        "expires_at": row["expires_at"].isoformat(),
    }
