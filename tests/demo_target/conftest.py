from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.helpers.demo import DemoTarget, demo_target


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    """One target for all tests of this folder; a test that switches a fault puts it out of force again."""
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


@pytest.fixture(scope="session")
def tokens(demo: DemoTarget) -> tuple[str, str]:
    """User token and session token of one seeded account."""
    demo.add_user("shared@pratikoai.it")
    user = demo.login("shared@pratikoai.it")
    return user, demo.session(user)


@pytest.fixture
def no_faults(demo: DemoTarget) -> Iterator[None]:
    """Puts every fault out of force after a test."""
    yield
    with demo.client() as client:
        client.delete("/admin/faults").raise_for_status()


@pytest.fixture
def switch(demo: DemoTarget, no_faults: None) -> Callable[..., httpx.Response]:
    """Puts faults into force and answers with those in force."""
    del no_faults
    return demo.switch
