"""Reads tests/demo_target/contract.yaml and says where an answer deviates from it."""

import io
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from reportlab.pdfgen.canvas import Canvas

CONTRACT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "demo_target" / "contract.yaml").read_text())
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
_MISSING = object()


def _is_time(value: object, *, zone: bool) -> bool:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return (parsed.tzinfo is not None and str(value).endswith("Z")) if zone else parsed.tzinfo is None


def _is_uuid(value: object) -> bool:
    try:
        return str(uuid.UUID(str(value))) == value
    except ValueError:
        return False


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "jwt": lambda value: isinstance(value, str) and _JWT.fullmatch(value) is not None,
    "uuid": _is_uuid,
    "time": lambda value: _is_time(value, zone=False),
    "time_z": lambda value: _is_time(value, zone=True),
}


def filled(template: Any, account: Mapping[str, Any]) -> Any:
    """A part of the contract with its {placeholders} replaced; one that stands alone keeps its type."""
    if isinstance(template, dict):
        return {key: filled(value, account) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, account) for value in template]
    if not isinstance(template, str):
        return template
    for name, value in account.items():
        if template == f"{{{name}}}":
            return value
        template = template.replace(f"{{{name}}}", str(value))
    return template


def at(body: Any, path: str) -> Any:
    """The value at a dotted path, or a marker that equals nothing."""
    for part in path.split("."):
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict) and part in body:
            body = body[part]
        else:
            return _MISSING
    return body


def deviations(call: Mapping[str, Any], response: httpx.Response) -> list[str]:
    """Every point in which an answer is not as the contract's entry says; empty when it is."""
    found = []
    if response.status_code != call["status"]:
        found.append(f"status {response.status_code}, not {call['status']}: {response.text[:300]}")
    found += [
        f"header {name}: {response.headers.get(name)!r}, not {value!r}"
        for name, value in call.get("headers", {}).items()
        if response.headers.get(name) != value
    ]
    try:
        body = response.json()
    except json.JSONDecodeError:
        return [*found, f"no JSON: {response.text[:300]}"]
    if "body" in call and body != call["body"]:
        found.append(f"body {body}, not {call['body']}")
    if "only" in call and set(body) != set(call["only"]):
        found.append(f"keys {sorted(body)}, not {sorted(call['only'])}")
    for path, kind in call.get("types", {}).items():
        value = at(body, path)
        if value is _MISSING or not TYPES[kind](value):
            found.append(f"{path}: {'missing' if value is _MISSING else repr(value)}, not {kind}")
    for path, wanted in call.get("values", {}).items():
        value = at(body, path)
        if value is _MISSING or type(value) is not type(wanted) or value != wanted:
            found.append(f"{path}: {'missing' if value is _MISSING else repr(value)}, not {wanted!r}")
    return found


def send(client: httpx.Client, call: Mapping[str, Any], bearer: str | None) -> httpx.Response:
    """Make the call of one entry, its placeholders filled already."""
    headers = dict(call.get("send", {}))
    if bearer is not None:
        headers["authorization"] = f"Bearer {bearer}"
    files = None
    if "pdf" in call:
        pdf = call["pdf"]
        content = pdf["raw"].encode() if "raw" in pdf else pdf_of(pdf["text"])
        files = [("files", (pdf["filename"], content, "application/pdf"))]
    return client.request(
        call["method"], call["path"], headers=headers, json=call.get("json"), data=call.get("form"), files=files
    )


def pdf_of(text: str) -> bytes:
    """A real PDF of one page."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 720, text)
    canvas.save()
    return buffer.getvalue()


def events(text: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Comment frames and events of a stream."""
    frames = [frame for frame in text.split("\n\n") if frame]
    comments = [frame for frame in frames if frame.startswith(":")]
    return comments, [json.loads(frame.removeprefix("data: ")) for frame in frames if frame.startswith("data: ")]
