"""What is wrong in a profile, as one line for a person: where, what, and what to write instead."""

import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from include.loadtest.errors import nearest
from include.loadtest.profile.checks import Checks, DocumentBytes
from include.loadtest.profile.model import Profile
from include.loadtest.profile.parts import Growth, Meaning, Plan, Questions, ThinkTime, WarmUp
from include.loadtest.profile.rules import AutoStop, ChangeTest, LlmCap, Starvation, Validity
from include.loadtest.profile.shape import Arrival, BreakingPoint, Frozen, Recovery, Spike, Steady, Steps
from include.loadtest.profile.slo import Slo
from include.loadtest.profile.yaml_source import YamlSource

_SUB_MODELS: dict[str, type[BaseModel]] = {
    "think_time_s": ThinkTime,
    "questions": Questions,
    "warm_up": WarmUp,
    "validity": Validity,
    "validity.starvation": Starvation,
    "auto_stop": AutoStop,
    "change_test": ChangeTest,
    "arrival": Arrival,
    "checks": Checks,
    "checks.document_bytes": DocumentBytes,
    "meaning": Meaning,
    "plan": Plan,
    "plan.growth_pct_a_month.range": Growth,
    "llm": LlmCap,
    "slos": Slo,
    "shape": Steady,
    "shape.steady": Steady,
    "shape.steps": Steps,
    "shape.steps.breaking_point": BreakingPoint,
    "shape.steps.recovery": Recovery,
    "shape.spike": Spike,
    "shape.spike.recovery": Recovery,
}
"""Models by the path of keys; a shape's kind stands in the path, as pydantic has it."""
SHAPE_KINDS = tuple(key.partition(".")[2] for key in _SUB_MODELS if key.startswith("shape.") and key.count(".") == 1)


def explained_line(source: YamlSource, error: ValidationError) -> str:
    """The first error; an unknown key comes first, since it explains the missing one beside it."""
    errors = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    first = errors[0]
    path = [part for part in first["loc"] if part != "[key]"]
    text = _explained(path, first)
    others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    subject = re.split(r"[^a-z0-9_]", text, maxsplit=1)[0]
    return f"{source.where([*_yaml_path(path), subject])}: {text}{others}"


def _yaml_path(path: list[Any]) -> list[Any]:
    """The path as the file has it: without the kind of a shape, or of a growth, which pydantic puts into it."""
    if path[:2] == ["plan", "growth_pct_a_month"]:
        return [*path[:2], *path[3:]]
    return [path[0], *path[2:]] if path[:1] == ["shape"] and len(path) > 1 and path[1] in SHAPE_KINDS else path


def _explained(path: list[Any], detail: ErrorDetails) -> str:
    name = ".".join(str(part) for part in _yaml_path(path))
    kind, message, value = detail["type"], detail["msg"], detail["input"]
    if kind == "value_error":
        return f"{name + ': ' if path else ''}{message.removeprefix('Value error, ')}"
    texts: dict[str, Callable[[], str]] = {
        "extra_forbidden": lambda: f"unknown key; {nearest(path[-1], _known_keys(path))}",
        "missing": lambda: "missing; add it (include/profiles/smoke.yaml shows each key)",
        "tuple_type": lambda: f"expected a list (lines that begin with a dash), found {_shown(value)}",
        "dict_type": lambda: f"expected keys and values, found {_shown(value)}",
        "model_type": lambda: f"expected keys and values, found {_shown(value)}",
        "literal_error": lambda: f"unknown value {_shown(value)}; {nearest(value, _literals(detail))}",
        "union_tag_invalid": lambda: (
            f"unknown kind {_shown(value.get('kind'))}; {nearest(value.get('kind'), SHAPE_KINDS)}"
        ),
        "union_tag_not_found": lambda: f"missing key kind; valid: {', '.join(SHAPE_KINDS)}",
        "string_pattern_mismatch": lambda: f"use a-z, 0-9, - and _ only (at most 60), found {_shown(value)}",
    }
    own = texts.get(kind, lambda: f"{message[0].lower()}{message[1:]}, found {_shown(value)}{_unit_hint(path)}")
    return f"{name}: {own()}"


def _known_keys(path: list[Any]) -> list[str]:
    if len(path) == 1:
        return [*Profile.model_fields, "scenario_limits", "resource_limits"]
    keys = [str(part) for part in path[:-1] if not isinstance(part, int)]
    model = _SUB_MODELS.get(".".join(keys))
    return list(model.model_fields) if model else list(Frozen.model_fields)


def _literals(detail: ErrorDetails) -> list[str]:
    return [part.strip().strip("'") for part in detail["ctx"]["expected"].replace(" or ", ",").split(",")]


def _shown(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "…"


def _unit_hint(path: list[Any]) -> str:
    name = next((str(part) for part in reversed(path) if isinstance(part, str) and not part.isdigit()), "")
    if any(str(part).endswith("_s") for part in path):
        return "; write seconds as a number, without a unit"
    if any(str(part).endswith("_pct") for part in path):
        return "; write per cent as a whole number, without a sign"
    return "; write a plain number, without a unit" if name in ("limit", "users", "warning_margin") else ""
