"""GDPR: a user of its own exports the data held on it and on a client of its studio, and erases the client."""

import time
from dataclasses import replace
from functools import partial
from typing import Any

from include.loadtest.scenarios.requirements import check_erased, check_held, is_anonymous, is_no_such_thing
from include.locustfiles.call import Call, Reply
from include.locustfiles.check_calls import Client, client_export_call, new_client_call, subject_export_call
from include.locustfiles.checking import Checker

EXPORT, DELETION = "gdpr_export", "gdpr_deletion"
OTHER_ANSWER = "access: an answer that is not about the erased client"


class DataSubject:
    """The requirements for the checker's user as it is now: nobody else may need that user afterwards.

    `client`: whose data were to be erased, None where none was made; `has_acted`: whether any request was answered, so
    that the audit log has something to tell.
    """

    def __init__(self, checker: Checker, poll_s: float) -> None:
        self._checker, self._poll_s = checker, poll_s
        self._session = checker.user.session
        self._name = f"Cliente di prova {checker.user.team.run_key}-{checker.user.number}"
        self.client: Client | None = None
        self.has_acted = False

    def run(self) -> None:
        """Export, then delete."""
        self.client = self._make_client()
        self._checker.check(EXPORT, self._exports)
        if self.client is not None:
            self._delete(self.client)

    def _exports(self, number: int) -> list[Call]:
        """In turn the user's own data and the client's."""
        if self.client is None or number % 2 == 0:
            return [self._noted(subject_export_call(self._session.user_id))]
        return [self._noted(client_export_call(self.client))]

    def _noted(self, call: Call) -> Call:
        """The call, and that it was answered."""

        def check(reply: Reply) -> str | None:
            error = call.check(reply)
            self.has_acted = self.has_acted or error is None
            return error

        return replace(call, check=check)

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
        """Erase what is there before, and look until it is there no more."""
        patience_s = self._checker.patience_s(DELETION)
        before = client.call("access_client", "GET", "access", lambda reply: check_held(reply.json(), client.data))
        result = self._checker.request(DELETION, before, patience_s)
        if self._checker.failed(DELETION, before, result):
            return
        since_s = time.monotonic()
        erase = self._noted(
            client.call("erase_client", "DELETE", "erase", lambda reply: check_erased(reply.json(), client.id))
        )
        result = self._checker.request(DELETION, erase, patience_s)
        if not self._checker.failed(DELETION, erase, result):
            self._checker.wait_for(DELETION, partial(self._is_gone, client), since_s, self._poll_s)

    def _is_gone(self, client: Client, timeout_s: float) -> bool | None:
        """Whether nothing of the client can be read any more: it is anonymous, or the application knows of none."""
        states: list[bool] = []
        look = client.call("access_client", "GET", "access", lambda reply: _keep_state(reply, client, states))
        result = self._checker.request(DELETION, look, timeout_s)
        if states:
            return states[0]
        if result.outcome == "timeout":
            return False
        if is_no_such_thing(result.status, result.content):
            return True
        # The route was there before, so it is no missing one now.
        self._checker.missed(DELETION, result.error or OTHER_ANSWER)
        return None


def _keep_id(body: Any, made: list[int]) -> str | None:
    number = body.get("id") if isinstance(body, dict) else None
    if not isinstance(number, int):
        return "client: no id in the answer"
    made.append(number)
    return None


def _keep_state(reply: Reply, client: Client, states: list[bool]) -> str | None:
    is_gone = is_anonymous(reply.json(), client.data)
    if is_gone is None:
        return OTHER_ANSWER
    states.append(is_gone)
    return None
