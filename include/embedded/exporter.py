"""The page for Prometheus in the embedded environment: where it listens, and what it is started with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from include.embedded.airflow import HISTORY_DATABASE, base_environment, results_uri
from include.embedded.ports import reserved_or_free
from include.embedded.postgres import PostgresServer
from include.embedded.state import EnvironmentState, Layout
from include.loadtest.publishing import (
    DEFAULT_TARGET_VARIABLE,
    EXPORTER_ADDRESS,
    EXPORTER_VARIABLE,
    HISTORY_VARIABLE,
    RESULTS_VARIABLE,
)

NAME = "exporter"
MODULE = "include.loadtest.publishing.exporter"


@contextmanager
def exporter_address(inherited: Mapping[str, str]) -> Iterator[str]:
    """The address that is set, or the default one, or a free port where that is taken; kept until it is listened on."""
    own = inherited.get(EXPORTER_VARIABLE)
    if own:
        yield own
        return
    host, _, port = EXPORTER_ADDRESS.rpartition(":")
    with reserved_or_free(int(port)) as chosen:
        yield f"{host}:{chosen}"


def exporter_environment(
    layout: Layout, state: EnvironmentState, postgres: PostgresServer, inherited: Mapping[str, str], address: str
) -> dict[str, str]:
    """Environment of its process."""
    return base_environment(layout, state, inherited) | {
        EXPORTER_VARIABLE: address,
        HISTORY_VARIABLE: postgres.url(HISTORY_DATABASE),
        RESULTS_VARIABLE: results_uri(layout, inherited),
        DEFAULT_TARGET_VARIABLE: state.default_target,
    }
