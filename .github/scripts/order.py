"""Decides what this job runs and where, from the event, the form's inputs and the repository's settings.

Outputs: `way` (airflow: a configured one; image: a service that this job starts; address: a service that runs
already; demo: the embedded demo target), `base_url` of the service ("" for demo and airflow), and the inputs of
`make run`: `profile`, `suite`, `users`, `duration_s`, `engine`, `generators`, `target`, `ignore_blackout`.
"""

import os
import re
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from workflow_commands import annotate, say, set_output

IMAGE_URL = "http://127.0.0.1:8000"
_PATTERNS = {
    "profile": r"[a-z0-9][a-z0-9_-]{0,59}",
    "suite": r"[a-z0-9][a-z0-9_]{0,39}",
    "users": r"[0-9]{1,4}",
    "duration_s": r"[0-9]{1,6}",
    "engine": r"[a-z0-9]{1,20}",
    "generators": r"[0-9]{1,2}",
    "target": r"[a-z0-9][a-z0-9_-]{0,59}",
}


class OrderError(Exception):
    """The job cannot run as it was asked to; `str()` says what to change."""


def order_of(values: Mapping[str, str]) -> dict[str, str]:
    """The outputs. Raises OrderError."""
    inputs = _inputs(values)
    way = _way(values)
    if way == "airflow" and values.get("INPUT_TARGET_URL"):
        raise OrderError(
            "target_url: the configured Airflow knows its targets by name; give target, or leave use_airflow"
        )
    url = {"image": values.get("LOAD_TEST_BASE_URL") or IMAGE_URL, "address": _address(values)}.get(way, "")
    # A service of this job's own does nobody's business.
    ignores = way == "image" or _asks_to_ignore(values)
    return {"way": way, "base_url": _checked_url(url), **inputs, "ignore_blackout": "yes" if ignores else ""}


def _inputs(values: Mapping[str, str]) -> dict[str, str]:
    event = values["GITHUB_EVENT_NAME"]
    if event == "schedule":
        return dict.fromkeys(_PATTERNS, "") | {"suite": "weekly"}
    if event != "workflow_dispatch":
        return dict.fromkeys(_PATTERNS, "") | {"profile": "smoke"}
    inputs = {name: values.get(f"INPUT_{name.upper()}", "") for name in _PATTERNS}
    for name, value in inputs.items():
        if value and not re.fullmatch(_PATTERNS[name], value):
            raise OrderError(f"{name}: {value[:60]!r} is not of the form {_PATTERNS[name]}")
    if not inputs["profile"] and not inputs["suite"]:
        inputs["profile"] = "smoke"
    return inputs


def _asks_to_ignore(values: Mapping[str, str]) -> bool:
    return values["GITHUB_EVENT_NAME"] == "workflow_dispatch" and values.get("INPUT_IGNORE_BLACKOUT") == "true"


def _way(values: Mapping[str, str]) -> str:
    if values.get("IS_FOREIGN") == "true":
        return "demo"  # a fork's pull request, or a bot's, gets no secrets and has no say over another service
    if values.get("AIRFLOW_URL") and values.get("USE_AIRFLOW") != "false":
        if values.get("HAS_AIRFLOW_LOGIN") != "true":
            raise OrderError("AIRFLOW_URL is set, but neither AIRFLOW_TOKEN nor AIRFLOW_USER with AIRFLOW_PASSWORD is")
        return "airflow"
    if values.get("INPUT_TARGET_URL"):
        return "address"
    if values.get("LOAD_TEST_IMAGE"):
        return "image"
    return "address" if values.get("LOAD_TEST_BASE_URL") else "demo"


def _address(values: Mapping[str, str]) -> str:
    return values.get("INPUT_TARGET_URL") or values.get("LOAD_TEST_BASE_URL", "")


def _checked_url(url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[!-~]{1,300}", url):
        raise OrderError(f"the service's address {url[:60]!r} is no http or https address")
    return url


def main() -> int:
    """Write the outputs; 2 for an order that makes no sense."""
    try:
        outputs = order_of(os.environ)
    except OrderError as error:
        annotate("error", str(error))
        return 2
    for name, value in outputs.items():
        set_output(name, value)
        say(f"{name}: {value or '-'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
