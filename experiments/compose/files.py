"""What can be said of the files before anything is started."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from experiments.claims import Claim
from experiments.compose.engine import Docker
from experiments.compose.stack import PROJECT, Stack, write_env
from experiments.compose.standins import COMPOSE_FILE, FOLDER
from include.embedded.state import CHECKOUT

BIN = Path(sys.executable).parent
REQUIRED = re.compile(r"\$\{(\w+):\?")
PROFILES = ((), ("demo",), ("observability",), ("demo", "observability"))


def claims(stack: Stack, name: str) -> Iterator[Claim]:
    """The compose file, the Dockerfiles, the secrets, the ports."""
    yield _config(stack, name)
    yield _schema(name)
    yield _dockerfiles(name)
    yield _secrets(stack, name)
    yield _ports(stack, name)


def _config(stack: Stack, name: str) -> Claim:
    printed = []
    for profiles in PROFILES:
        chosen = [word for profile in profiles for word in ("--profile", profile)]
        done = _compose(stack.docker, stack.env_file, *chosen, "config", "--quiet")
        printed.append(f"{'+'.join(profiles) or 'plain'}: {'clean' if not (done[0] or done[1]) else done[1][:200]}")
    ok = all(text.endswith(": clean") for text in printed)
    return Claim(name, "docker compose config finds nothing", "clean, with each profile", "; ".join(printed), ok)


def _compose(docker: Docker, env_file: Path, *arguments: str) -> tuple[int, str]:
    files = ("--env-file", str(env_file), "--file", str(COMPOSE_FILE))
    done = docker("compose", "--project-name", PROJECT, *files, *arguments, limit_s=60)
    return done.code, done.err.strip()


def _schema(name: str) -> Claim:
    code, output = _run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE))
    return Claim(name, "the file is of the compose specification", "no finding", output or f"exit {code}", code == 0)


def _dockerfiles(name: str) -> Claim:
    files = [CHECKOUT / "Dockerfile", *sorted(FOLDER.rglob("Dockerfile"))]
    code, output = _run("hadolint", "--failure-threshold", "warning", "--format", "json", *map(str, files))
    findings = [entry for entry in json.loads(output) if entry["level"] in ("warning", "error")]
    measured = f"{len(findings)} in {len(files)} Dockerfiles"
    return Claim(name, "hadolint finds no warning and no error", "0", measured, code == 0 and not findings)


def _run(program: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run([str(BIN / program), *arguments], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout or done.stderr).strip()


def _secrets(stack: Stack, name: str) -> Claim:
    """Each left out alone: Compose names the first that is missing only."""
    wanted = sorted(set(REQUIRED.findall(COMPOSE_FILE.read_text())))
    named = [secret for secret in wanted if _is_named(stack, secret)]
    measured = f"{len(named)} of {len(wanted)}: {', '.join(named)}"
    claim = "without a secret Compose refuses, names it and says how to make one"
    return Claim(name, claim, "each of them", measured, named == wanted and bool(wanted))


def _is_named(stack: Stack, secret: str) -> bool:
    values = {key: value for key, value in stack.values.items() if key != secret}
    file = write_env(stack.env_file.with_name("incomplete"), values)
    code, error = _compose(stack.docker, file, "up", "--no-start", "--no-build")
    return code != 0 and f"required variable {secret} is missing" in error and "openssl rand" in error


def _ports(stack: Stack, name: str) -> Claim:
    config = json.loads(stack.must("config", "--format", "json"))
    ports = [port for service in config["services"].values() for port in service.get("ports", [])]
    addresses = sorted({str(port.get("host_ip")) for port in ports})
    measured = f"{len(ports)} ports on {', '.join(addresses)}"
    ok = bool(ports) and addresses == ["127.0.0.1"]
    return Claim(name, "published ports are of the loopback address only", "127.0.0.1", measured, ok)
