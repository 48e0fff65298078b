"""The operator reads every message in their language: no module composes one in English alone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from makul_testing.paths import ROOT

SERVICE = ROOT / "service" / "makul"
SOURCES = [
    SERVICE / "main.py",
    SERVICE / "net" / "files.py",
    SERVICE / "net" / "toml.py",
    SERVICE / "net" / "validation_messages.py",
    SERVICE / "app" / "agreements.py",
    SERVICE / "app" / "notices.py",
    SERVICE / "trust" / "pki" / "trust_material.py",
    SERVICE / "trust" / "pki" / "trust_store.py",
    SERVICE / "store" / "encryption" / "key_file.py",
    SERVICE / "store" / "encryption" / "master_keys.py",
    *sorted((SERVICE / "store" / "admin").glob("*.py")),
    *sorted(
        path
        for package in ("admin", "cli", "config", "trust/keys")
        for path in (SERVICE / package).rglob("*.py")
    ),
]

MESSAGE_ARGUMENTS = frozenset(
    {
        "BadFieldError",
        "BadParameter",
        "DocumentUsageError",
        "FileError",
        "KeyFileError",
        "MissingFileError",
        "NotSigned",
        "OperatorError",
        "OperatorRegistryError",
        "OperatorUnavailableError",
        "SettingsError",
        "SignerUnavailableError",
        "StoreKeysError",
        "TrustStoreError",
        "ValueError",
        "_KeyError",
        "add_task",
        "carry_out",
        "complain",
        "echo",
        "fail",
        "show",
        "show_rows",
        "write",
    }
)
"""The errors and functions whose arguments people read."""

MARKS = frozenset({"mark", "translate", "translate_to", "translated_word", "_Failure"})

KEYS = re.compile(
    r"(?:--[a-z-]+|[a-z_]+(?:\.[a-z_]*)+|\bmakul(?:-client)?\b|pin(?=:)|\.[a-z_]+(?=:))"
)
"""Names of options, keys and the program, which are the same in every language."""

EXCEPTIONS = {
    ("main.py", "internal error"): "a bug: the line is for the developers",
    ("main.py", "at"): "a bug: the line is for the developers",
    ("main.py", "; please report this line"): "a bug: the line is for the developers",
    ("init.py", "[authorised_body]"): "a section of the settings, with its comment",
    **{
        ("main.py", kind): "the kind of an error in JSON"
        for kind in (
            "CommitUnknownError",
            "FileError",
            "NotThisDutyError",
            "OperatorError",
            "OperatorRegistryError",
            "StoreUnavailableError",
        )
    },
    ("certificates.py", ".add"): "the name of an act in the audit log",
    ("certificates.py", ".withdraw"): "the name of an act in the audit log",
    ("master_keys.py", "a key is prepared already"): "a bug of a caller, which checks it first",
    ("master_keys.py", "no key is prepared"): "a bug of a caller, which checks it first",
    ("master_keys.py", "not a key that only opens"): "a bug of a caller, which checks it first",
    ("usage.py", "UsageError"): "the kind of an error in JSON",
}
"""Texts that stay in English, by module and beginning, with the reason."""


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _texts(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the texts of an expression that no mark contains."""
    if isinstance(node, ast.Call) and (_name(node) in MARKS or _name(node) == "join"):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    if isinstance(
        node,
        ast.Subscript | ast.Compare | ast.Dict | ast.DictComp | ast.Lambda | ast.FormattedValue,
    ):
        return  # a key, a condition, JSON, or a value
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def untranslated(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines and texts of messages in a module that are in English alone."""
    tree = ast.parse(source)
    for node in [*ast.walk(tree)]:
        if isinstance(node, ast.FunctionDef) and node.name == "__repr__":
            node.body = []  # for developers
    for node in ast.walk(tree):
        read: list[ast.AST] = []
        if isinstance(node, ast.Call) and _name(node) in MESSAGE_ARGUMENTS:
            named = [
                each.value for each in node.keywords if each.arg in {"empty", "description", "why"}
            ]
            # The first argument of `_KeyError` is a key, which is the same in every language.
            read = [*node.args[_name(node) == "_KeyError" :], *named]
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.JoinedStr):
            read = [node.value]
        for argument in read:
            for text in _texts(argument):
                words = re.findall("[A-Za-z]{2,}", KEYS.sub("", str(text.value)))
                if len(words) > 0 and (isinstance(node, ast.Call) or len(words) > 1):
                    yield text.lineno, str(text.value)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SERVICE)))
def test_every_message_goes_through_translate(path: Path) -> None:
    """An error, a line for the operator, the title of a change: a translator finds each of them."""
    found = [
        (line, text)
        for line, text in untranslated(path.read_text(encoding="utf-8"))
        if not any(
            path.name == module and text.strip().startswith(beginning)
            for module, beginning in EXCEPTIONS
        )
    ]

    assert found == []


def test_no_exception_is_left_over() -> None:
    """Each exception is still in use."""
    found = {
        (path.name, text.strip())
        for path in SOURCES
        for _, text in untranslated(path.read_text(encoding="utf-8"))
    }

    assert [
        (module, beginning)
        for module, beginning in EXCEPTIONS
        if not any(module == name and text.startswith(beginning) for name, text in found)
    ] == []


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('raise OperatorError("name a file")', ["name a file"]),
        ('raise OperatorError(f"{path} is empty")', [" is empty"]),
        ('complain(translate("a") if bad else "no file")', ["no file"]),
        ('def f():\n    return f"{n} records are left"', [" records are left"]),
        ('raise OperatorError(translate("name a file"))', []),
        ('raise OperatorError(f"--month: {error}")', []),
        ('change.carry_out(mark("add it"), {"recipient": code}, lambda: add("x y"))', []),
    ],
)
def test_the_check_finds_a_message_in_english(source: str, texts: list[str]) -> None:
    """It would fail for each of these."""
    assert [text for _, text in untranslated(source)] == texts
