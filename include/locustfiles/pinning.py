"""The generator connects to the target's checked addresses only, whatever its name comes to point to under load."""

import socket as names
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import gevent.socket


def pin_addresses(base_url: str, addresses: Sequence[str]) -> None:
    """From now on this process's HTTP client finds the target at these addresses, and no other name at all.

    The client asks gevent for every new connection; without addresses it goes on as it does.
    """
    if not addresses:
        return
    host, look_up = urlsplit(base_url).hostname, gevent.socket.getaddrinfo

    def pinned(name: Any, *arguments: Any, **options: Any) -> list[Any]:
        if name not in (host, *addresses):
            raise names.gaierror(names.EAI_NONAME, f"{name} is not the target that was checked")
        wanted = addresses if name == host else (name,)
        return [found for address in wanted for found in look_up(address, *arguments, **options)]

    gevent.socket.getaddrinfo = pinned
