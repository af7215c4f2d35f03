"""Requests go to the addresses that were checked, and nowhere else."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from include.loadtest.pinned import AsyncPinnedTransport, PinnedTransport, Place
from tests.helpers.listeners import Listener, certificate_of, listener

pytestmark = pytest.mark.unit
NAME = "target.invalid"
"""A name that no resolver knows."""


@pytest.fixture
def server() -> Iterator[Listener]:
    """Answers 200 to everything, and keeps what it was sent."""
    with listener("127.0.0.1") as made:
        yield made


def _get(place: Place, url: str) -> httpx.Response:
    with httpx.Client(transport=PinnedTransport(place), trust_env=False, timeout=5) as client:
        return client.get(url)


def _get_async(place: Place, url: str) -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=AsyncPinnedTransport(place), trust_env=False, timeout=5) as client:
            return await client.get(url)

    return asyncio.run(get())


@pytest.mark.parametrize("get", [_get, _get_async])
def test_a_name_is_not_looked_up_again(server: Listener, get: Callable[[Place, str], httpx.Response]) -> None:
    """The connection goes to the checked address, the next one where the first takes none; the server sees the name."""
    url = f"http://{NAME}:{server.port}"
    assert get(Place.of(url, ["127.0.0.3", "127.0.0.1"]), f"{url}/health").status_code == 200
    assert f"host: {NAME}:{server.port}" in server.received[0].lower()


@pytest.mark.parametrize("get", [_get, _get_async])
@pytest.mark.parametrize("other", ["http://127.0.0.1:{port}/x", "http://other.invalid:{port}/", "https://target.invalid:{port}/"])
def test_another_server_is_not_reached(
    server: Listener, get: Callable[[Place, str], httpx.Response], other: str
) -> None:
    """Neither by its address nor by another name, port or scheme."""
    place = Place.of(f"http://{NAME}:{server.port}", ["127.0.0.1"])
    with pytest.raises(httpx.ConnectError, match="is not the server that was checked"):
        get(place, other.format(port=server.port))
    with pytest.raises(httpx.ConnectError, match="is not the server that was checked"):
        get(place, f"http://{NAME}:{server.port + 1}/")
    assert server.connections == 0


@pytest.mark.parametrize("get", [_get, _get_async])
def test_the_last_address_says_why(get: Callable[[Place, str], httpx.Response]) -> None:
    """Where none takes the connection, the error is the last one's."""
    with listener("127.0.0.1") as gone:
        port = gone.port
    with pytest.raises(httpx.ConnectError):
        get(Place.of(f"http://{NAME}:{port}", ["127.0.0.1", "127.0.0.3"]), f"http://{NAME}:{port}/")


def test_the_certificate_is_checked_against_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for the name is taken, although the connection goes to an address; one for another name is refused."""
    for named, is_taken in ((NAME, True), ("other.invalid", False)):
        certificate, key = certificate_of(named, tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        trusting = ssl.create_default_context(cafile=str(certificate))
        with listener("127.0.0.1", context) as server:
            url = f"https://{NAME}:{server.port}/"
            transport = PinnedTransport(Place.of(url, ["127.0.0.1"]))
            transport._inner = httpx.HTTPTransport(verify=trusting, trust_env=False)
            with httpx.Client(transport=transport, timeout=5) as client:
                if is_taken:
                    assert client.get(url).status_code == 200
                else:
                    with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                        client.get(url)


def test_an_address_needs_no_list() -> None:
    """Of a base URL that is an address itself, that is the only place."""
    assert Place.of("http://127.0.0.1:8000", ()).addresses == ("127.0.0.1",)
    assert Place.of("https://[::1]", ()) == Place("https", "::1", 443, ("::1",))
