from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Overrides, Profile, find_profile, load_profile
from include.loadtest.runners.generator import LoadRequest
from include.loadtest.target.sessions import ensure_sessions
from include.loadtest.target.settings import Target, load_target_file
from include.loadtest.target.users import seed_users
from tests.helpers.demo import DemoTarget, demo_target

RUN_ID = "smoke-test-1"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


@pytest.fixture(scope="module")
def sessions(demo: DemoTarget, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[int, ...]]:
    """Sessions of five seeded users: the file, and the users' numbers."""
    target = Target.checked(load_target_file("demo"), demo.base_url, demo.database_url, demo.redis_url)
    numbers = seed_users(target, RUN_ID).usable[:5]
    path = tmp_path_factory.mktemp("work") / "sessions.json"
    ensure_sessions(target, numbers, path, RUN_ID)
    return path, numbers


@pytest.fixture
def load_request(demo, sessions, tmp_path) -> Callable[..., LoadRequest]:
    """Makes a request for a load of a few users for a few seconds."""

    def make(run_id: str, users: int = 5, duration_s: int = 8, **changes: object) -> LoadRequest:
        profile = load_profile(find_profile("smoke"), Overrides(users=users, duration_s=duration_s))
        path, numbers = sessions
        return LoadRequest(
            bundle=Bundle(tmp_path / run_id),
            profile=Profile.model_validate(profile.model_dump() | changes),
            base_url=demo.base_url,
            api_prefix="/api/v1",
            forwarded_for=False,
            sessions_file=path,
            user_numbers=numbers,
            work_dir=tmp_path,
            caps=("20121", "10121"),
        )

    return make
