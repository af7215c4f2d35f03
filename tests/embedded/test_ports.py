import socket

import pytest

from include.embedded.ports import DEFAULT_PORT, PortTakenError, reserved_port
from include.embedded.servers import free_port

pytestmark = pytest.mark.unit


def test_a_wanted_port_that_is_taken_is_refused() -> None:
    """Whoever names a port gets that one or an error with its number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTakenError, match=str(port)), reserved_port(port, print):
            pass


def test_two_starts_at_once_get_different_ports() -> None:
    """A port is kept from the moment of choice, before any server listens on it, and free again afterwards."""
    wanted = free_port()
    with reserved_port(wanted, print) as port:
        assert port == wanted
        with pytest.raises(PortTakenError), reserved_port(wanted, print):
            pass
    with reserved_port(wanted, print) as port:
        assert port == wanted


def test_says_when_it_takes_another_than_the_default() -> None:
    """Two starts without a wish: at most one has the default port, and the other one says which it has."""
    notes: list[str] = []
    with reserved_port(None, notes.append) as first, reserved_port(None, notes.append) as second:
        assert first != second
        others = [port for port in (first, second) if port != DEFAULT_PORT]
        assert notes == [f"port {DEFAULT_PORT} is taken, using {port}" for port in others]
