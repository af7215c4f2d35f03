"""The project's documents as tests read them: their code, links, headings, tables and runnable blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUNBOOKS = DOCS / "runbooks"
_FENCE = re.compile(r"^[ ]*```([^\n]*)\n(.*?)^[ ]*```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)>\s]+)>?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its info string, its text."""

    page: str
    info: str
    text: str

    @property
    def label(self) -> str:
        """For test ids."""
        return f"{Path(self.page).stem}-{self.text.split()[0]}"


def documents() -> list[Path]:
    """The README and every page below docs/."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [Block(path.name, info.strip(), text) for info, text in _FENCE.findall(path.read_text(encoding="utf-8"))]


def runnable(info: str) -> list[Block]:
    """The blocks of all pages that are marked so."""
    return [block for path in documents() for block in blocks(path) if block.info == info]


def code_of(path: Path) -> str:
    """What stands in code spans and in blocks, a line each."""
    text = path.read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    indented = re.findall(r"^    +(\S.*)$", text, re.MULTILINE)
    return "\n".join([*spans, *indented, *(block.text for block in blocks(path))])


def links(path: Path) -> list[str]:
    """The targets of the page's links and pictures outside of code."""
    text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", path.read_text(encoding="utf-8")))
    return _LINK.findall(text)


def anchors(path: Path) -> set[str]:
    """Ids of the page's headings, as GitHub makes them."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def slug(heading: str) -> str:
    """A heading as an anchor.

    >>> slug("Calls of the LLM, and a cap on them")
    'calls-of-the-llm-and-a-cap-on-them'
    """
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")


def section(path: Path, heading: str) -> str:
    """The text below a heading, up to the next one."""
    text = path.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    assert text, f"{path.name} has no section {heading}"
    return text.partition("\n## ")[0]


def first_cells(text: str) -> Iterator[str]:
    """The code spans in the first column of the tables in a text."""
    for cell in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE):
        yield from re.findall(r"`([^`]+)`", cell)
