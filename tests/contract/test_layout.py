"""The layout of the packages: where modules are, how long they are, and the names in them."""

import ast
import configparser
import re
from collections import defaultdict
from pathlib import Path

import pytest

from makul_testing.paths import ROOT

SERVICE = ROOT / "service" / "makul"
SANDBOX = ROOT / "service" / "makul_sandbox"
CLIENT = ROOT / "clients" / "makul_client"
LANGUAGE = ROOT / "clients" / "makul_language"
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
"""Longer ones have more than one subject and are to be divided by meaning."""
AT_THE_ROOT = {"__init__.py", "__main__.py", "main.py", "py.typed"}

_PARTICIPLE = re.compile(r"(?:^|_)\w+(?:ing|ed)(?:_|$)")
_IRREGULAR_PARTICIPLE = re.compile(
    r"(?:^|_)(?:begun|bound|broken|brought|built|chosen|done|drawn|fallen|felt|found|given|gone|got"
    r"|grown|held|hidden|kept|known|left|lent|lost|made|meant|met|paid|said|seen|sent|shown|sold"
    r"|spent|spoilt|stolen|stood|sworn|taken|taught|thought|thrown|told|understood|withdrawn|won"
    r"|written)(?:_|$)"
)
"""Participles that the pattern does not find; `read`, `run` and `set` are nouns too."""
NOUNS_OF_THE_FIELD = {
    "logging_config": "Python's logging",
    "intercepting_proxy": "a proxy that intercepts",
    "http_framing": "RFC 9112, 6: message framing",
    "error_handling": "a noun of the field",
    "signing": "PKI: signing",
    "parsing": "XML parsing",
    "recording": "the recording of a decision (invariant 1)",
    "signed_document": "ETSI: signed document",
    "pending_ocsp": "OCSP requests that wait",
    "signed_documents": "ETSI: signed document",
    "signed_note": "C2SP: signed-note",
    "signed_info": "XML Signature: SignedInfo",
    "isolated_check": "a check in a process of its own",
    "instrumented_ports": "ports with metrics",
    "audited_registry": "the registry whose acts are reported",
    "bounded_http_server": "a server with limits",
    "closed_request": "a request id that is closed",
    "month_closing": "accounting: the closing of a month",
    "record_undertaking": "law: an undertaking is a document",
    "undertaking_rights": "law: an undertaking is a document",
    "undertaking": "law: an undertaking is a document",
    "documents_timestamped": "documents with timestamps",
}
"""Names that the pattern finds and that are nouns of the field, with the reason."""


def modules(package: Path) -> list[Path]:
    """Return the modules of a package, but migrations: their names are frozen."""
    return [path for path in sorted(package.rglob("*.py")) if "versions" not in path.parts]


def test_no_other_module_is_at_the_root_of_the_service() -> None:
    """A module belongs to a package; the root holds only the program."""
    found = {path.name for path in SERVICE.iterdir() if path.is_file()}

    assert found == AT_THE_ROOT


@pytest.mark.parametrize(
    "package", [SERVICE, SANDBOX, CLIENT, LANGUAGE], ids=lambda path: path.name
)
def test_modules_are_named_by_nouns(package: Path) -> None:
    """A gerund or a participle names an action, not what the module holds.

    The rule: no word of a name is a gerund or a participle, in any place, regular or irregular.
    An adjective before a noun is permitted (`late_commands`). A participle before a noun is
    permitted only if the field uses the whole name, as `signed_note`; then it is listed with the
    reason.
    """
    found = {
        path.stem
        for path in modules(package)
        if _has_participle(path.stem) and path.stem not in NOUNS_OF_THE_FIELD
    }

    assert found == set()


@pytest.mark.parametrize(
    "package", [SERVICE, SANDBOX, CLIENT, LANGUAGE], ids=lambda path: path.name
)
def test_a_class_name_is_defined_once(package: Path) -> None:
    """A name has one meaning in a distribution; private names count as well."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path in modules(package):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(str(path.relative_to(package)))
    repeated = {name: paths for name, paths in homes.items() if len(paths) > 1}

    assert repeated == {}


@pytest.mark.parametrize(
    "package", [SERVICE, SANDBOX, CLIENT, LANGUAGE], ids=lambda path: path.name
)
def test_every_directory_is_a_package(package: Path) -> None:
    """A directory without `__init__` is missing from the wheel."""
    directories = {path.parent for path in package.rglob("*.py")}

    assert [each for each in directories if not (each / "__init__.py").is_file()] == []


@pytest.mark.parametrize(
    "package", [SERVICE, SANDBOX, CLIENT, LANGUAGE], ids=lambda path: path.name
)
def test_no_module_is_longer_than_a_reader_can_survey(package: Path) -> None:
    """A module has one subject."""
    found = {
        str(path.relative_to(package)): lines
        for path in modules(package)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_MODULE_LINES
    }

    assert found == {}


@pytest.mark.parametrize(
    "package", [SERVICE, SANDBOX, CLIENT, LANGUAGE], ids=lambda path: path.name
)
def test_no_function_is_longer_than_a_page(package: Path) -> None:
    """A function does one thing. The options of a command are its parameters and do not count."""
    found = {
        f"{path.relative_to(package)}: {node.name}": lines
        for path in modules(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := _lines_of(node)) > MAX_FUNCTION_LINES
    }

    assert found == {}


def test_every_package_is_in_the_distribution() -> None:
    """A package that setup.cfg does not list works in an editable install, and not in a wheel."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(setup["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(package.parent).parts)
        for package in (SERVICE, SANDBOX, CLIENT, LANGUAGE)
        for path in package.rglob("__init__.py")
    }

    assert found - listed == set()


def test_every_listed_noun_is_a_module() -> None:
    """An exception for a module that is gone would permit a new one unseen."""
    names = {
        path.stem for package in (SERVICE, SANDBOX, CLIENT, LANGUAGE) for path in modules(package)
    }

    assert {name for name in NOUNS_OF_THE_FIELD if name not in names} == set()


def _has_participle(name: str) -> bool:
    """Return whether a word of the name is a gerund or a participle."""
    return bool(_PARTICIPLE.search(name) or _IRREGULAR_PARTICIPLE.search(name))


def _lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its decorators; of a command, those of its body."""
    first = function.body[0] if _is_command(function) else function
    return (function.end_lineno or first.lineno) - first.lineno + 1


def _is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether Typer makes a command of this function, by the decorator `x.command(…)`."""
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr == "command"
        for each in function.decorator_list
    )
