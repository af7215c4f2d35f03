"""Serving an ASGI application on a loopback address, with word when it is ready."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import uvicorn


def require_loopback(host: str) -> str:
    """Return `host`; raises `ValueError` when it is not a loopback address, since nothing here is protected."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"--host {host}: only loopback addresses are served, use 127.0.0.1")
    return host


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    return listener


def base_url(listener: socket.socket) -> str:
    """The address of a listening socket as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class AnnouncingServer(uvicorn.Server):
    """A server that calls `on_ready` once it takes requests."""

    def __init__(self, app: Any, on_ready: Callable[[], None]) -> None:
        # An open stream must not hold up a stop for long.
        super().__init__(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3))
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_ready()
