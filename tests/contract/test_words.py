"""The words of docstrings, comments and pages, for readers of English as a third language."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from makul_language.catalog import parse_catalog
from makul_testing.paths import ROOT

PACKAGES = (
    "service/makul",
    "service/makul_sandbox",
    "clients/makul_client",
    "clients/makul_language",
    "tests",
)
PAGES = (
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "Makefile",
    ".ci/run",
    "tests/deps.sh",
    "docs",
    "service/makul/domain/texts",
    "wsdl",
    "schemas",
    "CHANGELOG.md",
    "Dockerfile",
    "compose.yaml",
    ".ci",
    "deploy",
    "clients/node",
    "clients/java",
)
UNREAD_DIRECTORIES = frozenset({"__pycache__", "node_modules", "target"})
"""Directories of caches and of installed or compiled packages: nobody here wrote their words."""
UNREAD_SUFFIXES = frozenset({".class", ".jar", ".p12", ".png", ".py", ".pyc", ".svg", ".zip"})
"""Suffixes of binaries, pictures and of modules, which have their own test."""
UNREAD_FILES = frozenset({"package-lock.json"})
CATALOGS = (
    "clients/makul_language/catalogs",
    "clients/makul_client/catalogs",
    "service/makul/language/catalogs",
)
"""The catalogs of messages and help; `test_catalogs` checks that they have all of them."""
BANNED = {
    r"whoever|whomever|whosoever": "name the actor: a caller, an attacker, the sequencer",
    r"whatever": "name the things, or say 'any'",
    r"anew|afresh": "again",
    r"lest": "so that … not",
    r"thereby|thereof|therein|thereupon": "archaic: by this, of it, in it",
    r"tells?|told": "log, emit, report, determine",
    r"for good": "permanently",
    r"held against": "compared with, checked against",
    r"the house": "the installation, the service",
    r"take back|taken back": "withdraw a registration, revoke a consent",
    r"betrays?": "reveal",
}
"""Words that readers have to read twice, and what to say instead."""

WORDS_OF_TEST_NAMES = {
    r"told|tells?|telling": "reported, logged, revealed, determined",
    r"whoever|whatever|anew|afresh|upon": "name the actor, any, again",
    r"taken_back|takes_back|for_good": "revoked, withdrawn, permanently",
    r"has_no_truth|without_a_word": "refuses truth-testing, without a warning",
    r"of_(?:its|their|ones)_own": "its own, separate",
}
"""Words that no name of a test contains: a name states the rule."""

_COMMENT = re.compile(r"(?:^|\s)#\s.*")

_HANGS = re.compile(
    r"(?:Of|By|Likewise|The same|As|With|Where|In|On|For|Beside|Until|After|Before|Without|From"
    r"|To)\b"
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a package, each with its location."""

    texts: tuple[tuple[str, str], ...]
    """Docstrings and comments."""
    docstrings: tuple[tuple[str, str], ...]
    """Docstrings of modules, classes and functions, without indentation."""


@cache
def words(package: str) -> Words:
    """Return the words of a package: its files are parsed once, because parsing takes seconds."""
    texts: list[tuple[str, str]] = []
    docstrings: list[tuple[str, str]] = []
    for path in sorted((ROOT / package).rglob("*.py")):
        if "versions" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        name = str(path.relative_to(ROOT))
        for node in _statements(ast.parse(source)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                texts.append((f"{name}:{node.lineno}", str(node.value.value)))
            elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                docstring = ast.get_docstring(node) or ""
                docstrings.append((f"{name}:{getattr(node, 'lineno', 1)}", docstring))
        for number, line in enumerate(source.splitlines(), start=1):
            if "#" in line and (comment := _COMMENT.search(line)):
                texts.append((f"{name}:{number}", comment[0]))
    return Words(tuple(texts), tuple(docstrings))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Return a node and all statements in it; expressions are most of a tree, and have no words."""
    yield node
    for block in ("body", "orelse", "finalbody", "handlers"):
        inner = getattr(node, block, None)
        for each in inner if isinstance(inner, list) else ():
            yield from _statements(each)


@cache
def lines_of_pages() -> tuple[tuple[str, str], ...]:
    """Return the location of each line of prose in the pages and configurations, and the line."""
    return tuple(_lines_of_pages())


def _lines_of_pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        path = ROOT / page
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not file.is_file() or _is_unread(file):
                continue
            name = str(file.relative_to(ROOT))
            fenced = False
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
                fenced ^= line.lstrip().startswith("```")
                if not fenced:
                    yield f"{name}:{number}", line


def _is_unread(file: Path) -> bool:
    return (
        file.suffix in UNREAD_SUFFIXES
        or file.name in UNREAD_FILES
        or not UNREAD_DIRECTORIES.isdisjoint(file.relative_to(ROOT).parts)
    )


@cache
def names_of_tests() -> tuple[tuple[str, str], ...]:
    """Return the location and the name of each test."""
    return tuple(
        (f"{path.relative_to(ROOT)}:{number}", found[1])
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := re.match(r"\s*def (test_\w+)", line))
    )


def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![`\w])(?:{word})(?![`\w])", re.IGNORECASE)


@cache
def suspects(package: str) -> tuple[tuple[str, str], ...]:
    """Return the texts of a package with any banned word: one search for all is much faster."""
    any_word = _pattern("|".join(f"(?:{word})" for word in BANNED))
    return tuple((where, text) for where, text in words(package).texts if any_word.search(text))


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("word", BANNED)
def test_docstrings_and_comments_use_plain_words(package: str, word: str) -> None:
    """Each banned word has a plain word in its place; titles of publications are exempt."""
    pattern = _pattern(word)
    found = [
        where
        for where, text in suspects(package)
        if pattern.search(text.replace("Be Whoever You Want to Be", ""))
    ]

    assert found == [], f"say instead: {BANNED[word]}"


@pytest.mark.parametrize("word", BANNED)
def test_pages_use_plain_words(word: str) -> None:
    """The pages, the help of make, and the comments of configurations use the same words."""
    pattern = _pattern(word)
    found = [where for where, line in lines_of_pages() if pattern.search(line)]

    assert found == [], f"say instead: {BANNED[word]}"


@pytest.mark.parametrize("catalogs", CATALOGS)
def test_messages_and_help_use_plain_words(catalogs: str) -> None:
    """The English texts of the catalogs use the same words; reasons are not in the catalogs."""
    texts = [
        text
        for file in sorted((ROOT / catalogs).glob("*.po"))
        for _, text in parse_catalog(file.read_text(encoding="utf-8"))
    ]
    found = {
        f"{text!r}: say instead: {advice}"
        for word, advice in BANNED.items()
        for text in texts
        if _pattern(word).search(text)
    }

    assert len(texts) > 100, "the catalogs were read"
    assert found == set()


@pytest.mark.parametrize("word", WORDS_OF_TEST_NAMES)
def test_names_of_tests_use_plain_words(word: str) -> None:
    """A name of a test states the rule with a subject, a verb and an object."""
    pattern = re.compile(rf"_(?:{word})(?:_|$)")
    found = [f"{where}: {name}" for where, name in names_of_tests() if pattern.search(name)]

    assert found == [], f"say instead: {WORDS_OF_TEST_NAMES[word]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_docstring_is_a_sentence_that_stands_alone(package: str) -> None:
    """Its first line is no question, and does not continue the name above it."""
    found = []
    for where, docstring in words(package).docstrings:
        first = docstring.partition("\n")[0]
        if first.endswith("?") or _HANGS.match(first):
            found.append(f"{where}: {first}")

    assert found == []
