"""No text becomes a program: nothing of ours hands text to a shell, an interpreter, or a database as a statement."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[1]
FOLDERS = ("include", "dags", "plugins", ".github/scripts")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
OF_A_SHELL = re.compile(
    r"os\.(system|popen|exec\w+|spawn\w+|posix_spawn\w*)|subprocess\.(getoutput|getstatusoutput)|pty\.spawn"
)
OF_AN_INTERPRETER = re.compile(r"(builtins\.)?(eval|exec|compile|__import__)")
OF_YAML = re.compile(r"yaml\.(unsafe_|full_)?load(_all)?")
STARTS = re.compile(r"(subprocess\.)?(run|Popen|call|check_call|check_output)|asyncio\.create_subprocess_\w+")
STATEMENTS = re.compile(
    r"(.*\.)?(execute|executemany|exec_driver_sql|SQL|read_sql\w*|sql)|(sqlalchemy\.|sa\.)?text"
)
MODULES = frozenset({"pickle", "marshal", "shelve", "dill", "cloudpickle", "pty", "commands"})
EXCEPTIONS = {
    "include/demo_target/chat.py": {
        "f'DELETE FROM {table} WHERE thread_id = $1'": "the names of three tables, which stand beside the statement",
    },
    "include/loadtest/backtest/parquet_runs.py": {
        """f"CREATE VIEW {some_of('samples')} AS FROM samples\"""": "a name that the program makes",
    },
    "include/loadtest/collectors/postgres_session.py": {
        "f'{statement.strip()} {MARKER}'": "a statement of the program with a comment that marks it",
    },
    "include/loadtest/history/baselines.py": {
        "f'LOCK TABLE {BASELINE.fullname} IN SHARE ROW EXCLUSIVE MODE'": "the name of a table of the program's schema",
    },
    "include/loadtest/history/database.py": {
        """f"SET statement_timeout = '{limit_s}s'\"""": "a whole number of seconds",
        "f'SELECT version_num FROM {version}'": "the name of a table of the program's schema",
    },
    "include/loadtest/history/locks.py": {
        """f"SET LOCAL lock_timeout = '{2 * IDLE_S}s'\"""": "a whole number of seconds",
    },
    "include/loadtest/metrics/blocks.py": {
        "f'SELECT {numbers}, {names} FROM samples'": "words of samples, quoted; see test_blocks for words with quotes",
    },
    "include/loadtest/parts.py": {"f'CREATE TABLE {name} ({columns})'": "columns, which the program names"},
    "include/loadtest/target/plans.py": {
        "'EXPLAIN (GENERIC_PLAN) ' + statement": "a single SELECT, in a transaction that only reads; see test_plans",
    },
}
"""Statements that are put together and are none of those that are looked for: by file, each as it stands there; why."""
OPERATORS = re.compile(r"(Bash|SSH|Docker|KubernetesPod|PythonVirtualenv|ExternalPython)Operator|task\.bash")


def _name(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _is_built(node: ast.expr) -> bool:
    """Whether a text is put together from values that are no constants of the program (names in capitals)."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        return not all(_is_constant(part) for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        return any(isinstance(side, ast.Constant | ast.JoinedStr) for side in (node.left, node.right)) and not (
            _is_constant(node.left) and _is_constant(node.right)
        )
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and isinstance(node.func.value, ast.Constant)
    )


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.Name | ast.Attribute) and _name(node).split(".")[-1].isupper()
    )


def _faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            yield from ((node.lineno, f"import of {name}") for name in names if name.split(".")[0] in MODULES)
        if isinstance(node, ast.Call):
            yield from ((node.lineno, fault) for fault in _call_faults(node))


def _is_unsafe(option: ast.keyword) -> bool:
    is_false = isinstance(option.value, ast.Constant) and option.value.value is False
    return (option.arg == "shell" and not is_false) or (option.arg == "verify" and is_false)


def _call_faults(call: ast.Call) -> Iterator[str]:
    name, first = _name(call.func), call.args[0] if call.args else None
    for pattern in (OF_A_SHELL, OF_AN_INTERPRETER):
        if pattern.fullmatch(name):
            yield name
    yield from (f"{one.arg}={ast.unparse(one.value)}" for one in call.keywords if _is_unsafe(one))
    if OF_YAML.fullmatch(name) and "Safe" not in ast.unparse(call):
        yield name
    if STARTS.fullmatch(name) and isinstance(first, ast.Constant | ast.JoinedStr) and "shell" not in name:
        yield f"{name} with a text"
    if "subprocess_shell" in name:
        yield name
    if STATEMENTS.fullmatch(name) and first is not None and _is_built(first):
        yield ast.unparse(first)
    if OPERATORS.search(name):
        yield name


@pytest.mark.parametrize("source", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_no_text_becomes_a_program(source: Path) -> None:
    """No shell, eval, pickle, unsafe YAML, statement made of values, or operator of Airflow that runs text."""
    found = list(_faults(ast.parse(source.read_text(encoding="utf-8"))))
    known = EXCEPTIONS.get(str(source.relative_to(ROOT)), {})
    assert sorted(text for _, text in found) == sorted(known), found


@pytest.mark.parametrize(
    "text",
    [
        *("os.system('x')", "os.popen(x)", "subprocess.run(x, shell=True)", "subprocess.run(f'ls {x}')"),
        *("eval(x)", "exec(x)"),
        *("yaml.load(x)", "yaml.load(x, Loader=yaml.Loader)", "yaml.unsafe_load(x)"),
        *("import pickle", "from pickle import loads"),
        *("cursor.execute(f'SELECT {x}')", "cursor.execute('SELECT %s' % x)", "cursor.execute('SELECT ' + x)"),
        *("text('SELECT {}'.format(x))", "BashOperator(task_id='x', bash_command=x)", "httpx.get(x, verify=False)"),
        *("asyncio.create_subprocess_shell(x)", "os.execvp(x, y)", "sql.SQL(f'{x}')", "subprocess.getoutput(x)"),
    ],
)
def test_the_walk_finds_what_it_looks_for(text: str) -> None:
    """Each kind once."""
    assert list(_faults(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        *("subprocess.run([x])", "yaml.load(x, Loader=yaml.SafeLoader)", "re.compile(x)"),
        "cursor.execute(f'SELECT {SCHEMA}')",
    ],
)
def test_the_walk_lets_pass_what_is_safe(text: str) -> None:
    """Lists of arguments, the safe loader, constants of the program."""
    assert list(_faults(ast.parse(text))) == []


def test_the_walk_has_seen_the_program() -> None:
    """Each folder, and each file that has an exception."""
    for folder in FOLDERS:
        assert any(path.is_relative_to(ROOT / folder) for path in SOURCES), folder
    assert EXCEPTIONS.keys() <= {str(path.relative_to(ROOT)) for path in SOURCES}
