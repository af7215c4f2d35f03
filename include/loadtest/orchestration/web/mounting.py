"""How the app stands in Airflow: made when its first page is asked for, as every part of Airflow loads the plugins.

The scheduler, the DAG processor and the tasks load them too, and none of those needs a web app.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

PREFIX = "/loadtest"
"""Where Airflow mounts the app, below its own root."""
_OF_DAG_RUN = "loadtest/dag-runs/{DAG_ID}/{RUN_ID}"
"""Airflow fills in the names; relative addresses are below its root, wherever that is."""
VIEWS: list[dict[str, Any]] = [
    {"name": "Load tests", "href": "loadtest/", "destination": "nav", "url_route": "load-tests"},
    {"name": "Load test", "href": _OF_DAG_RUN, "destination": "dag_run", "url_route": "load-test"},
    {
        "name": "Load test",
        "href": _OF_DAG_RUN + "?task={TASK_ID}",
        "destination": "task_instance",
        "url_route": "load-test-of-task",
    },
]
"""What Airflow's own pages show of the app: an entry of the navigation, a tab of each DAG run and of each task."""

Message = MutableMapping[str, Any]


class LazyApp:
    """An ASGI app that makes the real one at its first request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._app: Callable[..., Awaitable[None]] | None = None

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """One request."""
        app = self._app
        if app is None:
            app = await asyncio.to_thread(self._made)
        await app(scope, receive, send)

    def _made(self) -> Callable[..., Awaitable[None]]:
        from include.loadtest.orchestration.web.app import create_app

        with self._lock:  # of several first requests one makes it
            app = self._app or create_app()
            self._app = app
            return app
