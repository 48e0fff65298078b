"""Messages of both programs consist of words and contain no name of a Python class."""

import ast
from collections.abc import Iterator

from makul_testing.paths import ROOT

SOURCES = sorted(
    path
    for package in (
        "service/makul",
        "service/makul_sandbox",
        "clients/makul_client",
        "clients/makul_language",
    )
    for path in (ROOT / package).rglob("*.py")
)
NO_MESSAGE = {
    "service/makul/net/supervision.py",  # a log line
    "service/makul/store/db/rows.py",  # an error in the program, for developers
    "service/makul/store/records/row_images.py",  # a part of a digest
    "service/makul/admin/key_inventory.py",  # the algorithm of a key, from its class name
    "service/makul/trust/keys/pkcs11.py",  # the return value of a token, in words
    "service/makul_sandbox/demo/main.py",  # a scene's outcome, by the client's documented kinds
    "clients/makul_client/models/request.py",  # a representation without the data
    "clients/makul_client/cli/output.py",  # the documented `kind` of an error in JSON
}
"""Files that name a class outside of messages, and the reason."""


def class_names(tree: ast.AST, *, logged: bool = False) -> Iterator[int]:
    """Yield the lines that use `type(...).__name__`, except in a call of a logger."""
    for child in ast.iter_child_nodes(tree):
        is_log = (
            isinstance(child, ast.Call)
            and isinstance(child.func, ast.Attribute)
            and isinstance(child.func.value, ast.Name)
            and child.func.value.id in {"log", "_log"}
        )
        if (
            isinstance(child, ast.Attribute)
            and child.attr in {"__name__", "__qualname__"}
            and isinstance(child.value, ast.Call)
            and isinstance(child.value.func, ast.Name)
            and child.value.func.id == "type"
            and not logged
        ):
            yield child.lineno
        yield from class_names(child, logged=logged or is_log)


def test_no_message_names_a_class() -> None:
    """The user of a program sees what the system reported, and not a name of a library's class."""
    found = {
        f"{name}:{line}"
        for source in SOURCES
        if (name := str(source.relative_to(ROOT))) not in NO_MESSAGE
        for line in class_names(ast.parse(source.read_text(encoding="utf-8")))
    }
    assert found == set()
