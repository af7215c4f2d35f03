from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.loadtest.bundle import Bundle
from include.loadtest.history.store import connect, upgrade
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.pipeline import STAGES, run_stage
from include.loadtest.profile import Overrides
from include.loadtest.target import users
from include.loadtest.target.settings import Target, load_target_file
from tests.helpers.demo import DemoTarget

LATER = ("collect_metrics", "validate_sla", "diff_history", "diagnose", "publish", "cleanup_users")


@pytest.fixture(scope="module", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Test users whose login costs a millisecond: hundreds of them would be a minute of CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "BCRYPT_ROUNDS", 4)
        yield


@pytest.fixture(scope="module")
def history_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = start_postgres(tmp_path_factory.mktemp("history"), settings={"fsync": "off"})
    try:
        ensure_database(server, "loadtest_history")
        yield server.url("loadtest_history")
    finally:
        stop_postgres(server)


@pytest.fixture
def fresh_history(history_url: str) -> str:
    """The history without a run."""
    from sqlalchemy import text

    upgrade(history_url)
    tables = ", ".join(f"loadtest.{name}" for name in ("run", "baseline", "intended_change", "delivery", "ticket"))
    with connect(history_url).begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} CASCADE"))
    return history_url


def context_of(
    demo: DemoTarget, history_url: str, folder: Path, run_id: str, *, users: int, duration_s: int
) -> RunContext:
    """The context of a short run against a demo target, all its files below `folder`."""
    return RunContext(
        bundle=Bundle(folder / run_id),
        bundle_uri=str(folder / run_id),
        order=RunOrder("smoke", None, Overrides(users, duration_s), "demo", "test"),
        target_name="demo",
        load_target=lambda name: Target.checked(
            load_target_file(name), demo.base_url, demo.database_url, demo.redis_url
        ),
        history_url=history_url,
        work_dir=folder / "work" / run_id,
        owner=f"test/{run_id}",
    )


@pytest.fixture
def new_run(history_url: str, tmp_path: Path) -> Callable[..., RunContext]:
    """Makes the context of a short run against a demo target."""

    def make(demo: DemoTarget, run_id: str, users: int = 5, duration_s: int = 12) -> RunContext:
        return context_of(demo, history_url, tmp_path, run_id, users=users, duration_s=duration_s)

    return make


def run_all(context: RunContext) -> dict:
    """All stages as the task graph runs them: after a failure only those that always run. Returns the verdict."""
    failed = False
    for name in STAGES:
        if failed and name not in LATER:
            continue
        if name == "collect_metrics" and not any(context.bundle.samples_dir.glob("*.parquet")):
            continue
        if name == "cleanup_users" and "environment" not in context.bundle.read("manifest.json"):
            continue
        try:
            run_stage(context, name)
        except Exception as error:  # noqa: BLE001 - a task fails with whatever its stage raises
            print(f"{name}: {error}")
            failed = True
    return context.bundle.read("verdict.json")
