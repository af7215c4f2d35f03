"""Every key that a profile may have, with the default that the code gives it, in the words of the documentation."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from include.loadtest.profile.explaining import _SUB_MODELS as SUB_MODELS
from include.loadtest.profile.model import Profile
from include.loadtest.profile.reference import requirements

REQUIRED = "required"
OF_THE_FILE = ("scenario_limits", "resource_limits")
"""Keys that the loader takes out before a profile is made of the rest."""
KINDS = ("steady.kind", "steps.kind", "spike.kind")
"""The same as `shape.kind`."""


def profile_keys() -> dict[str, str]:
    """By dotted name as an error has it: a shape's kind stands in it, an entry of `slos` is `slos.metric`."""
    shared = requirements().completed({})
    found = dict(_keys("", Profile, shared)) | dict.fromkeys(OF_THE_FILE, REQUIRED)
    for path, model in SUB_MODELS.items():
        found |= dict(_keys(f"{path}.", model, _part(shared, path)))
    return {path: default for path, default in found.items() if not path.endswith(KINDS)}


def _part(shared: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    part: Any = shared
    for key in path.split("."):
        part = part.get(key, {}) if isinstance(part, Mapping) else {}
    return part if isinstance(part, Mapping) else {}


def _keys(prefix: str, model: type[BaseModel], shared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        if prefix + name not in SUB_MODELS or prefix == "":
            yield prefix + name, _default(name, field, shared)


def _default(name: str, field: FieldInfo, shared: Mapping[str, Any]) -> str:
    if name in shared:
        return "below" if isinstance(shared[name], Mapping) else _words(shared[name])
    if field.is_required():
        return REQUIRED
    return _words(field.get_default(call_default_factory=True))


def _words(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, BaseModel):
        return str(getattr(value, "kind", "below"))
    if isinstance(value, float):
        return f"{value:g}"
    return "empty" if value in ((), {}, []) else str(value)
