"""Locustfiles as people write them, without anything of this project: the peers. Read by Locust only.

Each user sends its own list of requests over and over, prepared beforehand, and reads the whole of every answer. They
judge nothing and record nothing but what Locust itself counts.
"""

import base64
import json
import os
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from typing import Any

from locust import FastHttpUser, HttpUser, between, task  # noqa: TID253 - a locustfile, read by Locust only

PLAN = json.loads(Path(os.environ["BENCH_REQUESTS"]).read_text(encoding="utf-8"))
NUMBERS = count()


def own_requests() -> Iterator[dict[str, Any]]:
    """The requests of the next user, without end."""
    lists = PLAN["requests"]
    prepared = [
        {**request, "data": base64.b64decode(request["data"]) if request["data"] else None}
        for request in lists[next(NUMBERS) % len(lists)]
    ]
    return cycle(prepared)


class BareFast(FastHttpUser):
    """On Locust's fast client."""

    wait_time = between(*PLAN["think_s"])

    def on_start(self) -> None:
        """Take a list of requests."""
        self.requests = own_requests()

    @task
    def ask(self) -> None:
        """One request."""
        self.client.request(**next(self.requests))


class BareHttp(HttpUser):
    """On Locust's own client, which is the library requests."""

    wait_time = between(*PLAN["think_s"])

    def on_start(self) -> None:
        """Take a list of requests."""
        self.requests = own_requests()

    @task
    def ask(self) -> None:
        """One request."""
        self.client.request(**next(self.requests))
