"""Sessions of the test users, opened before the load: a login costs the target 0.7 s of CPU."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from include.loadtest.errors import InfrastructureError, InvalidTestError
from include.loadtest.run import TEST_USER_PASSWORD
from include.loadtest.target.requests import Answer, exchange, forwarded_address, http_client, request_headers
from include.loadtest.target.settings import Target
from include.loadtest.target.tags import email

REUSED_UP_TO_S = 60 * 60  # tokens are valid for 2 h
REQUEST_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Session:
    """Tokens of one test user, which `repr` hides. `obtained_at`: seconds since the epoch."""

    user_id: int | str
    user_token: str = field(repr=False)
    session_token: str = field(repr=False)
    studio_id: str | None
    obtained_at: float
    forwarded_for: str | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the session is young enough to be used again."""
        return 0 <= time.time() - self.obtained_at < REUSED_UP_TO_S


class SessionCache:
    """A JSON file `{user number: session}` of mode 0600. It holds secrets: keep it outside the bundle."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[int, Session]:
        """The sessions; none where the file is missing or not ours (a cache may be lost)."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {int(number): Session(**entry) for number, entry in content.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}

    def save(self, sessions: Mapping[int, Session]) -> None:
        """Replace the file's content, whole or not at all."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({str(number): asdict(sessions[number]) for number in sorted(sessions)}, file)
        temporary.replace(self._path)


def ensure_sessions(
    target: Target,
    numbers: Sequence[int],
    cache_path: Path,
    run_id: str,
    *,
    parallel: int = 4,
    stop_requested: Callable[[], bool] = lambda: False,
) -> dict[int, Session]:
    """A session for each user number, in their order; those in the cache that still work are used again.

    What was obtained is in the cache even when this raises: InvalidTestError (`rate_limiter`; `operator` once
    `stop_requested` says so; `setup_failed` for any other refusal, with status and answer) or InfrastructureError (no
    connection).
    """
    cache = SessionCache(cache_path)
    known = {number: session for number, session in cache.load().items() if session.is_fresh}
    obtained: dict[int, Session] = {}
    with http_client(target, REQUEST_TIMEOUT_S) as client:
        opener = _Opener(target, run_id, client)

        def obtain(number: int) -> None:
            if stop_requested():
                raise InvalidTestError("operator", "the switch that stops all load is on: no further user logs in")
            obtained[number] = opener.still_valid(number, known.get(number)) or opener.open(number)

        try:
            _in_parallel(obtain, numbers, parallel)
        finally:
            cache.save({**known, **obtained})
    return {number: obtained[number] for number in numbers}


def _in_parallel(work: Callable[[int], None], numbers: Sequence[int], parallel: int) -> None:
    """Do the work for each number, a few at a time; after a failure nothing new begins, and the failure is raised."""
    with ThreadPoolExecutor(parallel, thread_name_prefix="login") as pool:
        futures = [pool.submit(work, number) for number in numbers]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    for future in futures:
        if not future.cancelled():
            future.result()


@dataclass(frozen=True)
class _Opener:
    """Logs test users in."""

    target: Target
    run_id: str
    client: httpx.Client

    def still_valid(self, number: int, session: Session | None) -> Session | None:
        """The session if the target still accepts its token, else None: its user may have been made anew since."""
        if session is None:
            return None
        answer = self._send("GET", "/payments/subscription", number, token=session.session_token)
        if answer.status == 429:
            raise self._refused("GET /payments/subscription", number, answer)
        return session if answer.status == 200 else None

    def open(self, number: int) -> Session:
        """Log in, open a session, and ask for the user's studio."""
        form = {"username": email(number), "password": TEST_USER_PASSWORD}
        user_token = self._text("POST", "/auth/login", number, ("access_token",), form=form)
        path = ("token", "access_token")
        session_token = self._text("POST", "/auth/session", number, path, token=user_token)
        me = self._checked("GET", "/users/me", number, token=user_token).json()
        studio_id = me.get("studio_id")
        return Session(
            user_id=me.get("id", ""),
            user_token=user_token,
            session_token=session_token,
            studio_id=None if studio_id is None else str(studio_id),
            obtained_at=time.time(),
            forwarded_for=forwarded_address(number) if self.target.file.forwarded_for else None,
        )

    def _text(self, method: str, path: str, number: int, keys: Sequence[str], **request: Any) -> str:
        answer = self._checked(method, path, number, **request)
        value: Any = answer.json()
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, str) or not value:
            text = f"{method} {path} for {email(number)}: the answer has no {'.'.join(keys)}"
            raise InvalidTestError("setup_failed", text)
        return value

    def _checked(self, method: str, path: str, number: int, **request: Any) -> Answer:
        answer = self._send(method, path, number, **request)
        if answer.status != 200:
            raise self._refused(f"{method} {path}", number, answer)
        return answer

    def _send(
        self, method: str, path: str, number: int, *, token: str | None = None, form: Mapping[str, str] | None = None
    ) -> Answer:
        headers = request_headers(self.target, self.run_id, "login", number)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        url = self.target.url(path)
        try:
            return exchange(self.client, method, url, timeout_s=REQUEST_TIMEOUT_S, headers=headers, form=form)
        except httpx.HTTPError as error:
            raise InfrastructureError(f"{method} {url} for {email(number)}: {error or type(error).__name__}") from error

    def _refused(self, call: str, number: int, answer: Answer) -> InvalidTestError:
        text = f"{call} for {email(number)}: status {answer.status} ({answer.short or 'empty answer'})"
        if answer.status == 429:
            repair = f"set RATELIMIT_ENABLED=false on the target, or forwarded_for: true in {self.target.file.path}"
            return InvalidTestError("rate_limiter", f"{text}: {repair}")
        return InvalidTestError("setup_failed", text)
