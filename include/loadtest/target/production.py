"""Production: load goes there only from a run that a named operator started by hand, with the host's name typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import parse_qs, urlsplit

from psycopg2.extensions import parse_dsn

from include.loadtest.errors import ConfigError, printable
from include.loadtest.target.settings import Target, TargetFile

MANUAL = "manual"
"""What Airflow calls a DAG run that a person, or a program with a person's login, started."""

CONFIRMED_FOR_S = 12 * 3600.0
"""Airflow lets other users clear tasks of a run, and still names who started it."""


@dataclass(frozen=True)
class Trigger:
    """How a DAG run came about: its type, whose login started it (None: not known), and what was typed to confirm.

    `age_s`: how long ago, where load is about to be sent; else None.
    """

    run_type: str
    user: str | None
    confirmed: str | None = None
    age_s: float | None = None


def refuse_production(target: Target, trigger: Trigger) -> None:
    """Raise ConfigError where one of a target's hosts is a production host that this run may not use."""
    hosts = production_hosts(target)
    if hosts:
        wrong = _refusal(hosts, target, trigger)
        if wrong:
            raise ConfigError(f"target {target.file.name}: {_named(hosts)} of production_hosts: {wrong}")


def production_hosts(target: Target) -> dict[str, str]:
    """The target's hosts that are production's, each with the pattern that says so."""
    found: dict[str, str] = {}
    for host in _hosts(target):
        name = host.lower().rstrip(".")
        for pattern in target.file.production_hosts:
            if fnmatchcase(name, pattern.lower()):
                found.setdefault(name, pattern)
    return found


def _refusal(hosts: dict[str, str], target: Target, trigger: Trigger) -> str | None:
    """Why not; None: it may."""
    if trigger.run_type != MANUAL:
        return f"a run of type {trigger.run_type} never goes there; start load_test_manual by hand"
    if trigger.user not in target.file.production_operators:
        return _who_may(target.file, trigger.user)
    if trigger.age_s is not None and trigger.age_s > CONFIRMED_FOR_S:
        return f"confirmed {trigger.age_s / 3600:.0f} h ago, so somebody else may have cleared it; start a new run"
    typed = [name.strip() for name in (trigger.confirmed or "").split(",")]
    if sorted(typed) != sorted(hosts):
        return f"type confirm_production: {','.join(hosts)} in the form of load_test_manual to send load there"
    return None


def _who_may(file: TargetFile, user: str | None) -> str:
    operators, key = file.production_operators, f"production_operators in {file.path}"
    if not operators:
        return f"nobody may confirm it; {key} names who may"
    if user is None:
        return "Airflow does not say who started this run, so it is refused; start it from the form or the REST API"
    return f"{printable(user, 80)} may not confirm it, but {', '.join(operators)} ({key})"


def _named(hosts: dict[str, str]) -> str:
    each = ", ".join(f"{host} ({pattern})" for host, pattern in hosts.items())
    return f"{each} {'matches a pattern' if len(hosts) == 1 else 'match patterns'}"


def _hosts(target: Target) -> Iterator[str]:
    """Of every address of a target; Prometheus, which all targets share and which is only asked, is none of them."""
    for url in (target.base_url, target.llm_metrics_url):
        if url:
            yield urlsplit(url).hostname or ""
    for url in (target.database_url, target.monitor_url):
        if url:
            parts = parse_dsn(url)
            for name in f"{parts.get('host', '')},{parts.get('hostaddr', '')}".split(","):
                if name and not name.startswith("/"):
                    yield name
    if target.redis_url:
        redis = urlsplit(target.redis_url)
        yield redis.hostname or next(iter(parse_qs(redis.query).get("host", [])), "")
