"""Addresses: which hosts are allowed, how a URL is shown, and how PostgreSQL's client library wants it."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg2
from psycopg2.extensions import parse_dsn

from include.loadtest.errors import ConfigError, printable

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
"""A host's name in lower case; `_` is in names of containers."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
DEFAULT_PORTS = {"http": 80, "https": 443}
_MASKED_PARAMETER = r"(?:[\w.-]{0,40}(?:password|passwd|passphrase|secret|token|api[_-]?key|signature)|sig)"
"""The name of a parameter whose value is a secret."""
_OF_A_FILE = ("service", "servicefile")
"""Parameters by which libpq reads where to connect to from a file."""
_PORT = r"""\d{1,5}(?:[/?#)\s"'<>\\]|$)"""
_IN_TEXT = (
    (
        re.compile(rf"""(://(?!\[)[^\s/?#:"'<>\\]*):(?:[^\s/?#"'<>\\]+|(?!{_PORT})(?:(?!://)[^\s"'<>\\`])+)@"""),
        r"\1:***@",
    ),
    (re.compile(r"""(%3A%2F%2F[^\s/?#:%"'<>\\]*)%3A(?:(?!%2F)[^\s/?#&"'<>\\])+%40""", re.IGNORECASE), r"\1%3A***%40"),
    (
        re.compile(
            rf"""((?:[?&]|&amp;|\\u0026|%3F|%26){_MASKED_PARAMETER}(?:=|%3D))[^\s&"'<>#`\\]+""",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
)
"""The password before the host, the same in an address that is a parameter of another, and secret parameters.

A password goes up to the last @ before the path, or where there is none before it, to the last @ of all: then it has
signs in it that belong to no address, which some programs take nevertheless.
"""


def redacted(url: str) -> str:
    """A URL for a message: without password, and without parameters that hold one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "(an address that is not a URL)"
    user = f"{parts.username or ''}:***@" if parts.password else f"{parts.username}@" if parts.username else ""
    place = f"[{host}]" if ":" in host else host
    query = [(name, "***" if _is_secret(name) else value) for name, value in parse_qsl(parts.query)]
    tail = f"?{urlencode(query, safe='/*')}" if query else ""
    return f"{parts.scheme}://{user}{place}{f':{port}' if port else ''}{parts.path}{tail}"


def _is_secret(name: str) -> bool:
    return re.fullmatch(_MASKED_PARAMETER, name, re.IGNORECASE) is not None


def without_passwords(text: str) -> str:
    """A whole text in which no address has a password, be it Markdown, JSON or HTML; the rest stays as it is.

    An address is one with `://`; of its parameters those are left out whose names say that they hold a secret.
    """
    for pattern, shown in _IN_TEXT:
        text = pattern.sub(shown, text)
    return text


def libpq_url(url: str) -> str:
    """A database URL as libpq takes it: `postgres://` and SQLAlchemy's `postgresql+driver://` become `postgresql://`.

    asyncpg's `ssl=` becomes `sslmode=`. Raises ConfigError for another scheme, for a service (its host is in a file),
    and for what libpq would not read as it is meant: its own text would quote the password.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise ConfigError(
            f"database address: expected postgresql://user:password@host/name, found scheme {scheme[:20]!r}"
        )
    place, question, query = rest.partition("?")
    pairs = [_libpq_parameter(name, value) for name, value in parse_qsl(query, keep_blank_values=True)]
    if refused := next((name for name, _ in pairs if name in _OF_A_FILE), None):
        raise ConfigError(
            f"database address: {refused} takes the host from a file, where the allow-list does not see it; "
            "write host, port and name of the database in the address"
        )
    normal = f"postgresql://{place}" + (f"?{urlencode(pairs, quote_via=quote, safe='/')}" if question and pairs else "")
    if not _is_readable(normal):
        raise ConfigError(
            "database address: its user or password has a sign that means something in an address; "
            "write %25 for %, %40 for @, %3A for :, %2F for /"
        )
    return normal


def _is_readable(url: str) -> bool:
    try:
        return "@" not in parse_dsn(url).get("host", "")
    except psycopg2.ProgrammingError:
        return False


def _libpq_parameter(name: str, value: str) -> tuple[str, str]:
    if name != "ssl":
        return name, value
    return "sslmode", {"true": "require", "false": "disable"}.get(value.lower(), value)


def split_base_url(url: str, source: str) -> tuple[str, str, int]:
    """Normal form, host and port of a base URL; `source` names the setting. Raises ConfigError."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise ConfigError(f"{source}: not a URL; write http://host:port") from error
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ConfigError(f"{source}: {redacted(url)} is no http or https address; write http://host:port")
    if "@" in parts.netloc:
        raise ConfigError(
            f"{source}: {redacted(url)} has credentials in it; remove them, the test users log in themselves"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError(
            f"{source}: {redacted(url)} has a path; write http://host:port (api_prefix is in the target file)"
        )
    if port == 0 or not _is_host(host):
        raise ConfigError(
            f"{source}: {printable(redacted(url), 200)} is no name or IP address with a port; write a name in ASCII "
            "(an international one as xn--…), an IPv4 address as four decimal numbers, an IPv6 one in [] without a zone"
        )
    place = f"[{host}]" if ":" in host else host
    suffix = "" if port is None else f":{port}"
    return f"{parts.scheme}://{place}{suffix}", host, port or DEFAULT_PORTS[parts.scheme]


def _is_host(host: str) -> bool:
    """Whether every program takes the host for the same: one name, or an IP address in its usual form.

    A name whose last part is a number is read as an IPv4 address by some (`127.1`, `0x7f.1`, `2130706433`).
    """
    address = as_address(host)
    if address is not None:
        return getattr(address, "scope_id", None) is None and getattr(address, "ipv4_mapped", None) is None
    is_number = re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2])
    return len(host) <= 253 and _HOST.fullmatch(host) is not None and not is_number


def page_url(url: str, source: str, default_path: str = "") -> str:
    """An address that is only read from, without a slash at its end; one without a path gets the default one.

    It may hold credentials. `source` names the setting. Raises ConfigError.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"{source}: not a URL; write http://host:port") from error
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ConfigError(f"{source}: {redacted(url)} is no http or https address; write http://host:port")
    if parts.query or parts.fragment:
        raise ConfigError(f"{source}: {redacted(url)} has parameters; write http://host:port and at most a path")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or default_path}"


def is_allowed(host: str, port: int, allowed: Iterable[str]) -> bool:
    """Whether an entry of the allow-list covers the host: the same name or address, or a network that holds it."""
    return any(_covers(entry, host, port) for entry in allowed)


def _covers(entry: str, host: str, port: int) -> bool:
    allowed_host, allowed_port = split_entry(entry)
    if allowed_port is not None and allowed_port != port:
        return False
    if allowed_host.lower() == host.lower():
        return True
    address, network = as_address(host), _as_network(allowed_host)
    return address is not None and network is not None and address in network


def split_entry(entry: str) -> tuple[str, int | None]:
    """Host and port (None: any) of an allow-list's entry. Raises ValueError; a list that allows all is none."""
    host, port = _split_entry(entry)
    network = _as_network(host)
    if network is not None and network.prefixlen == 0:
        raise ValueError(f"{entry!r}: that is every host; name those that load may go to")
    return host, port


def _split_entry(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        host, closing, rest = entry[1:].partition("]")
        if not closing or (rest and not rest.startswith(":")):
            raise ValueError(f"{entry!r}: write [address]:port")
        return host, _port(rest[1:], entry) if rest else None
    if entry.count(":") == 1:
        host, _, text = entry.partition(":")
        return host, _port(text, entry)
    return entry, None


def _port(text: str, entry: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"{entry!r}: {text!r} is no port")
    return int(text)


def as_address(host: str) -> Address | None:
    """The IP address that the text is, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _as_network(host: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(host, strict=False)
    except ValueError:
        return None


def addresses_of(host: str, port: int) -> tuple[str, ...]:
    """All IP addresses of a host, in the order to try them in. Raises OSError where the name is not known."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a part of the name that is empty or too long
        raise OSError(f"no name of a host: {printable(host, 100)!r}") from error
    return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
