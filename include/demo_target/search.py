"""Search in the knowledge base: PostgreSQL full text. Not cached, or a missing index would hide behind the cache."""

from datetime import date
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from include.demo_target.endpoints import API
from include.demo_target.services import Shared
from include.demo_target.tokens import SessionCaller

# The expression is the index's own, else PostgreSQL would not use the index.
FIND = """SELECT id, title, regulation_type, authority, number, publication_date, subjects, left(body, 200) AS summary
FROM regulations
WHERE to_tsvector('italian', title || ' ' || body) @@ plainto_tsquery('italian', $1)
  AND ($2::text[] IS NULL OR subjects && $2) AND ($3::date IS NULL OR publication_date >= $3)
ORDER BY publication_date DESC, id LIMIT $4"""

router = APIRouter(prefix=f"{API}/italian/legal")


class LegalSearch(BaseModel):
    """All words of all `keywords` have to occur."""

    keywords: list[str] = Field(min_length=1)
    subjects: list[str] | None = None
    date_from: date | None = None
    limit: int = Field(20, le=100)


def _kind(body: LegalSearch) -> str:
    """What a search is for whoever asks: a word, words, or regulations of a subject or a time."""
    if body.subjects or body.date_from:
        return "search_complex"
    return "search_simple" if len(body.keywords) == 1 else "search_full_text"


@router.post("/search")
async def legal_search(services: Shared, caller: SessionCaller, body: LegalSearch) -> dict[str, Any]:
    """Regulations that hold every word, the newest first."""
    del caller
    await services.faults.slow_down(_kind(body))
    rows = await services.database.rows(
        FIND, " ".join(body.keywords), body.subjects, body.date_from, max(body.limit, 0)
    )
    if services.faults.current.search_empty:
        rows = []
    return {
        "regulations": [{**dict(row), "publication_date": row["publication_date"].isoformat()} for row in rows],
        "total": len(rows),
        "search_terms": body.keywords,
        "subjects": body.subjects,
    }
