"""The compose file, the Dockerfile and their secrets, without a Docker daemon; `make prove ONLY=compose` has one."""

import importlib.util
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from include.loadtest.target.settings import load_target_file

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yaml"
TEXT = FILE.read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
ONE_SHOTS = {"migrate", "monitoring-config"}
REFERENCE = re.compile(r"(?<!\$)\$\{(\w+)(?::?([?-])([^}]*))?\}")
DOCKERFILES = [ROOT / "Dockerfile", *sorted((ROOT / "experiments" / "compose" / "standins").rglob("Dockerfile"))]
pytestmark = pytest.mark.unit


def required() -> set[str]:
    return {name for name, kind, _ in REFERENCE.findall(TEXT) if kind == "?"}


def optional() -> set[str]:
    return {name for name, kind, _ in REFERENCE.findall(TEXT) if kind == "-"}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for own in value.values():
            yield from strings(own)
    elif isinstance(value, list):
        for own in value:
            yield from strings(own)
    else:
        yield str(value)


def test_the_file_is_of_the_compose_specification() -> None:
    """An unknown key, or a value of a wrong kind, is found by the specification's own schema."""
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_hadolint_finds_nothing_in_a_dockerfile(dockerfile: Path) -> None:
    """From warnings on: a build that is not pinned, not repeatable or runs as root."""
    command = [Path(sys.executable).parent / "hadolint", "--failure-threshold", "warning", dockerfile]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_has_to(name: str) -> None:
    """Not root, no capability, no way to get one, nothing to write but volumes and memory, all of it limited."""
    service = SERVICES[name]
    assert str(service["user"]).split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert "docker.sock" not in str(service)
    assert service["cpus"] > 0
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["pids_limit"] > 0


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_started_again_and_its_log_stays_small(name: str) -> None:
    """A service that ends by itself has no health to watch, and is tried a bounded number of times."""
    service = SERVICES[name]
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
    if name in ONE_SHOTS:
        assert service["restart"] == "on-failure:3"
        assert "healthcheck" not in service
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", SERVICES)
def test_memory_is_mounted_where_the_image_lets_everybody_write(name: str) -> None:
    """At a restart runc 1.1.5 gives it the rights of the folder below, whatever was ordered: Redis stayed down."""
    places = {place.partition(":")[0] for place in SERVICES[name].get("tmpfs", [])}
    assert places <= {"/tmp", "/var/run/postgresql"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_published_port_is_of_the_loopback_address(name: str) -> None:
    """Nobody on the network reaches a service that was not put there on purpose."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version(name: str) -> None:
    """Tomorrow's image is today's."""
    image = SERVICES[name]["image"].replace("${LOADTEST_VERSION:-", "").rstrip("}")
    assert re.search(r":v?\d+\.\d+(\.\d+)?$", image)


def test_every_secret_is_demanded_and_explained() -> None:
    """A variable whose name says that it is a secret has no default, and says how to make one wherever it stands.

    Compose reads the places in no fixed order.
    """
    references = REFERENCE.findall(TEXT)
    for name, kind, _ in references:
        assert kind, f"{name}: an unset variable would become an empty text"
        if re.search(r"PASSWORD|SECRET|_KEY$", name):
            assert kind == "?", name
    for name in required():
        (text,) = {text for own, _, text in references if own == name}
        assert "openssl rand" in text, name


def test_no_password_stands_in_the_file() -> None:
    """Each comes from the environment: in an address, a connection and a variable of its own."""
    for text in strings(SERVICES):
        for found in re.findall(r"://[^/\s:@]*:([^@\s]+)@", text) + re.findall(r'"password": "([^"]*)"', text):
            assert found.startswith("${"), text
    for service in SERVICES.values():
        for name, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|_KEY$", name):
                assert str(value).startswith("${"), name


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_an_argument(name: str) -> None:
    """Everybody on a machine reads the arguments of its processes; `$$` is expanded by a shell in the container."""
    service = SERVICES[name]
    for key in ("command", "entrypoint"):
        assert not REFERENCE.findall(str(service.get(key, "")))
    words = " ".join(strings([service.get("command", ""), service.get("healthcheck", {}).get("test", "")]))
    for variable in re.findall(r"\$\$\{?(\w+)", words):
        if re.search("PASSWORD|SECRET|KEY|URL|CONN|BACKEND", variable):
            # Given to a program in its environment, or read by the shell itself (printf), never as a word of a command.
            assert re.search(rf'(\b[A-Z_]+="|printf %s ")\$\${variable}"', words), variable


def test_the_version_is_the_projects() -> None:
    """The image's tag, its build argument and the example name the version of pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert set(re.findall(r"\$\{LOADTEST_VERSION:-([^}]*)\}", TEXT)) == {version}
    assert f"# LOADTEST_VERSION={version}\n" in (ROOT / ".env.example").read_text()


def test_there_is_one_load_worker() -> None:
    """Compose refuses to scale a service whose container has a name of its own; the generators' workers have none."""
    assert [name for name, service in SERVICES.items() if "container_name" in service] == ["load-worker"]


def test_stopping_lets_short_tasks_end_and_ends_a_load() -> None:
    """Only `worker` keeps the order to stop from its tasks."""
    workers = ("worker", "load-worker", "locust-worker")
    assert [SERVICES[name]["environment"].get("DUMB_INIT_SETSID") for name in workers] == ["0", None, None]


def test_queues_are_those_that_workers_take_from() -> None:
    """A task whose queue no worker serves would wait for ever."""
    served = {
        SERVICES[name]["command"][SERVICES[name]["command"].index("--queues") + 1]
        for name in ("worker", "load-worker", "locust-worker")
    }
    for service in ("scheduler", "dag-processor", "worker"):
        told = SERVICES[service]["environment"]
        names = ("AIRFLOW__OPERATORS__DEFAULT_QUEUE", "LOADTEST_LOAD_QUEUE", "LOADTEST_GENERATOR_QUEUE")
        assert {told[name] for name in names} == served == {"light", "load", "generators"}


def test_workers_cannot_open_airflows_database() -> None:
    """They speak to the API server; a task that is taken over reads no connection of others and signs no login."""
    for name in ("worker", "load-worker", "locust-worker", "exporter", "demo-target"):
        given = " ".join(map(str, SERVICES[name]["environment"].values()))
        for secret in ("AIRFLOW_DB_PASSWORD", "AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET", "AIRFLOW_API_SECRET_KEY"):
            assert secret not in given


def test_generators_find_the_master_in_one_network_only() -> None:
    """A name with an address in several networks may lead a generator to one on which the master does not listen."""
    master = SERVICES["load-worker"]["environment"]["LOADTEST_MASTER_HOST"]
    networks = SERVICES["load-worker"]["networks"]
    having = [name for name, own in networks.items() if own and master in own.get("aliases", [])]
    assert having == ["load"]
    assert "load" in SERVICES["locust-worker"]["networks"]


def test_the_example_names_the_required_variables_and_no_other() -> None:
    """What is missing there is missed at the first start; optional ones stand there as comments."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert {line.partition("=")[0] for line in lines if re.match(r"[A-Z]", line)} == required()
    assert all(line.endswith("=") for line in lines if re.match(r"[A-Z]", line))
    assert {line[2:].partition("=")[0] for line in lines if re.match(r"# [A-Z_]+=", line)} == optional()


def test_new_secrets_are_made_for_each_required_variable() -> None:
    """Twice the same secret would be no secret."""
    made = [
        subprocess.run(["sh", ROOT / "deploy" / "new-secrets.sh"], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    first, second = (dict(line.split("=", 1) for line in text.splitlines()) for text in made)
    assert set(first) == required()
    assert not set(first.values()) & set(second.values())
    assert all(len(value) >= 24 for value in first.values())


def test_the_guide_names_every_variable() -> None:
    """A variable that is not explained is not found."""
    guide = (ROOT / "docs" / "deployment.md").read_text()
    assert [name for name in sorted(required() | optional()) if f"`{name}`" not in guide] == []


def test_load_goes_to_the_demo_targets_one_address() -> None:
    """The allow-list of its target file and the network of the compose file say the same."""
    address = SERVICES["demo-target"]["networks"]["demo"]["ipv4_address"]
    assert load_target_file("compose_demo").allowed_hosts == ("demo-target:8000", f"{address}:8000")


def test_the_image_gets_what_runs_in_service_only() -> None:
    """The lock's lines with hashes; nothing that only tests need, no test and no experiment."""
    command = [sys.executable, "deploy/requirements_of_service.py"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^([A-Za-z0-9._-]+)==", lines, re.MULTILINE))
    assert {"apache-airflow", "locust", "grafana-foundation-sdk"} <= names
    assert not {"pytest", "ruff", "mypy", "playwright", "uv"} & names
    assert lines.count("--hash=sha256:") >= len(names)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not {"!tests", "!experiments", "!.env", "!.git"} & set(ignored)


@pytest.mark.parametrize("name", ["AIRFLOW_DB_PASSWORD", "HISTORY_DB_PASSWORD", "REDIS_PASSWORD", "DEMO_PASSWORD"])
@pytest.mark.parametrize("value", ["p@ss", "a:b", "a/b", "a b", "", "abc%41"])
def test_a_password_that_breaks_an_address_is_refused_by_name(name: str, value: str, tmp_path: Path) -> None:
    """The first service that starts says which one, and what to do; nothing is migrated."""
    done = _migrate(tmp_path, {name: value})
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name}: letters and digits only")
    assert done.stdout == ""


def test_passwords_of_letters_and_digits_are_taken(tmp_path: Path) -> None:
    """Then tables, users, history, in this order."""
    done = _migrate(tmp_path, {})
    assert done.returncode == 0, done.stderr
    steps = ["airflow db migrate", "python /opt/loadtest/deploy/airflow/users.py", "python -"]
    assert done.stdout.splitlines() == steps


def _migrate(folder: Path, values: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """migrate.sh with programs that only say how they were called."""
    for program in ("airflow", "python"):
        (folder / program).write_text(f'#!/bin/sh\necho {program} "$@"\n')
        (folder / program).chmod(0o755)
    names = ("AIRFLOW_DB_PASSWORD", "HISTORY_DB_PASSWORD", "REDIS_PASSWORD", "DEMO_PASSWORD")
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", **dict.fromkeys(names, "abc123XYZ"), **values}
    script = ROOT / "deploy" / "airflow" / "migrate.sh"
    return subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def cleaner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script of the service `cleaner`, with folders of its own."""
    specification = importlib.util.spec_from_file_location("clean", ROOT / "deploy" / "airflow" / "clean.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(module, "STAMP", tmp_path / "cleaned")
    (tmp_path / "logs").mkdir()
    return module


def _aged(path: Path, days: float) -> Path:
    os.utime(path, times=(time.time() - days * 86400,) * 2, follow_symlinks=False)
    return path


def test_old_logs_go_with_the_folders_that_they_leave_empty(cleaner: ModuleType, tmp_path: Path) -> None:
    """Young files stay, and old folders with something in them, links, and what links lead to."""
    logs, outside = tmp_path / "logs", tmp_path / "outside"
    outside.mkdir()
    for name in ("dag/old-run/task", "dag/mixed-run", "dag/new-empty"):
        (logs / name).mkdir(parents=True)
    for name in ("dag/old-run/task/a.log", "dag/mixed-run/old.log", "dag/mixed-run/young.log"):
        (logs / name).write_text("x")
    (logs / "latest").symlink_to(outside)
    (logs / "link.log").symlink_to(outside / "kept.log")
    (outside / "kept.log").write_text("x")
    for name in ("dag/old-run/task/a.log", "dag/mixed-run/old.log", "link.log", "dag/mixed-run", "dag/old-run/task"):
        _aged(logs / name, 91)
    _aged(logs / "dag/old-run", 91)
    _aged(outside / "kept.log", 91)
    assert cleaner.remove_logs(logs, time.time() - 90 * 86400) == 2
    left = sorted(str(path.relative_to(logs)) for path in logs.rglob("*"))
    assert left == ["dag", "dag/mixed-run", "dag/mixed-run/young.log", "dag/new-empty", "latest", "link.log"]
    assert (outside / "kept.log").exists()


def test_rows_older_than_180_days_are_removed_by_airflows_own_command(cleaner: ModuleType) -> None:
    """The command takes these options, with a time zone; a table that fails makes it fail."""
    from airflow.cli.cli_parser import get_parser

    command = cleaner.rows_command(datetime(2027, 6, 30, 5, tzinfo=UTC))
    told = get_parser().parse_args(command[1:])
    assert command[0] == "airflow"
    assert told.clean_before_timestamp.isoformat() == "2027-01-01T05:00:00+00:00"
    assert (told.skip_archive, told.yes, told.error_on_cleanup_failure, told.tables) == (True, True, True, None)


@pytest.mark.parametrize(("program", "is_clean"), [("true", True), ("false", False), ("no-such-program", False)])
def test_the_stamp_is_left_only_when_all_went_well(
    cleaner: ModuleType, monkeypatch: pytest.MonkeyPatch, program: str, is_clean: bool
) -> None:
    """The health check looks at it; after a failure the service lives, and tries again sooner."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        raise InterruptedError

    monkeypatch.setattr(cleaner, "rows_command", lambda _now: [program])
    monkeypatch.setattr(cleaner.time, "sleep", sleep)
    with pytest.raises(InterruptedError):
        cleaner.main()
    assert cleaner.STAMP.exists() is is_clean
    assert waits == [24 * 3600 if is_clean else 3600]


def test_the_cleaner_is_unhealthy_when_it_was_not_done_for_26_hours(tmp_path: Path) -> None:
    """The check as it stands, with the file elsewhere."""
    kind, check = SERVICES["cleaner"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    stamp = tmp_path / "cleaned"
    command = check.replace("/tmp/cleaned", str(stamp)).replace("$$", "$")
    codes = []
    for hours in (None, 25, 27):
        if hours is not None:
            stamp.touch()
            _aged(stamp, hours / 24)
        codes.append(subprocess.run(["sh", "-c", command], capture_output=True, check=False).returncode)
    assert codes == [1, 0, 1]


def test_the_cleaner_cannot_open_the_history_by_itself() -> None:
    """It never imports what does, so nothing that the product needs later is touched."""
    text = (ROOT / "deploy" / "airflow" / "clean.py").read_text()
    assert "include" not in re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)
    assert "HISTORY" not in text
