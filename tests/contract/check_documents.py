"""Check that the documents agree with the programs. `make check` runs this.

It compares commands and options in fenced blocks, inline code and help texts; make targets;
settings; reasons; exit codes; operations and outcomes; environment variables; Python examples; the
version of a release; links and paths; security events and metrics; the number of the demo's scenes.
It prints one line for each problem.
"""

import ast
import configparser
import importlib
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from document_commands import Programs, simple_commands
from document_pages import Page, Row, pages_in
from document_tables import facts_in_tables, table_problems
from pydantic import BaseModel

from makul.cli.exit_codes import ExitCode as OperatorExitCode
from makul.config.settings import Settings
from makul.domain.disclosures import Outcome
from makul.domain.reason_texts import text
from makul.domain.reasons import CATALOGUE, Code
from makul.soap.request_models import published_operations
from makul_client.cli.exit_codes import EXIT_CODES as CLIENT_EXIT_CODES
from makul_client.cli.exit_codes import OFFICER_EXIT_CODES
from makul_client.cli.exit_codes import ExitCode as ClientExitCode
from makul_sandbox.demo.month_scenarios import MONTH_SCENES
from makul_sandbox.demo.scenarios import SCENES
from makul_sandbox.demo.secrecy_scenarios import SECRECY_SCENES

ROOT: Final = Path(__file__).resolve().parents[2]
OPERATORS: Final = "docs/operators.md"
RECIPIENTS: Final = "docs/recipients.md"
OVERSIGHT: Final = "docs/oversight.md"
SUBJECT: Final = "docs/subject.md"
TARGETS_DESCRIBED_IN: Final = ("README.md", "CONTRIBUTING.md")
SHELL: Final = frozenset({"", "sh", "bash", "shell", "console"})

_CODE: Final = re.compile(r"\b(?:REQ|SIG|RCP|AGR|CNS|LAW|MAT|REL|OVR|SUB|OPS)-[0-9]{2}\b")
_VARIABLE: Final = re.compile(r"\bMAKUL_[A-Z_]+\b")
_PATH: Final = re.compile(r"(?:docs|service|clients|tests|schemas|wsdl)/[\w./-]*\w")
_RELEASE: Final = re.compile(r"\bmakul[-:]([0-9]+\.[0-9]+\.[0-9]+)")
_DEMO: Final = re.compile(r"demo: ([0-9]+) of ([0-9]+) scenes")

_METADATA: Final = configparser.ConfigParser(interpolation=None)
_METADATA.read(ROOT / "setup.cfg", encoding="utf-8")
VERSION: Final = _METADATA["metadata"]["version"]

Problem = tuple[str, int, str]
"""A file, a line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port, the page that is its reference, and what this page must list."""

    name: str
    page: str
    codes: frozenset[Code]
    outcomes: frozenset[Outcome]


_OF_OVERSIGHT: Final = frozenset(code for code in Code if code.value.startswith("OVR-"))
_OF_SUBJECT: Final = frozenset(code for code in Code if code.value.startswith("SUB-"))
_OF_ACTS: Final = frozenset({Outcome.DONE, Outcome.REFUSED, Outcome.UNDETERMINED})
PORTS: Final = (
    Port(
        "recipient",
        RECIPIENTS,
        frozenset(Code) - _OF_OVERSIGHT - _OF_SUBJECT,
        frozenset(Outcome),
    ),
    Port(
        "oversight",
        OVERSIGHT,
        _OF_OVERSIGHT,
        _OF_ACTS,
    ),
    Port("subject", SUBJECT, _OF_SUBJECT, _OF_ACTS),
)


def main() -> int:
    """Print each problem on its own line and return the exit code."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    pages = pages_in(root)
    checker = Checker(root)
    problems = sorted(set(checker.problems(pages)))
    for name, number, what in problems:
        sys.stdout.write(f"{name}:{number}: {what}\n")
    if problems:
        return 1
    sys.stdout.write(
        f"documents: {checker.commands} commands, {checker.links} links, {checker.facts} facts in"
        f" {len(pages)} pages hold\n"
    )
    return 0


class Checker:
    """Compares pages with the programs, and counts what it compared."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._programs = Programs((root / "Makefile").read_text(encoding="utf-8"))
        self._exit_codes = _exit_codes(self._programs.trees["makul"].epilog or "")
        self.commands = self.links = self.facts = 0

    def problems(self, pages: Mapping[str, Page]) -> Iterator[Problem]:
        """Yield every problem, in no order."""
        for page in [*pages.values(), *self._programs.help_pages()]:
            yield from self._commands_of(page)
        for page in pages.values():
            yield from self._links_of(page)
            yield from self._words_of(page)
            yield from self._snippets_of(page)
            yield from self._exit_codes_of(page)
        yield from self._settings(pages.get(OPERATORS, Page(OPERATORS, "")))
        for port in PORTS:
            yield from self._reference(port, pages.get(port.page, Page(port.page, "")))
        yield from self._targets(pages)
        yield from table_problems(pages)
        self.facts += facts_in_tables()

    # --- commands -----------------------------------------------------------------------------

    def _commands_of(self, page: Page) -> Iterator[Problem]:
        for number, line in page.shell_lines(SHELL):
            try:
                commands = list(simple_commands(line))
            except ValueError as error:
                yield page.name, number, f"not a line of shell: {error}"
                continue
            for words in commands:
                yield from self._judged(page.name, number, words, whole=True)
                for word in words[1:]:
                    yield from self._missing_path(page, number, word)
        for number, span in page.spans():
            words = [word for word in _words_of_span(span) if word != "…"]
            yield from self._judged(page.name, number, words, whole=False)

    def _judged(
        self, name: str, number: int, words: list[str], *, whole: bool
    ) -> Iterator[Problem]:
        self.commands += self._programs.know(words)
        what = self._programs.untrue(words, whole=whole)
        if what is not None:
            yield name, number, what

    def _targets(self, pages: Mapping[str, Page]) -> Iterator[Problem]:
        listed = "".join(page.text for name, page in pages.items() if name in TARGETS_DESCRIBED_IN)
        for target, number in self._programs.make.helped.items():
            self.facts += 1
            if not re.search(rf"\bmake ([a-z]+ )*{target}\b", listed):
                yield "Makefile", number, f"make {target} is in neither README nor CONTRIBUTING"
        for number, words in self._programs.make.examples():
            yield from self._judged("Makefile", number, words, whole=True)

    # --- links, paths and words ---------------------------------------------------------------

    def _links_of(self, page: Page) -> Iterator[Problem]:
        folder = (self._root / page.name).parent
        for number, target in page.links():
            path, _, anchor = target.partition("#")
            file = (folder / path).resolve() if path else self._root / page.name
            self.links += 1
            if not file.exists():
                yield page.name, number, f"no such file: {target}"
            elif anchor and anchor not in Page.of(file, self._root).anchors():
                yield page.name, number, f"no such heading: {target}"
        for number, span in page.spans():
            yield from self._missing_path(page, number, span)

    def _missing_path(self, page: Page, number: int, word: str) -> Iterator[Problem]:
        if _PATH.fullmatch(word.rstrip("/")):
            self.links += 1
            if not (self._root / word).exists():
                yield page.name, number, f"no such path: {word}"

    def _words_of(self, page: Page) -> Iterator[Problem]:
        for number, line in page.numbered():
            for code in _CODE.findall(line):
                if code not in set(Code):
                    yield page.name, number, f"no such reason: {code}"
            for name in _VARIABLE.findall(line):
                self.facts += 1
                if name not in self._programs.variables and not is_setting(name):
                    yield page.name, number, f"no such environment variable: {name}"
            for release in _RELEASE.findall(line):
                self.facts += 1
                if release != VERSION:
                    yield page.name, number, f"the version is {VERSION}"
            for demo in _DEMO.findall(line):
                self.facts += 1
                scenes = len(SCENES) + len(SECRECY_SCENES) + len(MONTH_SCENES)
                if demo != (str(scenes),) * 2:
                    yield page.name, number, f"the demo has {scenes} scenes"

    def _snippets_of(self, page: Page) -> Iterator[Problem]:
        for block in page.blocks():
            if block.language == "python":
                self.facts += 1
                for offset, what in _python_problems(block.text):
                    yield page.name, block.number + offset, what
            elif block.language == "toml":
                self.facts += 1
                for what in _toml_problems(block.text):
                    yield page.name, block.number, what

    # --- tables -------------------------------------------------------------------------------

    def _exit_codes_of(self, page: Page) -> Iterator[Problem]:
        for program, known in self._exit_codes.items():
            rows = list(page.table(f"Exit code of {program}"))
            if not rows:
                continue
            listed = {row.cells[0]: row for row in rows}
            for code in known.keys() - listed.keys():
                yield page.name, rows[0].number, f"{program}: exit code {code} is missing"
            for code, row in listed.items():
                self.facts += 1
                if row.cells[1] != known.get(code):
                    yield page.name, row.number, f"{program} --help: {code} is {known.get(code)!r}"

    def _settings(self, page: Page) -> Iterator[Problem]:
        known = dict(_settings_keys(Settings))
        listed = {row.cells[0]: row for row in page.table("Key")}
        for key in sorted(known.keys() - listed.keys()):
            yield page.name, 1, f"the setting {key} is not documented"
        for key, row in listed.items():
            self.facts += 1
            if key not in known:
                yield page.name, row.number, f"no such setting: {key}"
            elif row.cells[1] != known[key]:
                yield page.name, row.number, f"the default of {key} is {known[key]}"

    def _reference(self, port: "Port", page: Page) -> Iterator[Problem]:
        """Compare the reference page of a port: its reasons, operations and outcomes."""
        listed = {row.cells[0]: row for row in page.table("Code")}
        for code in Code:
            if code not in port.codes and code.value not in listed:
                continue
            self.facts += 1
            row = listed.get(code.value, Row(1, (code.value,)))
            if row.cells != _reason(code):
                yield (
                    page.name,
                    row.number,
                    f"{code.value} should read: {' | '.join(_reason(code))}",
                )
        operations = set(published_operations(port.name).models)
        for kind, names in (("operation", operations), ("outcome", set(port.outcomes))):
            rows = {row.cells[0]: row for row in page.table(kind.capitalize())}
            self.facts += len(rows)
            for name in sorted(names - rows.keys()):
                yield page.name, 1, f"the {kind} {name} is not documented"
            for name in rows.keys() - names:
                yield page.name, rows[name].number, f"no such {kind}: {name}"


def _words_of_span(span: str) -> list[str]:
    """Return the words of inline code, which may be a command or a part of anything."""
    try:
        return next(simple_commands(span))
    except ValueError:
        return []


def _settings_keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return every key with its default, as documents write them."""
    for name, field in model.model_fields.items():
        annotation = str(field.annotation)
        inner = _section(field.annotation)
        if inner is not None:
            named = f"{prefix}{name}." + ("NAME." if "dict[" in annotation else "")
            yield from _settings_keys(inner, named)
        elif field.is_required():
            yield f"{prefix}{name}", "required"
        else:
            default = field.default.value if isinstance(field.default, Enum) else field.default
            yield f"{prefix}{name}", "none" if default is None else str(default)


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section that an annotation is or contains."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [_section(each) for each in getattr(annotation, "__args__", ())]
    return next((each for each in inner if each is not None), None)


def is_setting(variable: str) -> bool:
    """`MAKUL_LISTENERS__WSSE__BIND` is `listeners.NAME.bind`."""
    parts = variable.removeprefix("MAKUL_").lower().split("__")
    if parts[0] == "listeners" and len(parts) > 1:
        parts[1] = "NAME"
    return ".".join(parts) in dict(_settings_keys(Settings))


def _toml_problems(content: str) -> Iterator[str]:
    """Yield what is no TOML, and unknown keys in a table of settings."""
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        yield f"not TOML: {error}"
        return
    if table.keys() & {"store", "receipts", "trust", "listeners", "logs", "metrics"}:
        known = dict(_settings_keys(Settings))
        yield from (f"no such setting: {key}" for key in _flat(table) if key not in known)


def _flat(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, value in table.items():
        step = "NAME" if path == ("listeners",) else name
        if isinstance(value, dict):
            yield from _flat(value, (*path, step))
        elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
            for each in value:
                yield from _flat(each, (*path, step))
        else:
            yield ".".join((*path, step))


def _python_problems(content: str) -> Iterator[tuple[int, str]]:
    """Yield what does not compile, and names of ours that cannot be imported."""
    try:
        tree = ast.parse(content)
    except SyntaxError as error:
        yield error.lineno or 0, f"not Python: {error.msg}"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("makul"):
            for name in node.names:
                try:
                    getattr(importlib.import_module(node.module or ""), name.name)
                except (ImportError, AttributeError):
                    yield node.lineno, f"{node.module} has no {name.name}"


def _exit_codes(epilog: str) -> dict[str, dict[str, str]]:
    """Return each program's exit codes with the text of its help; the enums define the codes."""
    operator = dict(re.findall(r"([0-9]) ([^·]+?)(?: ·|$)", epilog.partition(": ")[2]))
    client, officer = (
        dict(re.findall(r"^ +([0-9]) +(.+)$", re.sub(r"\n {5,}", " ", text), re.MULTILINE))
        for text in (CLIENT_EXIT_CODES, OFFICER_EXIT_CODES)
    )
    for listed, known in (
        (operator, OperatorExitCode),
        (client, ClientExitCode),
        (officer, ClientExitCode),
    ):
        if set(listed) != {str(code.value) for code in known}:
            raise SystemExit(f"the help tells other exit codes than {known.__module__}")
    return {"makul": operator, "makul-client": client, "makul-oversight": officer}


def _reason(code: Code) -> tuple[str, ...]:
    entry = CATALOGUE[code]
    return code.value, entry.clause, entry.retry.value, entry.side.value, text(code).en


if __name__ == "__main__":
    raise SystemExit(main())
