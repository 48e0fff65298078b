"""The operator reads every message in their language: no module composes one in English alone."""

import ast
import re
from collections.abc import Container, Iterator
from pathlib import Path

import pytest

from makul.language.ledger_messages import LEDGER_MESSAGES
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
    SERVICE / "net" / "fetcher.py",
    SERVICE / "net" / "causes.py",
    SERVICE / "observability" / "logging_config.py",
    SERVICE / "observability" / "multiprocess.py",
    SERVICE / "composition" / "adapters.py",
    SERVICE / "composition" / "service.py",
    SERVICE / "store" / "open.py",
    SERVICE / "store" / "schema" / "roles.py",
    SERVICE / "store" / "schema" / "version.py",
    SERVICE / "app" / "log_recovery.py",
    SERVICE / "app" / "sequencer.py",
    SERVICE / "app" / "ports" / "ledger.py",
    *sorted(
        path
        for package in (
            "admin",
            "cli",
            "config",
            "store/admin",
            "store/db",
            "store/encryption",
            "store/log",
            "store/reads",
            "store/records",
            "trust/keys",
            "trust/tlog",
            "witness",
        )
        for path in (SERVICE / package).rglob("*.py")
    ),
]

REASON_SOURCES = [
    SERVICE / "admin" / "document_verification.py",
    SERVICE / "trust" / "timestamps.py",
    SERVICE / "trust" / "xmlenc.py",
    *sorted(
        path
        for package in ("base", "pki", "revocation", "validation", "xades", "xmldsig")
        for path in (SERVICE / "trust" / package).rglob("*.py")
    ),
]
"""The modules with the reasons of validation reports, which `translate_reason` words."""

REASON_ARGUMENTS = frozenset(
    {
        "PathFinding",
        "Profile",
        "RefreshOutcome",
        "SignatureFailure",
        "TimestampFinding",
        "UnusableObjectError",
        "_Refused",
        "_not_accepted",
        "_properties",
        "_refused",
        "_skip_check",
        "_timestamp_failure",
        "_transform",
        "outside_profile",
    }
)
"""The failures and findings that hold such a reason."""

MESSAGE_ARGUMENTS = frozenset(
    {
        "BadFieldError",
        "BadParameter",
        "CodecError",
        "DocumentUsageError",
        "FileError",
        "Finding",
        "FetchError",
        "Judgement",
        "KeyFileError",
        "LedgerBrokenError",
        "LogError",
        "MissingError",
        "MissingFileError",
        "MissingObjectError",
        "NotThisDutyError",
        "NotSigned",
        "OperatorError",
        "OperatorRegistryError",
        "OperatorUnavailableError",
        "SettingsError",
        "SignerUnavailableError",
        "SourceError",
        "StateError",
        "StoreKeysError",
        "StoreUnavailableError",
        "TrustStoreError",
        "UnverifiedNoteError",
        "ValueError",
        "WorkerMetricsError",
        "_FoundError",
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

NAMED_ARGUMENTS = frozenset({"description", "empty", "unbound", "what", "why"})
"""The arguments of them that are messages if they are named."""

HELP = frozenset({"late_noun", "late_verb"})
"""The functions whose texts are help, which the catalogs take from the command tree."""

MARKS = frozenset(
    {"DeferredMessage", "mark", "translate", "translate_error", "translate_to", "translated_word"}
)

KEYS = re.compile(
    r"(?:--[a-z-]+|\w*_\w*|[a-z_]+(?:\.[a-z_]*)+|\bmakul(?:-client)?\b|pin(?=:)|\.[a-z_]+(?=:))"
)
"""Names of options, keys and the program, which are the same in every language."""

EXCEPTIONS = {
    ("main.py", "internal error"): "a bug: the line is for the developers",
    ("main.py", "at"): "a bug: the line is for the developers",
    ("main.py", "; please report this line"): "a bug: the line is for the developers",
    ("init.py", "# [authorised_body]"): "a commented section of the settings",
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
    if isinstance(node, ast.Call) and (_name(node) in MARKS | HELP or _name(node) == "join"):
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


def untranslated(
    source: str, functions: Container[str] = MESSAGE_ARGUMENTS, *, returned: bool = True
) -> Iterator[tuple[int, str]]:
    """Yield the lines and texts of messages in a module that are in English alone.

    Messages are the arguments of these functions, and what a function returns or yields.
    """
    tree = ast.parse(source)
    for node in [*ast.walk(tree)]:
        if isinstance(node, ast.FunctionDef) and node.name == "__repr__":
            node.body = []  # for developers
    for node in ast.walk(tree):
        read: list[ast.AST] = []
        if isinstance(node, ast.Call) and _name(node) in functions:
            named = [each.value for each in node.keywords if each.arg in NAMED_ARGUMENTS]
            # A key and the name of a table are the same in every language.
            read = [*node.args[_name(node) in {"_FoundError", "_KeyError"} :], *named]
        elif (
            returned
            and isinstance(node, ast.Return | ast.Yield)
            and isinstance(node.value, ast.JoinedStr | ast.Constant | ast.Tuple)
        ):
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


@pytest.mark.parametrize("path", REASON_SOURCES, ids=lambda path: str(path.relative_to(SERVICE)))
def test_every_reason_of_a_report_is_marked(path: Path) -> None:
    """It stays English in the report, and is in the catalogs for the person who reads it."""
    source = path.read_text(encoding="utf-8")
    found = untranslated(source, REASON_ARGUMENTS, returned=False)

    assert [text for _, text in found if " " in text] == []  # one word names an element


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


def test_every_message_of_the_ledger_is_in_its_list() -> None:
    """The pure package marks nothing itself; `translate_error` words its errors."""
    errors = {"CheckpointError", "NoteError", "TileError"}
    calls = [
        node
        for path in sorted((SERVICE / "ledger").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _name(node) in errors
    ]

    assert {ast.literal_eval(each.args[0]) for each in calls} == set(LEDGER_MESSAGES)


def test_the_check_finds_a_reason_in_english() -> None:
    """It would fail for the first of these."""
    source = 'SignatureFailure(code, "no time")\nSignatureFailure(code, mark("no time"), field="x")'

    assert [*untranslated(source, REASON_ARGUMENTS, returned=False)] == [(1, "no time")]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('raise OperatorError("name a file")', ["name a file"]),
        ('raise OperatorError(f"{path} is empty")', [" is empty"]),
        ('complain(translate("a") if bad else "no file")', ["no file"]),
        ('def f():\n    return f"{n} records are left"', [" records are left"]),
        ('def f():\n    return "ledger_leaf", "no record"', ["no record"]),
        ('def f():\n    yield "ledger_leaf", translate("no record")', []),
        ('raise _FoundError("ledger leaf", name, "no record")', ["no record"]),
        ('Finding(where="published log", what="no record")', ["no record"]),
        ('raise OperatorError(translate("name a file"))', []),
        ('raise OperatorError(f"--month: {error}")', []),
        ('change.carry_out(mark("add it"), {"recipient": code}, lambda: add("x y"))', []),
    ],
)
def test_the_check_finds_a_message_in_english(source: str, texts: list[str]) -> None:
    """It would fail for each of these."""
    assert [text for _, text in untranslated(source)] == texts
