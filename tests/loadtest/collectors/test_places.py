import pytest

from include.loadtest.collectors.places import instance_of, listener_of, local_sources
from include.loadtest.collectors.plan import Listener
from tests.loadtest.collectors.conftest import Watched

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", Listener(port=8000, addresses=("127.0.0.1",))),
        ("https://127.0.0.1", Listener(port=443, addresses=("127.0.0.1",))),
        ("redis://:s3cret@127.0.0.1/0", Listener(port=6379, addresses=("127.0.0.1",))),
        ("postgresql://u:p@127.0.0.1:5433/d", Listener(port=5433, addresses=("127.0.0.1",))),
        ("postgresql://u@/d?host=/tmp/pg&port=6000", Listener(port=6000, socket_dir="/tmp/pg")),
        ("postgresql://u@/d?host=/tmp/pg", Listener(port=5432, socket_dir="/tmp/pg")),
        ("http://192.0.2.1:8000", None),
        ("redis://cache.invalid:6379", None),
        ("postgresql://u@/d", None),
        ("http://127.0.0.1:port", None),
        (None, None),
    ],
)
def test_an_address_of_this_machine_leads_to_a_listener(url: str | None, expected: Listener | None) -> None:
    """Another machine's does not, nor does one that is none."""
    assert listener_of(url) == expected


def test_local_sources_are_those_of_the_target() -> None:
    """Its processes and container by its port; a server elsewhere is not looked for here; a log where it is named."""
    target = Watched(
        "postgresql://u@192.0.2.1/d", "redis://127.0.0.1:1/0", base_url="http://127.0.0.1:2", log_file="/l"
    )
    sources = local_sources(target, "here")
    assert set(sources) == {"process", "container", "target_log"}
    process = sources["process"].model_dump()
    assert process["postgres"] is None
    assert (process["app"]["port"], process["redis"]["port"], process["instance"]) == (2, 1, "here")
    assert local_sources(Watched(), "here") == {}


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://a:1/x", "a:1"), ("redis://:p@a/0", "a"), ("postgresql://u@/d?host=/s", None), ("http://a:x", None)],
)
def test_instances_are_host_and_port(url: str, expected: str | None) -> None:
    """Without credentials; none of a server that a socket of this machine leads to."""
    assert instance_of(url) == expected
