"""Answers of the local GitHub in the shape that GitHub's description asks for, with what matters filled in."""

from collections.abc import Mapping
from typing import Any

from tests.helpers.github_contract import description

MOMENT = "2026-01-05T06:00:00Z"
"""Of everything whose time does not matter."""


def filled(schema: str, base_url: str, **values: Any) -> dict[str, Any]:
    """A document of that schema: every required field is there, `values` (fields, also nested ones) are set.

    Addresses that nobody follows are `base_url`.
    """
    document = _example({"$ref": f"#/components/schemas/{schema}"}, base_url)
    merged: dict[str, Any] = _merged(document, values)
    return merged


def _merged(document: Any, values: Any) -> Any:
    if not isinstance(document, Mapping) or not isinstance(values, Mapping):
        return values
    merged = dict(document)
    for key, value in values.items():
        merged[key] = _merged(document.get(key), value)
    return merged


def _example(schema: Mapping[str, Any], base_url: str) -> Any:  # noqa: PLR0911 - one for each kind of schema
    """The smallest value that the schema allows; null where it may be."""
    if "$ref" in schema:
        return _example(description()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], base_url)
    if schema.get("nullable"):
        return None
    for choice in ("anyOf", "oneOf"):
        if choice in schema and "properties" not in schema:
            return _example(schema[choice][0], base_url)
    if "allOf" in schema:
        parts = [_example(part, base_url) for part in schema["allOf"]]
        return {key: value for part in parts for key, value in part.items()}
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" or "properties" in schema:
        fields = schema.get("properties", {})
        return {name: _example(fields[name], base_url) for name in schema.get("required", ())}
    return _scalar(schema, base_url)


def _scalar(schema: Mapping[str, Any], base_url: str) -> Any:
    texts = {"date-time": MOMENT, "uri": base_url}
    return {
        "string": texts.get(schema.get("format", ""), ""),
        "integer": 0,
        "number": 0,
        "boolean": False,
        "array": [],
    }[schema.get("type", "string")]
