"""The pages behind Airflow's real login: SimpleAuthManager, real tokens, a small database of Airflow's own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

ROLES = ("viewer", "user", "op", "admin")
COOKIE = "_token"
_SETTINGS = {
    "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{role}:{role}" for role in ROLES),
    "API_AUTH__JWT_SECRET": "a secret of the tests, and of nothing else, that is long enough for the algorithm",
}


@contextmanager
def airflow_login(folder: Path) -> Iterator[dict[str, str]]:
    """Airflow's own users and tokens, as its API server has them; yields a token a role.

    Airflow's database has the tables that are asked: tokens that were revoked, DAGs, connections. `folder` holds it.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _SETTINGS.items():
            patch.setenv(f"AIRFLOW__{name}", value)
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(folder / "passwords.json"))
        patch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
        _own_database(patch, folder)
        from airflow.api_fastapi import app
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        patch.setattr(app._AuthManagerState, "instance", None)
        manager: Any = app.init_auth_manager()
        yield {role: manager.generate_jwt(SimpleAuthManagerUser(username=role, role=role)) for role in ROLES}


def _own_database(patch: pytest.MonkeyPatch, folder: Path) -> None:
    from airflow import settings
    from airflow.models.connection import Connection
    from airflow.models.dag import DagModel
    from airflow.models.revoked_token import RevokedToken
    from sqlalchemy import create_engine
    from sqlalchemy.orm import scoped_session, sessionmaker

    engine = create_engine(f"sqlite:///{folder / 'airflow.db'}")
    tables = [model.__table__ for model in (Connection, DagModel, RevokedToken)]
    RevokedToken.metadata.create_all(engine, tables=tables)
    patch.setattr(settings, "engine", engine)
    patch.setattr(settings, "Session", scoped_session(sessionmaker(bind=engine, expire_on_commit=False)))


def mounted_app(root_path: str = "") -> FastAPI:
    """A bare app with the pages where Airflow mounts them."""
    from include.loadtest.orchestration.web.app import create_app
    from include.loadtest.orchestration.web.mounting import PREFIX

    outer = FastAPI(root_path=root_path)
    outer.mount(PREFIX, create_app())
    return outer


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The app on a real port of this machine, in a thread; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, name="pages", daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def cookie(token: str, address: str) -> dict[str, str]:
    """The cookie that a browser has after a login, for `opened`."""
    return {"name": COOKIE, "value": token, "url": address}
