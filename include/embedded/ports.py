"""TCP ports of what listens for people and Prometheus, when several checkouts may start at once."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from include.embedded.servers import free_port
from include.embedded.state import EmbeddedError

DEFAULT_PORT = 8080


class PortTakenError(EmbeddedError):
    """The port that was asked for is in use."""


@contextmanager
def reserved_port(wanted: int | None, say: Callable[[str], None]) -> Iterator[int]:
    """A port for the API server, kept from other checkouts until that server listens on it."""
    with reserved_or_free(wanted or DEFAULT_PORT) as port:
        if wanted and port != wanted:
            raise PortTakenError(
                f"AIRFLOW_PORT: port {wanted} is taken; give another one, or none to take any free one"
            )
        if port not in (wanted, DEFAULT_PORT):
            say(f"port {DEFAULT_PORT} is taken, using {port}")
        yield port


@contextmanager
def reserved_or_free(wanted: int) -> Iterator[int]:
    """That port or, where it is taken, a free one; kept from other checkouts until somebody listens on it."""
    port, reservation = wanted, _reserve(wanted)
    while reservation is None:
        port = free_port()
        reservation = _reserve(port)
    with reservation:
        yield port


def _reserve(port: int) -> socket.socket | None:
    """A UDP socket of the same number: it reserves the port among checkouts at once and ends with this process."""
    reservation = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        reservation.bind(("127.0.0.1", port))
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        reservation.close()
        return None
    return reservation
