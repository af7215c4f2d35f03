import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

RESET = "reset"


@dataclass
class ScriptedAirflow:
    """An HTTP server that answers each path by a script: (status, body) in turn, the last one for good."""

    scripts: dict[str, list[Any]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, list[str]], Any]] = field(default_factory=list)
    logins: int = 0
    url: str = ""
    _used: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def on(self, call: str, *answers: Any) -> None:
        self.scripts[call] = list(answers)

    def answer(self, call: str, query: dict[str, list[str]], body: Any, token: str) -> Any:
        if call == "POST /auth/token":
            self.logins += 1
            return 201, {"access_token": f"token-{self.logins}"}
        self.requests.append((call, query, body))
        if token != f"Bearer token-{self.logins}":
            return 401, {"detail": "expired"}
        answers = self.scripts.get(call)
        if answers is None:
            return 404, {"detail": "not found"}
        step = min(self._used[call], len(answers) - 1)
        self._used[call] += 1
        return answers[step]


@pytest.fixture
def airflow_api() -> Iterator[ScriptedAirflow]:
    api = ScriptedAirflow()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            parts = urlsplit(self.path)
            call = f"{self.command} {parts.path.removeprefix('/api/v2')}"
            answer = api.answer(call, parse_qs(parts.query), body, self.headers.get("Authorization", ""))
            if answer == RESET:
                self.close_connection = True
                return
            content = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the base class's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield api
    server.shutdown()
    server.server_close()
    thread.join(5)
