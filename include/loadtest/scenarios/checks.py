"""Is a response an answer? A 200 is not enough. Each check gives None, or a short error that names what is wrong."""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from include.loadtest.errors import printable
from include.loadtest.scenarios.taxes import TOLERANCE_EUR

ERROR_SENTENCE = "Si è verificato un errore nella generazione della risposta"
"""How the target says, with status 200, that its LLM gave no answer."""
MIN_ANSWER_CHARS = 20
MAX_ERROR_CHARS = 120
MAX_ERROR_TEXT_CHARS = 1000
"""So much of a text is read for its fingerprint."""
_VARIABLE_PARTS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27,}|0x[0-9a-f]+|\d+", re.IGNORECASE)


def fingerprint(text: str) -> str:
    """A bounded name for an error text: numbers and ids masked, control characters gone, at most 120 characters."""
    return _VARIABLE_PARTS.sub("#", " ".join(printable(text, MAX_ERROR_TEXT_CHARS).split()))[:MAX_ERROR_CHARS]


def check_answer(text: str, *, done: bool) -> str | None:
    """A streamed chat answer: complete, of useful length, and not the target's own error sentence."""
    if ERROR_SENTENCE in text:
        return "answer: the target's error sentence"
    if not done:
        return "answer: stream ended before done"
    if len(text.strip()) < MIN_ANSWER_CHARS:
        return "answer: shorter than a useful answer"
    return None


def check_tax(body: Any, expected_eur: float | None) -> str | None:
    """A tax calculation: the right amount within one euro, or at least the right shape where the rule is not known."""
    if not isinstance(body, Mapping):
        return "tax: not a JSON object"
    calculation = body.get("calculation")
    if expected_eur is None:
        return None if isinstance(calculation, Mapping) and calculation else "tax: no calculation in the answer"
    amount = calculation.get("imposta_dovuta") if isinstance(calculation, Mapping) else body.get("tax_amount")
    if not _is_number(amount):
        return "tax: no amount in the answer"
    return None if abs(amount - expected_eur) <= TOLERANCE_EUR else "tax: off by more than 1 euro"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_upload(body: Any, files: int) -> str | None:
    """An upload: `success`, and one stored document for each file."""
    if not isinstance(body, Mapping):
        return "upload: not a JSON object"
    if body.get("success") is not True:
        return "upload: refused (success is not true)"
    documents = body.get("uploaded_documents")
    if not isinstance(documents, list) or len(documents) != files:
        return "upload: not one document for each file"
    return None


REFUSED_WITH_REASON = "upload: refused with a reason"


def check_upload_at_once(body: Any) -> str | None:
    """An upload beside many others: taken, or refused; a refusal that says why is a proper one."""
    error = check_upload(body, files=1)
    if error is None or not isinstance(body, Mapping) or body.get("success") is not False:
        return error
    return REFUSED_WITH_REASON if body.get("errors") else error


def check_search(body: Any) -> str | None:
    """A legal search: a list of regulations (which may be empty) and its total."""
    if not isinstance(body, Mapping):
        return "search: not a JSON object"
    regulations, total = body.get("regulations"), body.get("total")
    if not isinstance(regulations, list) or not _is_number(total):
        return "search: regulations or total missing"
    return None


def check_keys(body: Any, keys: tuple[str, ...]) -> str | None:
    """A JSON object that has the keys."""
    if not isinstance(body, Mapping):
        return "answer: not a JSON object"
    missing = [key for key in keys if key not in body]
    return f"answer: {missing[0]} missing" if missing else None
