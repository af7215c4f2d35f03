"""Users who wait for one another and upload a document at the same moment; then each looks whether its was kept."""

from functools import partial
from typing import Any

from gevent.event import Event

from include.loadtest.profile.vocabulary import DOCUMENTS_AT_ONCE
from include.loadtest.scenarios.checks import check_upload_at_once
from include.loadtest.scenarios.requirements import DOCUMENT_READ, UPLOAD_AT_ONCE
from include.locustfiles.call import Call, Reply
from include.locustfiles.check_calls import upload_call
from include.locustfiles.checking import Checker
from include.locustfiles.sending import Result

MEETING_S = 60.0
"""So long the users of a crowd may need to start."""


class Barrier:
    """Nobody passes before all have arrived."""

    def __init__(self, size: int) -> None:
        self._missing = size
        self._open = Event()

    def arrive(self, wait_s: float) -> bool:
        """Wait for the others; False where not all came in time."""
        self._missing -= 1
        if self._missing <= 0:
            self._open.set()
        return bool(self._open.wait(wait_s))


class Crowd:
    """`size` users; `is_called` once they shall start."""

    _missing_route: str | None = None
    _can_read = False

    def __init__(self, size: int) -> None:
        self.size = size
        self.is_called = False
        self._here, self._uploaded, self._over = Barrier(size), Barrier(size), Barrier(size)

    @property
    def read_back(self) -> str | None:
        """What was answered to the looks where the target has no route for them; None: it has one, or nobody looked."""
        return None if self._can_read else self._missing_route

    def join(self, checker: Checker, upload: tuple[bytes, str]) -> tuple[Call, Result] | None:
        """One user's part, with its upload's result; None where the crowd did not come together."""
        patience_s = checker.patience_s(DOCUMENTS_AT_ONCE)
        kept: list[str] = []
        call = upload_call(UPLOAD_AT_ONCE, upload, lambda reply: _check(reply, kept))
        if not self._here.arrive(MEETING_S):
            return None
        result = checker.request(DOCUMENTS_AT_ONCE, call, patience_s)
        self._uploaded.arrive(patience_s)
        for document_id in kept:
            check = partial(_check_kept, document_id)
            look = Call(DOCUMENT_READ, "GET", f"/documents/{document_id}", check)
            self._note_look(checker, look, checker.request(DOCUMENTS_AT_ONCE, look, patience_s))
        return (call, result) if self._over.arrive(patience_s) else None

    def _note_look(self, checker: Checker, look: Call, result: Result) -> None:
        if result.status is not None and checker.is_answer(result):
            self._can_read = True
        elif result.status is not None:
            self._missing_route = f"{look.method} /documents/{{id}}: {result.error}"


def _check(reply: Reply, kept: list[str]) -> str | None:
    body: Any = reply.json()
    error = check_upload_at_once(body)
    if error is None:
        kept.extend(str(document.get("id")) for document in body["uploaded_documents"])
    return error


def _check_kept(document_id: str, reply: Reply) -> str | None:
    return None if document_id in reply.text else "document: not the one that was uploaded"
