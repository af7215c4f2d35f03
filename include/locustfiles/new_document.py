"""How soon a new document is found: it holds words that no other has, and they are searched until it is there."""

import time
from functools import partial
from typing import Any
from urllib.parse import quote

from include.loadtest.scenarios.checks import check_upload
from include.loadtest.scenarios.documents import multipart_of, text_document
from include.locustfiles.call import Call, Reply
from include.locustfiles.check_calls import QUESTION, upload_call
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
    upload = multipart_of("promemoria.pdf", text_document(phrase), QUESTION)
    call = upload_call("index_document", upload, lambda reply: _keep_id(reply, found_ids))
    result = checker.request(INDEX, call, checker.patience_s("small_document"))
    if not checker.failed(INDEX, call, result):
        search = f"{path}{'&' if '?' in path else '?'}q={quote(phrase)}"
        checker.wait_for(INDEX, partial(_is_found, checker, search, found_ids[0]), time.monotonic(), poll_s)


def unique_phrase(run_key: int) -> str:
    """Three words, the last of which no text has: the run's number in letters."""
    word = "".join(_LETTERS[run_key >> shift & 15] for shift in range(0, 32, 4))
    return f"promemoria riservato {word}"


def _is_found(checker: Checker, search: str, document_id: str, timeout_s: float) -> bool | None:
    texts: list[str] = []
    call = Call("index_search", "GET", search, lambda reply: texts.append(reply.text))
    result = checker.request(INDEX, call, timeout_s)
    return None if checker.failed(INDEX, call, result) else document_id in texts[0]


def _keep_id(reply: Reply, found_ids: list[str]) -> str | None:
    body: Any = reply.json()
    error = check_upload(body, files=1)
    if error is None:
        found_ids.append(str(body["uploaded_documents"][0].get("id")))
    return error
