"""Addresses below this app and of Airflow's own pages, as paths: the host is whatever the browser came to."""

from urllib.parse import quote, urlencode

from fastapi import Request

from include.loadtest.orchestration.web.mounting import PREFIX


def link(request: Request, *parts: str, **query: str | None) -> str:
    """A page of this app: `link(request, "runs", run_id)`; without parts the overview. A query of None is left out."""
    asked = {name: value for name, value in query.items() if value is not None}
    path = "/".join(quote(part, safe="") for part in parts)
    return f"{_root(request)}/{path}" + (f"?{urlencode(asked)}" if asked else "")


def airflow_link(request: Request, *parts: str, base: str | None = None) -> str:
    """A page of Airflow: `airflow_link(request, "dags", dag_id)`; `base`: the address of another installation."""
    path = "/".join(quote(part, safe="") for part in parts)
    return f"{_root(request).removesuffix(PREFIX) if base is None else base}/{path}"


def login_link(request: Request) -> str:
    """Airflow's login, which comes back to the page that was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{airflow_link(request, 'api', 'v2', 'auth', 'login')}?{urlencode({'next': asked})}"


def _root(request: Request) -> str:
    root: str = request.scope.get("root_path") or ""
    return root.rstrip("/")
