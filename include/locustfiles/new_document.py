"""How soon a new document is found: it holds words that no other has, and they are searched until it is there."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from include.loadtest.scenarios.checks import check_upload
from include.loadtest.scenarios.documents import UPLOAD_QUESTION, multipart_of, text_document
from include.locustfiles.call import Call, Reply
from include.locustfiles.check_calls import upload_call
from include.locustfiles.checking import Checker

INDEX = "index_update"
_LETTERS = "bcdfghjklmnpqrst"


def check_new_document(checker: Checker, path: str | None, poll_s: float) -> None:
    """Upload a document and look for it at `path`; None: the target has no search of documents."""
    if path is None:
        text = "the target file names no path for document_search (check_paths.document_search)"
        checker.notes.not_exposed(INDEX, text)
        return
    phrase = unique_phrase(checker.user.team.run_key)
    found_ids: list[str] = []
    upload = multipart_of("promemoria.pdf", text_document(phrase), UPLOAD_QUESTION)
    call = upload_call("index_document", upload, lambda reply: _keep_id(reply, found_ids))
    result = checker.request(INDEX, call, checker.patience_s("small_document"))
    if not checker.failed(INDEX, call, result):
        search = f"{path}{'&' if '?' in path else '?'}q={quote(phrase)}"
        look = _Look(checker, search, found_ids[0])
        checker.wait_for(INDEX, look.is_found, time.monotonic(), poll_s)


def unique_phrase(run_key: int) -> str:
    """Three words, the last of which no text has: the run's number in letters."""
    word = "".join(_LETTERS[run_key >> shift & 15] for shift in range(0, 32, 4))
    return f"promemoria riservato {word}"


@dataclass
class _Look:
    """Looks for a document again and again."""

    checker: Checker
    search: str
    document_id: str
    was_answered: bool = False

    def is_found(self, timeout_s: float) -> bool | None:
        """Whether a search finds it; None where the search failed, which is noted."""
        texts: list[str] = []
        call = Call("index_search", "GET", self.search, lambda reply: texts.append(reply.text))
        result = self.checker.request(INDEX, call, timeout_s)
        if texts:
            self.was_answered = True
            return self.document_id in texts[0]
        if result.outcome == "timeout":
            return False
        if self.was_answered:  # the route was there, so it is no missing one now
            self.checker.missed(INDEX, str(result.error))
        else:
            self.checker.failed(INDEX, call, result)
        return None


def _keep_id(reply: Reply, found_ids: list[str]) -> str | None:
    body: Any = reply.json()
    error = check_upload(body, files=1)
    if error is None:
        found_ids.append(str(body["uploaded_documents"][0].get("id")))
    return error
