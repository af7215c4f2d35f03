"""The images that the compose file asks for, built here under their names: the real ones cannot be had."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from experiments.claims import Say
from experiments.compose.engine import Docker
from include.embedded.state import CHECKOUT

FOLDER = Path(__file__).parent / "standins"
COMPOSE_FILE = CHECKOUT / "docker-compose.yaml"
VERSION, NEXT_VERSION = "prove", "prove-next"
CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class StandIn:
    """A folder with a Dockerfile, and the arguments of its build."""

    folder: str
    arguments: tuple[tuple[str, str], ...] = ()


def _debian(package: str, program: str, data: str) -> StandIn:
    return StandIn("debian", (("PACKAGE", package), ("PROGRAM", program), ("DATA", data)))


STAND_INS = {
    "postgres": StandIn("postgres"),
    "redis": StandIn("redis"),
    "prom/prometheus": _debian("prometheus", "prometheus", "/prometheus"),
    "prom/alertmanager": _debian("prometheus-alertmanager", "alertmanager", "/alertmanager"),
    "prom/node-exporter": _debian("prometheus-node-exporter", "node_exporter", "/node"),
    "grafana/grafana": StandIn("placeholder"),
    "apache/airflow": StandIn("airflow"),
}


def wanted_images() -> dict[str, StandIn]:
    """The stand-in of each image that the compose file and the Dockerfile name with a version."""
    services = yaml.safe_load(COMPOSE_FILE.read_text())["services"].values()
    names = {service["image"] for service in services if "$" not in service["image"]} | {_base_image()}
    return {name: STAND_INS[name.rpartition(":")[0]] for name in sorted(names)}


def _base_image() -> str:
    for line in (CHECKOUT / "Dockerfile").read_text().splitlines():
        if line.startswith("ARG AIRFLOW_IMAGE="):
            return line.partition("=")[2]
    raise RuntimeError("the Dockerfile names no AIRFLOW_IMAGE")


def build(docker: Docker, say: Say) -> None:
    """Build what is missing, then the project's own image on top of the stand-in for Airflow's."""
    for name, stand_in in wanted_images().items():
        began_s = time.monotonic()
        arguments = [f"--build-arg={key}={value}" for key, value in stand_in.arguments]
        docker.must("build", "--quiet", "--network=host", *arguments, "--tag", name, str(FOLDER / stand_in.folder))
        say(f"stand-in for {name}: {time.monotonic() - began_s:.0f} s")
    build_own(docker, VERSION, say)


def build_own(docker: Docker, version: str, say: Say) -> None:
    """Build the project's own image with that version as its tag and in its labels."""
    image, began_s = f"pratikoai-load-tests:{version}", time.monotonic()
    docker.must(
        "build",
        "--quiet",
        "--network=host",
        f"--secret=id=ca_bundle,src={_certificates()}",
        f"--build-arg=VERSION={version}",
        "--tag",
        image,
        str(CHECKOUT),
    )
    say(f"{image}: {time.monotonic() - began_s:.0f} s")


def _certificates() -> str:
    """This machine's certificates where an environment variable names them: its package index may need them."""
    return next((os.environ[name] for name in CERTIFICATES if os.environ.get(name)), "/dev/null")
