"""Every message that a program marks is translated, and the tools for translators work."""

import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from makul_language.catalog import CatalogError, parse_catalog

LANGUAGES = ("ky", "ru")
PROGRAMS = ("SHARED", "CLIENT", "OPERATOR")
NAMES_ALONE = {
    "a DTD",
    "{since} to {until}",
    "[ledger] key, witnesses: {cause}",
    "signatureImage: PNG in base64.",
}
"""Messages whose translation has only names and signs."""


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The checker, which is a script beside this file."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return import_module("check_catalogs")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_message_is_translated(tool: Any, name: str, language: str) -> None:
    """Messages and help, with the same fields; a new message fails here."""
    program = getattr(tool, name)
    messages = program.messages(tool.commands(program))

    assert len(messages) > (50 if name == "SHARED" else 200)
    assert list(tool.flaws(messages, program.translations(language))) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_update_changes_nothing(tool: Any, name: str, language: str) -> None:
    """The catalogs have the form that the tool writes, so that an update shows what changed."""
    program = getattr(tool, name)
    messages = program.messages(tool.commands(program))
    written = tool.write_catalog(language, messages, program.translations(language))

    assert program.file(language).read_text(encoding="utf-8") == written


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_translation_is_in_its_language(tool: Any, name: str, language: str) -> None:
    """Cyrillic, and no Kyrgyz letter in the Russian catalog."""
    found = {
        text
        for (_, text), translation in getattr(tool, name).translations(language).items()
        if not re.search("[а-яё]", translation, re.IGNORECASE)
        or (language == "ru" and re.search("[ңөү]", translation, re.IGNORECASE))
    }

    assert found <= NAMES_ALONE


def test_a_flaw_of_a_catalog_is_reported(tool: Any) -> None:
    """No translation, other fields, other spaces, a message that is gone."""
    messages = {("", "{file}: gone"): "a.py", ("", " {n} more "): "a.py", ("", "new"): "a.py"}
    translations = {
        ("", "{file}: gone"): "{fil}: нет",
        ("", " {n} more "): "ещё {n}",
        ("", "old"): "старое",
    }

    assert list(tool.flaws(messages, translations)) == [
        "no translation: 'new'",
        "the fields differ: '{file}: gone'",
        "spaces or line breaks at the ends differ: ' {n} more '",
        "no program says this any more: 'old'",
    ]


def test_marks_are_found_by_the_functions_that_a_module_imports(tool: Any) -> None:
    """Another `mark` is none, and a context keeps equal words apart."""
    source = """
from makul_client.translation import mark, translate, translate_to as to
translate("to", context="recipient")
to(language, ", cl. {clause}", clause=1)
KINDS = (mark("purpose"), other.mark("not"))
"""
    catalogs = import_module("catalogs")

    assert list(catalogs.marked(source)) == [
        ("recipient", "to"),
        ("", ", cl. {clause}"),
        ("", "purpose"),
    ]
    assert list(catalogs.marked('mark("not imported")')) == []
    with pytest.raises(SystemExit, match="named fields"):
        list(catalogs.marked('from a.translation import translate\ntranslate(f"{file}: gone")'))


CATALOG = """
# a comment
msgid ""
msgstr "Language: ru\\n"

#: a.py
msgctxt "recipient"
msgid "to"
msgstr "кому"

msgid ""
"two\\n"
"lines"
msgstr ""
"две\\n"
"\\"строки\\""

#, fuzzy
msgid "guessed"
msgstr "угадано"

msgid "new"
msgstr ""
"""


def test_a_catalog_is_read() -> None:
    """Contexts, lines that continue, quotation marks; neither guesses nor empty translations."""
    assert parse_catalog(CATALOG) == {
        ("recipient", "to"): "кому",
        ("", "two\nlines"): 'две\n"строки"',
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('msgid "a"', "line 2: an entry without msgid or msgstr"),
        ('msgid "a"\nmsgstr "b"\nmsgid "c"\nmsgstr "d"', "line 3: not a line of a catalog"),
        ('msgid "a"\nmsgstr "b', "line 2: not a line of a catalog"),
        ('msgid_plural "a"', "line 1: not a line of a catalog"),
        ('"a"', "line 1: not a line of a catalog"),
        ('msgid "a"\nmsgstr "\\x"', "line 2: unknown escape"),
        ('msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"', "line 6: a message that is in"),
    ],
)
def test_a_flaw_of_a_catalog_is_named_by_its_line(content: str, complaint: str) -> None:
    """A translator finds it, and no message is lost in silence."""
    with pytest.raises(CatalogError, match=complaint):
        parse_catalog(content)


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_gettext_reads_the_catalogs(tool: Any, name: str, language: str, tmp_path: Path) -> None:
    """Translators' tools are built on it."""
    file = getattr(tool, name).file(language)
    subprocess.run(["msgfmt", "--check", "-o", tmp_path / "x.mo", file], check=True)
