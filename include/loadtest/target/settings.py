"""A target: what its file says about it, and the addresses that a run uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, ValidationError, field_validator

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.machine import is_own_address
from include.loadtest.profile.shape import Frozen
from include.loadtest.profile.vocabulary import FROM_PROMETHEUS
from include.loadtest.profile.yaml_source import one_line, read_yaml
from include.loadtest.target.urls import (
    addresses_of,
    as_address,
    is_allowed,
    libpq_url,
    page_url,
    split_base_url,
    split_entry,
)

TARGETS_DIR = Path(__file__).parents[2] / "profiles" / "targets"
DEFAULT_TARGET = "pratikoai"
"""Its connections carry no suffix; those of another target NAME end in `__NAME`."""

Part = Literal["base_url", "database", "redis", "monitor", "llm"]
_CONNECTIONS: dict[Part, str] = {
    "base_url": "loadtest_target",
    "database": "loadtest_target_db",
    "redis": "loadtest_target_redis",
    "monitor": "loadtest_target_monitor",
    "llm": "loadtest_llm",
}
ENVIRONMENT_VARIABLES: dict[Part, str] = {
    "base_url": "LOAD_TEST_BASE_URL",
    "database": "DATABASE_URL",
    "redis": "REDIS_URL",
    "monitor": "MONITOR_DATABASE_URL",
    "llm": "LLM_METRICS_URL",
}
"""Used where an Airflow connection is missing."""
PROMETHEUS_CONNECTION = "loadtest_prometheus"
"""One server for all targets: what it is asked stands in each target's file."""


def connection_id(target_name: str, part: Part) -> str:
    """Id of the Airflow connection that holds an address of a target."""
    return _CONNECTIONS[part] + ("" if target_name == DEFAULT_TARGET else f"__{target_name}")


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


HostPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9._*?\[\]:-]+$", max_length=253)]
PRODUCTION_HOSTS = ("*prod*", "pratikoai.*", "www.pratikoai.*", "app.pratikoai.*", "api.pratikoai.*")
"""Shell patterns of host names; a target whose host is wrongly taken for production has a list of its own."""
MAX_QUERIES = 30
"""Each costs the collectors about a thousandth of a core."""
PromQl = Annotated[str, Field(min_length=1, max_length=1000)]
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
    production_hosts: tuple[HostPattern, ...] = PRODUCTION_HOSTS
    production_operators: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    api_prefix: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = "/api/v1"
    forwarded_for: bool = False
    blackouts: bool = True
    shares_host: Literal["auto"] | bool = "auto"
    users_table: Identifier = "user"
    undeclared_keys: tuple[UndeclaredKey, ...] = ()
    owned_by_users: tuple[OwnedTable, ...] = ()
    growth_bytes_a_chat: Annotated[int, Field(ge=0)] | None = None
    llm_price_eur_a_call: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    llm_calls_a_question: Annotated[int, Field(ge=1, le=100)] = 1
    check_paths: CheckPaths = CheckPaths()
    reference_target: str | None = None
    reset_command: tuple[str, ...] | None = None
    prometheus: Annotated[dict[str, PromQl], Field(max_length=MAX_QUERIES, default_factory=dict)]
    log_file: Annotated[str, Field(pattern=r"^/[^\x00-\x1f]+$", max_length=500)] | None = None

    @field_validator("prometheus")
    @classmethod
    def _readings(cls, queries: dict[str, str]) -> dict[str, str]:
        for name in queries:
            if name not in FROM_PROMETHEUS:
                raise ValueError(f"unknown reading {name!r}; {nearest(name, FROM_PROMETHEUS)}")
        return queries

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
        return connection_id(self.name, part)

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
        raise ConfigError(f"target: unknown target {name[:80]!r}; {nearest(name, target_names())}")
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
    """A target's file and the addresses of one run; make it with `Target.checked`. Passwords stay out of `repr`.

    `monitor_url`: the database again, for a role that may read its statistics and nothing else. `llm_metrics_url`: a
    metrics page of the LLM or its gateway. `prometheus_url`: a Prometheus server, of whose API `/api/v1/query` is used.
    Both are only read from, so they need not be in the list of hosts that load may be sent to. `addresses`: the IP
    addresses of the base URL's host, all of them allowed; requests and load go to these, whatever the name says later.
    """

    file: TargetFile
    base_url: str
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    monitor_url: str | None = field(default=None, repr=False)
    llm_metrics_url: str | None = field(default=None, repr=False)
    prometheus_url: str | None = field(default=None, repr=False)
    addresses: tuple[str, ...] = ()

    @classmethod
    def checked(
        cls,
        file: TargetFile,
        base_url: str,
        database_url: str | None = None,
        redis_url: str | None = None,
        *,
        monitor_url: str | None = None,
        llm_metrics_url: str | None = None,
        prometheus_url: str | None = None,
    ) -> Self:
        """A target whose base URL is allowed and whose addresses are in normal form. Raises ConfigError."""
        normal, _, _ = split_base_url(base_url, file.where_to_set("base_url"))
        database, monitor = (libpq_url(url) if url else None for url in (database_url, monitor_url))
        llm = page_url(llm_metrics_url, file.where_to_set("llm"), "/metrics") if llm_metrics_url else None
        prometheus = page_url(prometheus_url, PROMETHEUS_CONNECTION) if prometheus_url else None
        target = cls(file, normal, database, redis_url or None, monitor, llm, prometheus)
        return replace(target, addresses=target.allowed_addresses(normal))

    def allowed_addresses(self, base_url: str) -> tuple[str, ...]:
        """The IP addresses of a base URL's host, the best first.

        Raises ConfigError unless load may be sent there: the host and each of its addresses are in the allow-list, as a
        name in the list may have come to point to another machine.
        """
        normal, host, port = split_base_url(base_url, self.file.where_to_set("base_url"))
        add = f"in {self.file.path} (key allowed_hosts) if load may be sent there"
        if not is_allowed(host, port, self.file.allowed_hosts):
            raise ConfigError(f"target {self.file.name}: {normal} is not allowed; add {host} {add}")
        if as_address(host) is not None:
            return (host,)
        try:
            addresses = addresses_of(host, port)
        except OSError as error:
            raise ConfigError(f"target {self.file.name}: {host} has no address ({error}); check its name") from error
        for address in addresses:
            if not is_allowed(address, port, self.file.allowed_hosts):
                raise ConfigError(
                    f"target {self.file.name}: {host} resolves to {address}, which is not allowed; add {address} {add}"
                )
        return addresses

    def url(self, path: str) -> str:
        """Address of an API path such as `/auth/login`."""
        return f"{self.base_url}{self.file.api_prefix}{path}"

    @property
    def shares_host(self) -> bool:
        """Whether the target runs on this machine, so that its load and the generator's cannot be told apart."""
        if self.file.shares_host != "auto":
            return self.file.shares_host
        return any(map(is_own_address, self.addresses))

    @property
    def prometheus_queries(self) -> Mapping[str, str]:
        """PromQL by the name of the reading that it gives."""
        return self.file.prometheus

    @property
    def log_file(self) -> str | None:
        """Path of a log of the target on this machine, if there is one."""
        return self.file.log_file
