"""The generator's HTTP client finds the target at its checked addresses, and nothing else."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit
PROBE = """
import sys
from include.locustfiles.pinning import pin_addresses
import gevent.socket
from geventhttpclient import HTTPClient

sys.stdout.reconfigure(line_buffering=True)
pin_addresses("http://target.invalid:1", ())
before = gevent.socket.getaddrinfo
pin_addresses("http://target.invalid:1", ("127.0.0.3", "127.0.0.1"))
print(before is gevent.socket.getaddrinfo)
print([info[-1] for info in gevent.socket.getaddrinfo("target.invalid", 1, 0, gevent.socket.SOCK_STREAM)])
print([info[-1] for info in gevent.socket.getaddrinfo("127.0.0.1", 1, 0, gevent.socket.SOCK_STREAM)])
for host in ("target.invalid", "localhost", "127.0.0.2"):
    try:
        HTTPClient(host, 1).get("/")
    except OSError as error:
        print(host, type(error).__name__)
"""


def test_the_client_is_given_the_addresses_and_no_other_name() -> None:
    """In a process of its own, as Locust's patches are; without addresses nothing changes."""
    said = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()
    assert said == [
        "False",
        "[('127.0.0.3', 1), ('127.0.0.1', 1)]",
        "[('127.0.0.1', 1)]",
        "target.invalid ConnectionRefusedError",
        "localhost gaierror",
        "127.0.0.2 gaierror",
    ]
