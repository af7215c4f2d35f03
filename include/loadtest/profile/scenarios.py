"""Which scenarios there are: the built-in ones, and every module of the locustfiles that says what its user asks next.

The files are parsed, never imported: they belong to the generator's own process.
"""

import ast
import re
from pathlib import Path

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile.vocabulary import SCENARIO_PATTERN, SCENARIOS
from include.loadtest.profile.yaml_source import YamlSource

LOCUSTFILES_DIR = Path(__file__).parents[2] / "locustfiles"
ENTRY = "next_call"
"""The top-level function that makes a module a scenario."""
_NAME_SHOWN = 60


def scenario_names(folder: Path = LOCUSTFILES_DIR) -> list[str]:
    """All scenarios: the built-in ones in their order, then the further ones by name."""
    own = sorted(path.stem for path in folder.glob("*.py") if path.stem not in SCENARIOS)
    return [*SCENARIOS, *(name for name in own if _is_name(name) and not _missing_part(folder / f"{name}.py"))]


def check_scenarios(source: YamlSource, mix_pct: object) -> None:
    """Raise ConfigError with `file:line` for a scenario that does not exist. What is no mapping has no names."""
    for name in mix_pct if isinstance(mix_pct, dict) else ():
        problem = unknown_scenario(name)
        if problem is not None:
            raise ConfigError(f"{source.where(['mix_pct', str(name)])}: mix_pct: {problem}")


def unknown_scenario(name: object, folder: Path = LOCUSTFILES_DIR) -> str | None:
    """Why a name is none of a scenario, with what to do, on one line; None for one that exists."""
    if name in SCENARIOS:
        return None
    is_name = isinstance(name, str) and _is_name(name)
    missing = _missing_part(folder / f"{name}.py") if is_name else None
    if is_name and missing is None:
        return None
    shown = " ".join(repr(name).split())[:_NAME_SHOWN]
    hint = nearest(name, scenario_names(folder))  # reads all of the files
    if not is_name:
        return f"unknown scenario {shown}; {hint} (a name begins with a-z and has at most 40 of a-z, 0-9 and _)"
    file = f"include/locustfiles/{name}.py"
    if (folder / f"{name}.py").exists():
        return f"unknown scenario {shown}: {file} {missing}; {hint}"
    return f"unknown scenario {shown}; {hint.removesuffix('?')}, or add {file} with a function {ENTRY}"


def _is_name(text: str) -> bool:
    return re.fullmatch(SCENARIO_PATTERN, text) is not None


def _missing_part(path: Path) -> str | None:
    """What a file lacks to be a scenario; None for a scenario."""
    try:
        tree = ast.parse(path.read_bytes(), filename=path.name)
    except OSError:
        return "cannot be read"
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        return f"is no valid Python{f' (line {line})' if line else ''}"
    if any(isinstance(node, ast.FunctionDef) and node.name == ENTRY for node in tree.body):
        return None
    return f"defines no function {ENTRY}"
