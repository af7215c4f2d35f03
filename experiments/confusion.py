"""`python -m experiments.confusion DIR`: diagnoses the bundles in DIR, and writes their confusion table into the docs.

A command of its own, since `make prove` changes nothing in the checkout.
"""

import argparse
import sys
from pathlib import Path

from experiments.fault_scores import confusion_table, diagnosed_runs
from include.embedded.state import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "diagnosis.md"
START, END = "<!-- confusion:start -->", "<!-- confusion:end -->"


def with_table(text: str, lines: list[str]) -> str:
    """The text with what stands between the marks replaced. Raises ValueError where it does not have both, once."""
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise ValueError(f"{START} and {END} have to stand there once, in this order")
    head, rest = text.split(START)
    return "\n".join([f"{head}{START}", *lines, f"{END}{rest.split(END)[1]}"])


def main(arguments: list[str] | None = None) -> int:
    """Write the table; exit code 2 where there is nothing to write, or nowhere."""
    parser = argparse.ArgumentParser(prog="python -m experiments.confusion", description=__doc__)
    parser.add_argument("bundles", type=Path, help="the folder of `RECORD=`")
    folder = parser.parse_args(arguments).bundles
    answers = diagnosed_runs(folder)
    if not answers:
        sys.stderr.write(f"{folder}: nothing is recorded there\n")
        return 2
    try:
        text = with_table(DOCUMENT.read_text(encoding="utf-8"), confusion_table(answers))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{DOCUMENT.name}: {error}\n")
        return 2
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
