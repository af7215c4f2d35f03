"""GDPR: a user of its own exports the data held on it and on a client of its studio, and erases the client."""

import time
from functools import partial
from typing import Any

from include.locustfiles.call import Call, Reply
from include.locustfiles.check_calls import Client, client_export_call, new_client_call, subject_export_call
from include.locustfiles.checking import Checker

EXPORT, DELETION = "gdpr_export", "gdpr_deletion"


class DataSubject:
    """The requirements for the checker's user as it is now: nobody else may need that user afterwards."""

    def __init__(self, checker: Checker, poll_s: float) -> None:
        self._checker, self._poll_s = checker, poll_s
        self._session = checker.user.session
        self._name = f"Cliente di prova {checker.user.team.run_key}-{checker.user.number}"

    def run(self) -> None:
        """Export, then delete."""
        client = self._make_client()
        self._checker.check(EXPORT, partial(self._exports, client))
        if client is not None:
            self._delete(client)

    def _exports(self, client: Client | None, number: int) -> list[Call]:
        """In turn the user's own data and the client's."""
        if client is None or number % 2 == 0:
            return [subject_export_call(self._session.user_id)]
        return [client_export_call(client)]

    def _make_client(self) -> Client | None:
        """A client to erase; None where there can be none, which is noted. Making it is no part of the time."""
        studio_id = self._session.studio_id
        if studio_id is None:
            text = "the target gives its users no studio, so there is no client to erase"
            self._checker.notes.not_exposed(DELETION, text)
            return None
        made: list[int] = []
        call = new_client_call(studio_id, self._name, lambda body: _keep_id(body, made))
        result = self._checker.request(DELETION, call, self._checker.patience_s(DELETION))
        if self._checker.failed(DELETION, call, result):
            return None
        return Client(made[0], self._name, studio_id, self._session.user_id)

    def _delete(self, client: Client) -> None:
        since_s = time.monotonic()
        erase = client.call("erase_client", "DELETE", "erase", lambda _: None)
        result = self._checker.request(DELETION, erase, self._checker.patience_s(DELETION))
        if not self._checker.failed(DELETION, erase, result):
            self._checker.wait_for(DELETION, partial(self._is_gone, client), since_s, self._poll_s)

    def _is_gone(self, client: Client, timeout_s: float) -> bool | None:
        """Whether nothing of the client can be read any more: an erased one may be anonymous, or not found."""
        texts: list[str] = []
        look = client.call("access_client", "GET", "access", lambda reply: _keep_text(reply, texts))
        result = self._checker.request(DELETION, look, timeout_s)
        if texts:
            return self._name not in texts[0]
        if result.status == 404 and self._checker.is_answer(result):
            return True
        self._checker.failed(DELETION, look, result)
        return None


def _keep_id(body: Any, made: list[int]) -> str | None:
    number = body.get("id") if isinstance(body, dict) else None
    if not isinstance(number, int):
        return "client: no id in the answer"
    made.append(number)
    return None


def _keep_text(reply: Reply, texts: list[str]) -> str | None:
    texts.append(reply.text)
    return None
