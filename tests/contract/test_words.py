"""The words of docstrings and comments, for readers of English as a third language."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache

import pytest

from makul_testing.paths import ROOT

PACKAGES = ("service/makul", "service/makul_sandbox", "clients/makul_client")

BANNED = {
    r"whoever|whomever|whosoever": "name the actor: a caller, an attacker, the sequencer",
    r"whatever": "name the things, or say 'any'",
    r"anew": "again",
    r"lest": "so that … not",
    r"thereby|thereof|therein|thereupon": "archaic: by this, of it, in it",
    r"tells?|told": "log, emit, report, determine",
    r"for good": "permanently",
    r"held against": "compared with, checked against",
    r"the house": "the installation, the service",
    r"take back|taken back": "withdraw a registration, revoke a consent",
}
"""Words that readers have to read twice, and what to say instead."""

_HANGS = re.compile(
    r"(?:Of|By|Likewise|The same|As|With|Where|In|On|For|Beside|Until|After|Before|Without|From"
    r"|To)\b"
)


@cache
def texts(package: str) -> tuple[tuple[str, str], ...]:
    """Return where each docstring and each comment of a package stands, and its text."""
    return tuple(_texts(package))


def _texts(package: str) -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        if "versions" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(source)):
            body = getattr(node, "body", None)
            for each in body if isinstance(body, list) else []:
                if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                    yield f"{name}:{each.lineno}", str(each.value.value)
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield f"{name}:{token.start[0]}", token.string


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("word", BANNED)
def test_no_word_that_has_to_be_read_twice(package: str, word: str) -> None:
    """Each has a plain word in its place."""
    pattern = re.compile(rf"(?<![`\w])(?:{word})(?![`\w])", re.IGNORECASE)
    found = [where for where, text in texts(package) if pattern.search(text)]

    assert found == [], f"say instead: {BANNED[word]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_docstring_is_a_sentence_that_stands_alone(package: str) -> None:
    """It asks nothing, and does not continue the name above it."""
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        if "versions" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                first = (ast.get_docstring(node) or "").partition("\n")[0]
                if first.endswith("?") or _HANGS.match(first):
                    found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}: {first}")

    assert found == []
