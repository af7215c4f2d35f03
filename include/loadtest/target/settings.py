"""A target: what its file says about it, and the addresses that a run uses."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

import psutil
from pydantic import BaseModel, Field, ValidationError, field_validator

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile.shape import Frozen
from include.loadtest.profile.yaml_source import one_line, read_yaml
from include.loadtest.target.urls import addresses_of, as_address, is_allowed, libpq_url, split_base_url, split_entry

TARGETS_DIR = Path(__file__).parents[2] / "profiles" / "targets"
DEFAULT_TARGET = "pratikoai"
"""Its connections carry no suffix; those of another target NAME end in `__NAME`."""

Part = Literal["base_url", "database", "redis"]
_CONNECTIONS: dict[Part, str] = {
    "base_url": "loadtest_target",
    "database": "loadtest_target_db",
    "redis": "loadtest_target_redis",
}
ENVIRONMENT_VARIABLES: dict[Part, str] = {
    "base_url": "LOAD_TEST_BASE_URL",
    "database": "DATABASE_URL",
    "redis": "REDIS_URL",
}
"""Used where an Airflow connection is missing."""

Identifier = Annotated[str, Field(min_length=1, max_length=63)]


class UndeclaredKey(Frozen):
    """A column that holds another table's key without a foreign key in the schema."""

    table: Identifier
    column: Identifier
    to_table: Identifier
    to_column: Identifier


class OwnedTable(Frozen):
    """A table whose rows users point to; a row is removed with the last user that points to it."""

    table: Identifier
    column: Identifier
    user_column: Identifier


ApiPath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)+(\?[A-Za-z0-9._~&=%-]*)?$")]


class CheckPaths(Frozen):
    """Paths below the API prefix, read with GET, that differ between installations; null: it does not expose that.

    `document_search` finds new documents: its parameter `q` is a phrase, and the id of a document that holds it stands
    in the answer.
    """

    audit_query: ApiPath | None = None
    compliance_report: ApiPath | None = "/gdpr/audit/run"
    document_search: ApiPath | None = None


class TargetFile(Frozen):
    """What `include/profiles/targets/NAME.yaml` says; the committed files explain each key."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")]
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "::1")
    api_prefix: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = "/api/v1"
    forwarded_for: bool = False
    blackouts: bool = True
    shares_host: Literal["auto"] | bool = "auto"
    users_table: Identifier = "user"
    undeclared_keys: tuple[UndeclaredKey, ...] = ()
    owned_by_users: tuple[OwnedTable, ...] = ()
    growth_bytes_a_chat: Annotated[int, Field(ge=0)] | None = None
    check_paths: CheckPaths = CheckPaths()
    reference_target: str | None = None
    reset_command: tuple[str, ...] | None = None

    @field_validator("reset_command", mode="before")
    @classmethod
    def _command(cls, command: object) -> object:
        if command is None:
            return None
        if not isinstance(command, list | tuple) or not command:
            raise ValueError("write a list of the program and its arguments, or leave the key out: no shell reads it")
        if not all(isinstance(part, str) and part and part.isprintable() for part in command):
            raise ValueError("each part is a text that is not empty, without control characters")
        if "/" in command[0] and not command[0].startswith("/"):
            raise ValueError("the first part is an absolute path or a plain program name")
        return command

    @field_validator("allowed_hosts")
    @classmethod
    def _entries(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            split_entry(entry)
        return entries

    @property
    def path(self) -> str:
        """The file, for messages."""
        return f"include/profiles/targets/{self.name}.yaml"

    def connection_id(self, part: Part) -> str:
        """Id of the Airflow connection that holds an address of this target."""
        suffix = "" if self.name == DEFAULT_TARGET else f"__{self.name}"
        return _CONNECTIONS[part] + suffix

    def where_to_set(self, part: Part) -> str:
        """For messages: the connection of an address, and for the default target its environment variable."""
        variable = f" or environment variable {ENVIRONMENT_VARIABLES[part]}" if self.name == DEFAULT_TARGET else ""
        return f"connection {self.connection_id(part)}{variable}"


_ENTRIES: dict[str, type[BaseModel]] = {
    "undeclared_keys": UndeclaredKey,
    "owned_by_users": OwnedTable,
    "check_paths": CheckPaths,
}
EXAMPLE = "include/profiles/targets/demo.yaml"


def target_names() -> list[str]:
    """Names of the committed target files, sorted."""
    return sorted(path.stem for path in TARGETS_DIR.glob("*.yaml"))


def load_target_file(name: str) -> TargetFile:
    """The file of a target's name. Raises ConfigError: unknown name, or `file:line` of what is wrong in it."""
    if name not in target_names():
        raise ConfigError(f"target: unknown target {name!r}; {nearest(name, target_names())}")
    file = read_target_file(TARGETS_DIR / f"{name}.yaml")
    if file.name != name:
        raise ConfigError(f"{file.path}: name is {file.name!r}; it must be the file's own name, {name}")
    if file.reference_target is not None:
        _check_reference(file, file.reference_target)
    return file


def _check_reference(file: TargetFile, reference: str) -> None:
    """The reference is another target that exists."""
    if reference not in target_names():
        raise ConfigError(f"{file.path}: reference_target: {nearest(reference, target_names())}")
    if reference == file.name:
        raise ConfigError(
            f"{file.path}: reference_target is the target itself; name the one that runs the current release"
        )


def read_target_file(path: Path) -> TargetFile:
    """Read and check one file. Raises ConfigError with `file:line`."""
    source = read_yaml(path)
    if not isinstance(source.data, dict):
        raise ConfigError(f"{source.name}:1: expected keys and values; start from {EXAMPLE}")
    try:
        return TargetFile.model_validate(source.data, strict=False)
    except ValidationError as error:
        raise ConfigError(one_line(source, error, TargetFile, _ENTRIES, EXAMPLE)) from error


@dataclass(frozen=True)
class Target:
    """A target's file and the addresses of one run; make it with `Target.checked`. Passwords stay out of `repr`."""

    file: TargetFile
    base_url: str
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)

    @classmethod
    def checked(
        cls, file: TargetFile, base_url: str, database_url: str | None = None, redis_url: str | None = None
    ) -> Self:
        """A target whose base URL is allowed and whose addresses are in normal form. Raises ConfigError."""
        normal, _, _ = split_base_url(base_url, file.where_to_set("base_url"))
        target = cls(file, normal, libpq_url(database_url) if database_url else None, redis_url or None)
        target.check_allowed(normal)
        return target

    def check_allowed(self, base_url: str) -> None:
        """Raise ConfigError unless load may be sent there: host and each of its addresses are in the allow-list.

        Addresses are checked as well, since a name in the list may have come to point to another machine.
        """
        normal, host, port = split_base_url(base_url, self.file.where_to_set("base_url"))
        add = f"in {self.file.path} (key allowed_hosts) if load may be sent there"
        if not is_allowed(host, port, self.file.allowed_hosts):
            raise ConfigError(f"target {self.file.name}: {normal} is not allowed; add {host} {add}")
        if as_address(host) is not None:
            return
        try:
            addresses = addresses_of(host, port)
        except OSError as error:
            raise ConfigError(f"target {self.file.name}: {host} has no address ({error}); check its name") from error
        for address in addresses:
            if not is_allowed(address, port, self.file.allowed_hosts):
                raise ConfigError(
                    f"target {self.file.name}: {host} resolves to {address}, which is not allowed; add {address} {add}"
                )

    def url(self, path: str) -> str:
        """Address of an API path such as `/auth/login`."""
        return f"{self.base_url}{self.file.api_prefix}{path}"

    @property
    def shares_host(self) -> bool:
        """Whether the target runs on this machine, so that its load and the generator's cannot be told apart."""
        if self.file.shares_host != "auto":
            return self.file.shares_host
        _, host, port = split_base_url(self.base_url, self.file.name)
        own = {entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
        for text in addresses_of(host, port):
            address = as_address(text)
            if text in own or (address is not None and address.is_loopback):
                return True
        return False
