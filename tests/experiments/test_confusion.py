"""The confusion table in the docs: only what stands between the marks is replaced."""

from pathlib import Path

import pytest

from experiments.confusion import END, START, main, with_table

pytestmark = pytest.mark.unit


def test_only_the_part_between_the_marks_is_replaced() -> None:
    """And once more gives the same."""
    text = f"before\n{START}\n| old |\n{END}\nafter\n"
    written = with_table(text, ["| a |", "| --- |"])
    assert written == f"before\n{START}\n| a |\n| --- |\n{END}\nafter\n"
    assert with_table(written, ["| a |", "| --- |"]) == written


@pytest.mark.parametrize("text", ["", START, f"{END}\n{START}", f"{START}{START}{END}"])
def test_a_document_without_both_marks_is_left_alone(text: str) -> None:
    """Nothing is written to a place that is not meant."""
    with pytest.raises(ValueError, match="confusion:start"):
        with_table(text, ["| a |"])


def test_a_folder_without_recorded_runs_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why."""
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path}: nothing is recorded there\n"
