"""Small HTTP servers on loopback that count who connects: what must not be reached has counted nothing."""

import datetime
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{}"


@dataclass
class Listener:
    """A server that runs. `received`: the head of each request; `connections`: who connected at all."""

    host: str
    port: int
    connections: int = 0
    received: list[str] = field(default_factory=list)


@contextmanager
def listener(
    host: str, context: ssl.SSLContext | None = None, *, answer: bytes = OK, port: int = 0
) -> Iterator[Listener]:
    """Answers every request with the same bytes."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as server:
        running = Listener(host, server.getsockname()[1])
        stopped = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, running, context, answer, stopped))
        thread.start()
        try:
            yield running
        finally:
            stopped.set()
            thread.join(10)


def _serve(
    server: socket.socket, running: Listener, context: ssl.SSLContext | None, answer: bytes, stopped: threading.Event
) -> None:
    while not stopped.is_set():
        if not select.select([server], [], [], 0.05)[0]:
            continue
        connection, _ = server.accept()
        running.connections += 1
        with suppress(OSError):
            _answer(connection, running, context, answer)


def _answer(connection: socket.socket, running: Listener, context: ssl.SSLContext | None, answer: bytes) -> None:
    with connection:
        connection.settimeout(5)
        spoken = context.wrap_socket(connection, server_side=True) if context else connection
        with spoken:
            running.received.append(spoken.recv(65536).decode("latin-1"))
            spoken.sendall(answer)


def redirect_to(url: str, status: int = 307) -> bytes:
    """An answer that sends the client elsewhere, with its body."""
    return f"HTTP/1.1 {status} Elsewhere\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def certificate_of(name: str, folder: Path) -> tuple[Path, Path]:
    """A certificate for a name, signed by itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private
