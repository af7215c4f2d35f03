import os
import socket

import pytest

from include.loadtest.collectors import sockets
from include.loadtest.collectors.plan import Listener
from include.loadtest.collectors.sockets import Lately, holders, listening_sockets, serving, sockets_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_socket_that_listens_is_found_with_its_holder(address: str) -> None:
    """With its address as people write it, and only while it listens."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        port = listener.getsockname()[1]
        assert (address.removeprefix("::ffff:"), port) not in listening_sockets().values()
        listener.listen()
        inode = str(os.fstat(listener.fileno()).st_ino)
        assert listening_sockets()[inode] == (address.removeprefix("::ffff:"), port)
        assert inode in sockets_of(os.getpid())
        assert holders()[inode] == {os.getpid()}
    assert inode not in listening_sockets()


def test_a_process_that_is_not_there_holds_nothing() -> None:
    """Nor does one whose files may not be seen."""
    assert sockets_of(2**22 + 1) == set()


def test_an_address_of_its_own_comes_before_one_of_all_addresses() -> None:
    """Two servers may share a port."""
    listed = {"1": ("127.0.0.1", 80), "2": ("::", 80), "3": ("127.0.0.1", 81), "4": ("10.0.0.1", 80)}
    assert serving(Listener(port=80, addresses=("127.0.0.1",)), listed) == {"1"}
    assert serving(Listener(port=80, addresses=("10.9.9.9",)), listed) == {"2"}
    assert serving(Listener(port=82, addresses=("127.0.0.1",)), listed) == set()


def test_what_was_found_is_kept_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several who ask at once cost one search."""
    numbers = iter(range(10))
    monkeypatch.setattr(sockets, "MOMENT_S", 60.0)
    kept = Lately(lambda: next(numbers))
    assert [kept.now(), kept.now()] == [0, 0]
    monkeypatch.setattr(sockets, "MOMENT_S", -1.0)
    assert [kept.now(), kept.now()] == [1, 2]
