"""Where a target's servers are: whether on this machine, and what their readings call them."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, urlsplit

from include.loadtest.collectors.plan import ContainerSource, Frozen, Listener, LogSource, ProcessSource
from include.loadtest.collectors.sockets import PROC
from include.loadtest.machine import is_own_address

_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "redis": 6379, "rediss": 6379}


class Placed(Protocol):
    """What is known of a target's places; see `process.Monitored`."""

    @property
    def base_url(self) -> str | None:
        """Address of the application."""

    @property
    def database_url(self) -> str | None:
        """Address of its PostgreSQL."""

    @property
    def redis_url(self) -> str | None:
        """Address of its Redis."""

    @property
    def log_file(self) -> str | None:
        """A log of it on this machine."""


def local_sources(target: Placed, here: str) -> Mapping[str, Frozen]:
    """The sources of the plan that exist where the target runs on this machine, `here` by name."""
    sources: dict[str, Frozen] = {}
    app = listener_of(target.base_url)
    if app is not None and PROC.is_dir():
        servers = {"postgres": listener_of(target.database_url), "redis": listener_of(target.redis_url)}
        sources["process"] = ProcessSource(instance=here, app=app, **servers)
        sources["container"] = ContainerSource(instance=here, app=app)
    if target.log_file:
        sources["target_log"] = LogSource(instance=here, path=Path(target.log_file))
    return sources


def listener_of(url: str | None) -> Listener | None:
    """Where on this machine an address leads to; None where it does not."""
    parts = _split(url or "")
    if parts is None:
        return None
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    port = parts.port or int(options.get("port") or _PORTS.get(parts.scheme) or 0)
    host = parts.hostname or options.get("host", "")
    if host.startswith("/"):
        return Listener(port=port, socket_dir=host)
    try:
        found = {
            str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        }
    except OSError:
        return None
    own = tuple(sorted(filter(is_own_address, found))) if host else ()
    return Listener(port=port, addresses=own) if own else None


def instance_of(url: str) -> str | None:
    """`host:port` of a URL; None for a server that is reached by a socket of this machine."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return None
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # it is looked at only when it is asked for
    except ValueError:
        return None
    return parts if parts.scheme else None
