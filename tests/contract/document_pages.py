"""A page of documentation in parts: fenced blocks, inline code, tables, links, headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FENCE: Final = re.compile(r"```([a-z]*)\s*")
_SPAN: Final = re.compile(r"`([^`]+)`")
_INDENTED: Final = re.compile(r" {4}\S")
_LINK: Final = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
_COLUMN: Final = re.compile(r"(?<!\\)\|")
_PROMPT: Final = "$ "


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `number` is the line of its fence."""

    number: int
    language: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the text between the fences."""
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, without the marks of inline code."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One file, with its path from the root."""

    name: str
    text: str

    @classmethod
    def of(cls, file: Path, root: Path) -> "Page":
        """Read a file."""
        content = file.read_text(encoding="utf-8") if file.is_file() else ""
        return cls(file.resolve().relative_to(root.resolve()).as_posix(), content)

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Return every line with its number."""
        return enumerate(self.text.splitlines(), start=1)

    def blocks(self) -> Iterator[Block]:
        """Return every fenced block; a block that is never closed goes to the end."""
        fence_start: tuple[int, str] | None = None
        lines: list[str] = []
        for number, line in self.numbered():
            fence = _FENCE.fullmatch(line)
            if fence_start is None and fence is not None:
                fence_start, lines = (number, fence[1]), []
            elif fence_start is not None and fence is not None:
                yield Block(*fence_start, tuple(lines))
                fence_start = None
            else:
                lines.append(line)
        if fence_start is not None:
            yield Block(*fence_start, tuple(lines))

    def prose(self) -> Iterator[tuple[int, str]]:
        """Return every line outside fenced blocks."""
        inside = {
            number
            for block in self.blocks()
            for number in range(block.number, block.number + len(block.lines) + 2)
        }
        return ((number, line) for number, line in self.numbered() if number not in inside)

    def shell_lines(self, languages: frozenset[str]) -> Iterator[tuple[int, str]]:
        """Return commands in blocks: the lines with a prompt, or all lines if none has one."""
        yield from ((n, line.strip()) for n, line in self.prose() if _INDENTED.match(line))
        for block in self.blocks():
            if block.language not in languages:
                continue
            prompted = any(line.startswith(_PROMPT) for line in block.lines)
            for number, line in _joined(block):
                if line.startswith(_PROMPT):
                    yield number, line.removeprefix(_PROMPT)
                elif not prompted:
                    yield number, line

    def spans(self) -> Iterator[tuple[int, str]]:
        """Return inline code."""
        return ((number, span) for number, line in self.prose() for span in _SPAN.findall(line))

    def links(self) -> Iterator[tuple[int, str]]:
        """Return the targets of relative links."""
        return ((number, link) for number, line in self.prose() for link in _LINK.findall(line))

    def anchors(self) -> frozenset[str]:
        """Return headings in the form in which links name them."""
        headings = (line.lstrip("#") for _, line in self.prose() if line.startswith("#"))
        return frozenset(
            re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
            for heading in headings
        )

    def table(self, first: str) -> Iterator[Row]:
        """Return the rows of every table whose first heading is `first`."""
        heading = ""
        before = ""
        for number, line in self.prose():
            if not line.startswith("|"):
                heading = ""
            elif re.fullmatch(r"[|\s:-]+", line):
                heading = _cells(before)[0]
            elif heading == first:
                yield Row(number, _cells(line))
            before = line


def pages_in(root: Path) -> dict[str, Page]:
    """Return every page of documentation below `root`, by its path."""
    files = [
        *sorted(root.glob("*.md")),
        *sorted((root / "docs").rglob("*.md")),
        *sorted((root / "clients").glob("*/*.md")),
    ]
    return {page.name: page for page in (Page.of(file, root) for file in files)}


def _joined(block: Block) -> Iterator[tuple[int, str]]:
    """Join lines that end with a backslash with the next one, under the first line's number."""
    begun, held = 0, ""
    for number, line in enumerate(block.lines, start=block.number + 1):
        begun, held = (begun, held + line.strip()) if held else (number, line)
        if held.endswith("\\"):
            held = held[:-1]
            continue
        yield begun, held
        held = ""


def _cells(line: str) -> tuple[str, ...]:
    cells = _COLUMN.split(line.strip().strip("|"))
    return tuple(_SPAN.sub(r"\1", cell.strip()) for cell in cells)
