"""The messages that a program marks for translation, and its catalogs as a whole."""

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from makul_language.catalog import parse_catalog
from makul_language.help_pages import is_example, paragraphs

ROOT: Final = Path(__file__).resolve().parents[2]
LANGUAGES: Final = ("ky", "ru")
MARKS: Final = {"DeferredMessage": 0, "translate": 0, "translate_to": 1, "mark": 0}
"""The functions that mark a message, and the position of the message among their arguments."""

Key = tuple[str, str]
"""Context and English text."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program, or the package of what both programs say."""

    name: str
    package: Path
    catalogs: Path
    """The directory of the catalogs."""
    shared: "Program | None" = None
    """The package whose catalogs have the messages that are left out of these."""

    def file(self, language: str) -> Path:
        """Return the catalog of a language."""
        return self.catalogs / f"{language}.po"

    def translations(self, language: str) -> Mapping[Key, str]:
        """Return what the program itself reads from a catalog."""
        return parse_catalog(self.file(language).read_text(encoding="utf-8"))

    def messages(self, trees: Mapping[str, Any] | None = None) -> dict[Key, str]:
        """Return every message with the place that it comes from, in a stable order.

        `trees` has the commands of each program of this package, by the name of the program.
        """
        messages: dict[Key, str] = {}
        for path in sorted(self.package.rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            for key in marked(source, str(path)):
                messages.setdefault(key, str(path.relative_to(self.package)))
        for name, tree in (trees or {}).items():
            for path, text in self.help_texts(name, tree):
                messages.setdefault(("", text), f"{path} --help")
        shared = self.shared.messages() if self.shared else {}
        return {key: place for key, place in messages.items() if key not in shared}

    def help_texts(self, path: str, command: Any) -> Iterator[tuple[str, str]]:
        """Return each paragraph of the help of a command and of the commands below it."""
        command = getattr(command, "loaded", command)
        texts = [command.help, command.epilog, *(each.help for each in command.params)]
        for text in filter(None, texts):
            for paragraph in paragraphs(text):
                if paragraph and not is_example(paragraph):
                    yield path, paragraph
        for name, inner in getattr(command, "commands", {}).items():
            yield from self.help_texts(f"{path} {name}", inner)


def marked(source: str, name: str = "source") -> Iterator[Key]:
    """Return the messages that a module marks. A mark of something else than a text is an error."""
    tree = ast.parse(source)
    marks = {
        each.asname or each.name: MARKS[each.name]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".translation")
        for each in node.names
        if each.name in MARKS
    }
    marks |= MARKS if name.endswith("translation.py") else {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        position = marks.get(node.func.id)
        if position is None or len(node.args) <= position:
            continue
        text = node.args[position]
        context = next((each.value for each in node.keywords if each.arg == "context"), None)
        if isinstance(text, ast.JoinedStr | ast.BinOp):
            raise SystemExit(f"{name}:{node.lineno}: a template has named fields, not values")
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield (context.value if isinstance(context, ast.Constant) else ""), text.value


def write_catalog(
    language: str, messages: Mapping[Key, str], translations: Mapping[Key, str]
) -> str:
    """Return the text of a catalog: every message, with its translation if there is one."""
    entries = [
        f"# Makul. CONTRIBUTING.md says how to edit and check this file.\n{_quoted('msgid', '')}\n"
        + _quoted("msgstr", f"Language: {language}\nContent-Type: text/plain; charset=UTF-8\n")
    ]
    for (context, text), place in messages.items():
        lines = [f"#: {place.replace(' ', '_')}"]
        lines += [_quoted("msgctxt", context)] if context else []
        lines += [_quoted("msgid", text), _quoted("msgstr", translations.get((context, text), ""))]
        entries.append("\n".join(lines))
    return "\n\n".join(entries) + "\n"


def _quoted(part: str, text: str) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) > 1:
        lines = ["", *lines]
    return "\n".join([part + " " + _string(lines[0] if lines else ""), *map(_string, lines[1:])])


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def untranslated(messages: Iterable[Key], translations: Mapping[Key, str]) -> list[Key]:
    """Return the messages that have no translation."""
    return [key for key in messages if key not in translations]
