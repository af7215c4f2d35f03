"""What the collectors' process is told. Addresses hold passwords, so they come by environment variables."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

DATABASE_VARIABLE = "LOADTEST_COLLECT_DATABASE_URL"
REDIS_VARIABLE = "LOADTEST_COLLECT_REDIS_URL"


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
    """The target's application; the addresses of its metrics pages hold no credentials, as no base URL does."""

    instance: str
    urls: tuple[str, ...]


class CollectorPlan(Frozen):
    """What to read, how often, and where to write. `parent_pid`: the collectors end when that process has."""

    resources_dir: Path
    interval_s: Annotated[float, Field(gt=0)]
    parent_pid: int
    host: HostSource | None = None
    postgres: ServerSource | None = None
    redis: ServerSource | None = None
    app: AppSource | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources, as in the readings."""
        named = {"postgres": self.postgres, "redis": self.redis, "app": self.app}
        host = (self.host.source,) if self.host else ()
        return host + tuple(name for name, source in named.items() if source)
