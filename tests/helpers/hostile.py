"""A hundred orders that nobody should give: profiles as text, parameters of a DAG run, inputs of `make run`.

Each is either refused in one line, or its text is kept as text. None is run, read from another file, or filled in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from include.embedded.inputs import read_inputs
from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.profile import find_profile
from include.loadtest.target.settings import load_target_file

SMOKE = find_profile("smoke").read_text(encoding="utf-8")
PARAMS = {"profile": "smoke", "users": None, "duration_s": None, "engine": None, "target": "demo", "reason": ""}
LONG = 10 * 1024 * 1024
LONGEST_LINE = 1000
LONGEST_TITLE = 80
Kind = Literal["profile", "params", "inputs"]
Fate = Literal["refused", "text"]


@dataclass(frozen=True)
class Hostile:
    """One order. `value`: the profile's text, what is changed of the parameters, or the inputs; `fate` is expected."""

    name: str
    kind: Kind
    value: Any
    fate: Fate = "refused"

    def give(self) -> str:
        """Give the order; returns "text" if it was taken, else the line of the refusal."""
        try:
            if self.kind == "inputs":
                read_inputs(self.value)
            else:
                params = {"profile": None, "profile_yaml": self.value} if self.kind == "profile" else self.value
                order = RunOrder.from_params({**PARAMS, **params})
                order.load_profile()
                load_target_file(order.target)
        except ConfigError as error:
            return str(error)
        return "text"


def is_one_clear_line(text: str) -> bool:
    """Of a length that a person reads, without control characters and marks that turn the direction of text."""
    return bool(text) and len(text) <= LONGEST_LINE and text.isprintable()


def canaries(path: Path) -> tuple[str, ...]:
    """Texts that would make a file if something ran them."""
    return (
        f"$(touch {path})", f"`touch {path}`", f"; touch {path} #", f"| touch {path}", f"&& touch {path}",
        f"'; touch {path}; '", f"\" && touch {path} && \"", f"\n touch {path}\n", f"%0atouch {path}",
        f"{{{{ ''.__class__.__mro__[1].__subclasses__() or open('{path}', 'w') }}}}",
        f"{{% import os %}}{{{{ os.popen('touch {path}').read() }}}}",
        f"{{{{ macros.os.system('touch {path}') }}}}", f"${{touch:{path}}}", f"__import__('os').system('touch {path}')",
        f"=cmd|' /C touch {path}'!A0", f"<script>fetch('file://{path}')</script>",
    )  # fmt: skip


def cases(canary: Path) -> list[Hostile]:
    """All of them."""
    return [*_profiles(canary), *_params(canary), *_inputs(canary)]


def _profiles(canary: Path) -> Iterator[Hostile]:
    for number, text in enumerate(canaries(canary)):
        quoted = "'" + text.replace("'", "''").replace("\n", " ") + "'"
        titled = SMOKE.replace("title: Smoke", f"title: {quoted}")
        yield Hostile(f"title runs {number}", "profile", titled, _fate(text))
    for tag in _tags(canary):
        yield Hostile(f"tag {tag[:40]}", "profile", SMOKE.replace("title: Smoke", f"title: {tag}"))
    for name, text in {**_bombs(), **_broken(canary)}.items():
        yield Hostile(name, "profile", text)


def _tags(canary: Path) -> tuple[str, ...]:
    return (
        f"!!python/object/apply:os.system ['touch {canary}']",
        f"!!python/object/new:os.system ['touch {canary}']",
        "!!python/name:os.system", "!!python/module:os", f"!!python/object/apply:subprocess.Popen [[touch, {canary}]]",
        "!!timestamp x", "!!bool perhaps", "!!int ''", "!!float x", "!!binary '*'", "!!set {a, b}",
        "!include /etc/passwd", "!ENV ${HOME}", "!!js/function 'x'",
    )  # fmt: skip


def _bombs() -> dict[str, str]:
    """Small or cheap to send, and endless for who reads them without bounds."""
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)
    )
    return {
        "aliases of aliases": bomb,
        "an alias of itself": "name: smoke\na: &a [*a]\n",
        "deep lists": "a: " + "[" * 20_000,
        "deep mappings": "{a: " * 10_000,
        "no end of keys": "\n".join(f"k{number}: 1" for number in range(6000)),
        "10 MB": "name: " + "x" * LONG,
    }


def _broken(canary: Path) -> dict[str, str]:
    """Profiles with one wrong thing each."""
    return {
        "a null byte": SMOKE.replace("Smoke", "Sm\x00oke"),
        "half of a sign": SMOKE.replace("Smoke", "Sm\ud800oke"),
        "a name that is a path": SMOKE.replace("name: smoke", "name: ../../etc/passwd"),
        "a name that turns around": SMOKE.replace("name: smoke", "name: sm\u202eoke"),
        "a name that runs": SMOKE.replace("name: smoke", f"name: $(touch {canary})"),
        "users without end": SMOKE.replace("users: 10", "users: .inf"),
        "users that are no number": SMOKE.replace("users: 10", "users: .nan"),
        "users of 400 digits": SMOKE.replace("users: 10", "users: 1" + "0" * 400),
        "users of 60,000 digits": SMOKE.replace("users: 10", "users: " + "9" * 60_000),
        "a negative time": SMOKE.replace("duration_s: 60", "duration_s: -1"),
        "a limit that is no number": SMOKE.replace("limit: 4000", "limit: .nan"),
        "keys of prototypes": SMOKE + "__proto__: {users: 1}\nconstructor: {prototype: 1}\n",
        "keys of Python": SMOKE + "__class__: x\n__dict__: {users: 1}\n",
        "a merge of nothing": SMOKE + "<<: *missing\n",
        "a merge of text": SMOKE + "<<: text\n",
        "two documents": SMOKE + "---\n" + SMOKE,
        "a key twice": SMOKE + "users: 200\n",
        "a key that is a list": SMOKE + "? [a, b]\n: 1\n",
        "no profile": "- a\n- b\n",
        "bytes": "".join(map(chr, range(256))),
    }


def _fate(title: str) -> Fate:
    return "text" if len(title) <= LONGEST_TITLE else "refused"


def _params(canary: Path) -> Iterator[Hostile]:
    for number, text in enumerate(canaries(canary)[:10]):
        yield Hostile(f"reason runs {number}", "params", {"reason": text}, "text")
    for number, text in enumerate(canaries(canary)[:4]):
        yield Hostile(f"profile runs {number}", "params", {"profile": text})
        yield Hostile(f"target runs {number}", "params", {"target": text})
    names = (
        "../../../etc/passwd", "/etc/passwd", "..%2f..%2fetc%2fpasswd", "smoke\x00.yaml", "./smoke.yaml", "smoke.yaml",
        str(canary.with_suffix(".yaml")), "include/profiles/smoke.yaml", "file:///etc/passwd", "smoke\u202e", "ſmoke",
        "\ud800", "a\nb", "x" * LONG, "{{ params.target }}", "__proto__", "CON",
    )  # fmt: skip
    for name in names:
        yield Hostile(f"profile {name[:30]!a}", "params", {"profile": name})
        yield Hostile(f"target {name[:30]!a}", "params", {"target": name})
    for users in (0, -1, 10**30, 201):
        yield Hostile(f"users {users}", "params", {"users": users})
    yield Hostile("an engine that runs", "params", {"engine": f"locust; touch {canary}"})
    yield Hostile("a reason of 10 MB", "params", {"reason": "x" * LONG}, "text")


def _inputs(canary: Path) -> Iterator[Hostile]:
    wrong: tuple[Mapping[str, str], ...] = (
        {"PROFILE": f"smoke; touch {canary}"}, {"PROFILE": f"$(shell touch {canary})"}, {"PROFILE": "../../x"},
        {"PROFILE": "smoke\n"}, {"PROFILE": "/dev/zero"}, {"PROFILE": "/proc/self/mem"}, {"SUITE": "../weekly"},
        {"PROFILE": "smoke", "USERS": "1e9"}, {"PROFILE": "smoke", "USERS": "٣"},
        {"PROFILE": "smoke", "USERS": "9" * 5000},
        {"PROFILE": "smoke", "DURATION_S": "-1"}, {"PROFILE": "smoke", "ENGINE": f"`touch {canary}`"},
        {"PROFILE": "smoke", "TARGET": "../pratikoai"}, {"PROFILE": "smoke", "TARGET": "demo\x00"},
        {"PROFILE": "smoke", "IGNORE_BLACKOUT": "true"}, {"PROFILE": "x" * 100_000}, {"PROFILE": "a/b\u202e\n.yaml"},
    )  # fmt: skip
    for value in wrong:
        yield Hostile(f"make run {' '.join(value.values())[:30]!a}", "inputs", value)
    for number, text in enumerate(canaries(canary)[:3]):
        confirmed = {"PROFILE": "smoke", "CONFIRM_PRODUCTION": text}
        yield Hostile(f"confirmed by {number}", "inputs", confirmed, "text")
