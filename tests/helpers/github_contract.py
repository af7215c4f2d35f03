"""Requests and answers of GitHub's REST API, judged by GitHub's own description of it, in process.

Beyond the description, a request is refused for a field or a query parameter that it does not name, at any depth:
GitHub ignores those, so what was meant with them would silently not happen.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.helpers.trim_github_openapi import TRIMMED

_BASE = "urn:github"
_LONG_PARAMETERS = ("path", "ref", "branch", "name")
"""Parameters of a path in which a slash may stand."""


@dataclass(frozen=True)
class Operation:
    """One operation of the description, and what the path of a request says for its parameters."""

    method: str
    path: str
    values: Mapping[str, str]
    description: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@cache
def description() -> dict[str, Any]:
    """The trimmed description."""
    document: dict[str, Any] = json.loads(TRIMMED.read_text())
    return document


@cache
def _closed_description() -> dict[str, Any]:
    """The same, with nothing allowed in an object but what is named."""
    closed: dict[str, Any] = _closed(description())
    return closed


def operation_of(method: str, url: str) -> Operation | None:
    """The operation of a request; None where GitHub has no such one (or this project does not use it)."""
    path = urlsplit(url).path
    for pattern, template in _routes():
        found = pattern.fullmatch(path)
        operation = description()["paths"][template].get(method.lower())
        if found and operation:
            values = {name: unquote(value) for name, value in found.groupdict().items()}
            return Operation(method, template, values, operation)
    return None


@cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    """The narrowest first: `/issues/comments/{id}` before `/issues/{number}/…`."""

    def pattern(template: str) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", template)
        named = (f"(?P<{name}>{'.+' if name in _LONG_PARAMETERS else '[^/]+'})" for name in parts[1::2])
        return re.compile("".join(re.escape(text) + next(named, "") for text in parts[::2]))

    templates = sorted(description()["paths"], key=lambda template: (template.count("{"), -len(template)))
    return [(pattern(template), template) for template in templates]


def request_faults(method: str, url: str, body: bytes | str | None) -> list[str]:
    """Every rule of the description that a request breaks; `url` without the API's own prefix."""
    operation = operation_of(method, url)
    if operation is None:
        return [f"{method} {urlsplit(url).path}: GitHub's description has no such operation"]
    found = [*_path_faults(operation), *_query_faults(operation, url), *_body_faults(operation, body)]
    return [f"{operation}: {fault}" for fault in found]


def answer_faults(operation: Operation, status: int, body: bytes | str | None) -> list[str]:
    """Every rule of the description that an answer to the operation breaks."""
    answers = operation.description["responses"]
    if str(status) not in answers:
        # Any operation may say so; the description does not repeat it everywhere.
        known = status in (401, 403, 404, 409, 422, 429) or status >= 500
        return [] if known else [f"{operation}: no answer {status} is described"]
    content = _resolved(answers[str(status)]).get("content", {}).get("application/json")
    if content is None:
        return []
    faults = _schema_faults(OAS30ReadValidator, content["schema"], json.loads(body or "null"), description())
    return [f"{operation}: answer {status}: {fault}" for fault in faults]


def _path_faults(operation: Operation) -> Iterator[str]:
    for parameter in _parameters(operation, "path"):
        yield from _value_faults(parameter, operation.values[parameter["name"]], "path")


def _query_faults(operation: Operation, url: str) -> Iterator[str]:
    known = {parameter["name"]: parameter for parameter in _parameters(operation, "query")}
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    given = dict(pairs)
    for name in (name for name, count in Counter(name for name, _ in pairs).items() if count > 1):
        yield f"query: {name} is given more than once"
    for name, parameter in known.items():
        if parameter.get("required") and name not in given:
            yield f"query: {name} is required"
    for name, value in given.items():
        if name not in known:
            yield f"query: unknown parameter {name}"
        else:
            yield from _value_faults(known[name], value, "query")


def _value_faults(parameter: Mapping[str, Any], text: str, where: str) -> Iterator[str]:
    schema = _resolved(parameter["schema"])
    value: Any = text
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
        value = int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        value = text == "true"
    for fault in _schema_faults(OAS30WriteValidator, schema, value, description()):
        yield f"{where}: {parameter['name']}: {fault}"


def _body_faults(operation: Operation, body: bytes | str | None) -> list[str]:
    described = _resolved(operation.description.get("requestBody") or {})
    if not described:
        return ["a body is given, none is described"] if body else []
    if not body:
        return ["body: required"] if described.get("required") else []
    try:
        document = json.loads(body)
    except ValueError:
        return ["body: no JSON"]
    schema = _closed(described["content"]["application/json"]["schema"])
    faults = _schema_faults(OAS30WriteValidator, schema, document, _closed_description())
    return [f"body: {fault}" for fault in faults]


def _closed(schema: Any) -> Any:
    """Unknown fields forbidden wherever a schema names fields and says nothing of others."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def _parameters(operation: Operation, place: str) -> list[Mapping[str, Any]]:
    parameters = (_resolved(parameter) for parameter in operation.description.get("parameters", ()))
    return [parameter for parameter in parameters if parameter["in"] == place]


def _resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        _, *names = part["$ref"].split("/")
        part = description()
        for name in names:
            part = part[name]
    return part


def _schema_faults(validator: Any, schema: Mapping[str, Any], value: Any, document: Mapping[str, Any]) -> list[str]:
    registry = Registry().with_resource(_BASE, Resource.from_contents(document, default_specification=DRAFT4))
    rooted = _rooted(schema)
    checker = validator(rooted, registry=registry, format_checker=oas30_format_checker)
    return [_fault(error) for error in checker.iter_errors(value)]


def _rooted(schema: Any) -> Any:
    """References of a part of the description, as references into the whole."""
    if isinstance(schema, list):
        return [_rooted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _BASE + value if key == "$ref" and isinstance(value, str) else _rooted(value)
        for key, value in schema.items()
    }


def _fault(error: Any) -> str:
    where = "/".join(map(str, error.absolute_path))
    return f"{where}: {error.message[:200]}" if where else error.message[:200]
