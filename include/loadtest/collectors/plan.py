"""What the collectors' process is told. Addresses hold passwords, so they come by environment variables."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

DATABASE_VARIABLE = "LOADTEST_COLLECT_DATABASE_URL"
REDIS_VARIABLE = "LOADTEST_COLLECT_REDIS_URL"
LLM_VARIABLE = "LOADTEST_COLLECT_LLM_URL"
PROMETHEUS_VARIABLE = "LOADTEST_COLLECT_PROMETHEUS_URL"


class Frozen(BaseModel):
    """Immutable, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HostSource(Frozen):
    """This machine. `source` is `host` where the target runs here as well, else `generator`."""

    source: str
    instance: str


class ServerSource(Frozen):
    """A server; `url_variable` names the environment variable that holds its address."""

    instance: str
    url_variable: str


class AppSource(Frozen):
    """The target's application; the addresses of its metrics pages hold no credentials, as no base URL does.

    `addresses`: the IP addresses of its host that were checked; empty: the host is one itself.
    """

    instance: str
    urls: tuple[str, ...]
    addresses: tuple[str, ...] = ()


class Listener(Frozen):
    """Where a server of this machine takes connections: a port of some addresses, or PostgreSQL's socket folder."""

    port: int
    addresses: tuple[str, ...] = ()
    socket_dir: str | None = None

    @property
    def text(self) -> str:
        """For messages."""
        return self.socket_dir or f"port {self.port}"


class ProcessSource(Frozen):
    """The target's processes on this machine."""

    instance: str
    app: Listener
    postgres: Listener | None = None
    redis: Listener | None = None


class ContainerSource(Frozen):
    """The control group of the application's processes on this machine."""

    instance: str
    app: Listener


class PrometheusSource(ServerSource):
    """A Prometheus server; `queries` are PromQL by the name of the reading that each gives."""

    queries: dict[str, str]


class LogSource(Frozen):
    """A log of the target on this machine."""

    instance: str
    path: Path


class CollectorPlan(Frozen):
    """What to read, how often, and where to write. `parent_pid`: the collectors end when that process has."""

    resources_dir: Path
    interval_s: Annotated[float, Field(gt=0)]
    parent_pid: int
    host: HostSource | None = None
    postgres: ServerSource | None = None
    redis: ServerSource | None = None
    app: AppSource | None = None
    process: ProcessSource | None = None
    container: ContainerSource | None = None
    llm: ServerSource | None = None
    prometheus: PrometheusSource | None = None
    target_log: LogSource | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources, as in the readings."""
        names = ("postgres", "redis", "app", "process", "container", "llm", "prometheus", "target_log")
        host = (self.host.source,) if self.host else ()
        return host + tuple(name for name in names if getattr(self, name))
