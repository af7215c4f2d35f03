"""YAML with the line of each key, so that an error can say where; refuses what YAML would silently accept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from include.loadtest.errors import ConfigError, nearest

Model = TypeVar("Model", bound=BaseModel)
MAX_BYTES = 64 * 1024
"""Larger files are no profiles; a bound keeps hostile input (binaries) cheap."""
MAX_VALUES = 20_000
"""As many as a file of that size has without aliases; a few lines with aliases of aliases stand for billions."""
MAX_DEPTH = 50
"""A profile has six levels."""
TOO_DEEP = f"nested more than {MAX_DEPTH} deep, which no profile is; write fewer levels"
_FAST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Twelve times as fast where libyaml is there, which counts: each reading of a DAG file reads profiles."""
_NOT_YAML = (yaml.YAMLError, ValueError, RecursionError, AttributeError, LookupError, TypeError)
"""The last three: what its constructors raise of a value that does not fit its tag (`!!timestamp x`, `!!bool x`)."""


@dataclass(frozen=True)
class YamlSource:
    """A parsed document; `lines` maps a path of keys and indexes to the line (from 1) where it stands."""

    name: str
    data: Any
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def where(self, path: Sequence[str | int]) -> str:
        """`file:line` of the deepest known part of a path."""
        parts = tuple(path)
        while parts and parts not in self.lines:
            parts = parts[:-1]
        return f"{self.name}:{self.lines.get(parts, 1)}"


def read_yaml(path: Path) -> YamlSource:
    """Parse a file. Raises ConfigError: not found, not readable, too large, not YAML."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ConfigError(
                f"{path}: {size} bytes are too many for a profile (at most {MAX_BYTES}); is it the right file?"
            )
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text file in UTF-8; write the profile as YAML text") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> YamlSource:
    """Parse text; `name` stands for the file in messages. Raises ConfigError with the line."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ConfigError(f"{name}: more than {MAX_BYTES} bytes are too many for a profile")
    if _opens(text) > MAX_DEPTH:
        raise ConfigError(f"{name}:1: {TOO_DEEP}")
    try:
        return _parsed(text, name, _FAST_LOADER)
    except RecursionError as error:
        raise ConfigError(f"{name}:1: {TOO_DEEP}") from error
    except _NOT_YAML:
        pass  # the slower parser says what is wrong in plainer words
    try:
        return _parsed(text, name, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(
            f"{name}:{line}: not valid YAML: {error.problem}; check indentation, colons and quotes"
        ) from error
    except _NOT_YAML as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{name}:1: not valid YAML: {reason}; write the profile as plain YAML text") from error


def _opens(text: str) -> int:
    """The most brackets that are open at once; with 2,000 of them either parser takes a minute.

    Those in quotes and comments count too: no profile has so many.
    """
    depth = deepest = 0
    for found in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if found.group() in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _parsed(text: str, name: str, loader: Any) -> YamlSource:
    lines: dict[tuple[str | int, ...], int] = {}
    document = loader(text)
    try:
        node = document.get_single_node()
        if node is None:
            return YamlSource(name, None, lines)
        _walk(node, (), lines, name, set())  # before anything is made of it: aliases of aliases stand for billions
        return YamlSource(name, document.construct_document(node), lines)
    finally:
        document.dispose()


def _walk(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    name: str,
    open_nodes: set[int],
) -> None:
    line = node.start_mark.line + 1
    if id(node) in open_nodes:
        raise ConfigError(f"{name}:{line}: an alias that contains itself; write the value out")
    if len(path) > MAX_DEPTH or len(lines) > MAX_VALUES:
        too_many = f"more than {MAX_VALUES} values, which no profile has; write it out, without aliases of aliases"
        raise ConfigError(f"{name}:{line}: {TOO_DEEP if len(path) > MAX_DEPTH else too_many}")
    lines.setdefault(path, line)
    open_nodes.add(id(node))
    if isinstance(node, yaml.MappingNode):
        _walk_mapping(node, path, lines, name, open_nodes)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*path, index), lines, name, open_nodes)
    open_nodes.discard(id(node))


def _walk_mapping(
    node: yaml.MappingNode,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    name: str,
    open_nodes: set[int],
) -> None:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(f"{name}:{line}: a key must be a plain word")
        key = str(key_node.value)
        if key in seen:
            raise ConfigError(f"{name}:{line}: {key} stands twice (first on line {seen[key]}); keep one")
        seen[key] = line
        lines[(*path, key)] = line
        _walk(value_node, (*path, key), lines, name, open_nodes)


def immutable(value: Any) -> Any:
    """The value with its lists as tuples, which is what strict models take."""
    if isinstance(value, dict):
        return {name: immutable(part) for name, part in value.items()}
    return tuple(immutable(part) for part in value) if isinstance(value, list) else value


def model_of(source: YamlSource, model: type[Model], parts: Mapping[str, type[BaseModel]], example: str) -> Model:
    """The model of a parsed file. Raises ConfigError with `file:line`; `parts` and `example` as in `one_line`."""
    if not isinstance(source.data, dict):
        raise ConfigError(f"{source.name}:1: expected keys and values; start from {example}")
    try:
        return model.model_validate(immutable(source.data))
    except ValidationError as error:
        raise ConfigError(one_line(source, error, model, parts, example)) from error


def one_line(
    source: YamlSource,
    error: ValidationError,
    root: type[BaseModel],
    parts: Mapping[str, type[BaseModel]],
    example: str,
) -> str:
    """The first error as `file:line: key: what is wrong`; an unknown key comes first: it explains a missing one.

    `root` is the model of the file, `parts` are those of its keys that hold keys (dotted where they lie deeper);
    `example` is a file to look into.
    """
    errors = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    detail: Any = errors[0]
    path = [part for part in detail["loc"] if isinstance(part, int) or "[" not in part]
    others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    if detail["type"] == "extra_forbidden":
        keys = ".".join(part for part in path[:-1] if isinstance(part, str))
        model = parts.get(keys, parts.get(str(path[0]), root)) if len(path) > 1 else root
        text = f"unknown key; {nearest(path[-1], (own.alias or name for name, own in model.model_fields.items()))}"
    elif detail["type"] == "missing":
        text = f"missing; add it ({example} shows each key)"
    else:
        message = detail["msg"].removeprefix("Value error, ")
        text = f"{message[0].lower()}{message[1:]}, found {str(detail['input'])[:60]!r}"
    return f"{source.where(path)}: {'.'.join(str(part) for part in path)}: {text}{others}"
