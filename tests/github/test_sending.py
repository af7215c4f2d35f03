"""The step that sends the load: what it keeps, how it ends, and that what it prints commands nothing."""

import re

import pytest

from tests.github.conftest import Runner

pytestmark = pytest.mark.integration
INPUTS = dict.fromkeys(("SUITE", "USERS", "DURATION_S", "ENGINE", "GENERATORS", "TARGET", "IGNORE_BLACKOUT"), "") | {
    "PROFILE": "smoke"
}


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_exit_code_and_the_output_are_kept(runner: Runner, code: int) -> None:
    """`make run` decides how the step ends; standard output is shown and kept, errors are shown."""
    runner.fake("make", f'echo "profile $PROFILE"; echo "broken" >&2; echo "verdict: X"; exit {code}')
    output = runner.temp / "load_test.txt"
    done = runner.run("load-test", "Send the load", **INPUTS, LOAD_TEST_OUTPUT=str(output))
    assert done.returncode == code
    assert output.read_text() == "profile smoke\nverdict: X\n"
    assert output.read_text() in done.stdout
    assert done.stderr == "broken\n"
    assert runner.calls == ["make run"]


def test_a_line_of_the_load_is_no_command_of_githubs(runner: Runner) -> None:
    """Everything that the load prints lies between two lines with a word that it cannot know."""
    runner.fake("make", 'echo "::error::from the target"; echo "##[add-path]/tmp"; exit 1')
    done = runner.run("load-test", "Send the load", **INPUTS, LOAD_TEST_OUTPUT=str(runner.temp / "x"))
    lines = done.stdout.splitlines()
    word = re.fullmatch(r"::stop-commands::([0-9a-f-]{36})", lines[0])
    assert word is not None
    assert lines[1:] == ["::error::from the target", "##[add-path]/tmp", f"::{word[1]}::"]
