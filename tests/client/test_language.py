"""The language of the client's messages and help: Kyrgyz, Russian or English."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from makul_client.cli.exit_codes import ExitCode
from makul_client.cli.language_choice import CHOICE
from makul_client.models.reasons import ADVICE, Retry
from makul_client.translation import (
    CATALOGS,
    Language,
    current_language,
    translate,
    translate_to,
    use_language,
)
from makul_language.help_pages import is_example, paragraphs
from makul_testing.client.cli_runner import APPS
from makul_testing.client.cli_runner import run_client as run

TRANSLATED = (Language.KY, Language.RU)


def _commands(path: tuple[str, ...], command: Any) -> list[tuple[tuple[str, ...], Any]]:
    found = [(path, command)]
    for name, inner in getattr(command, "commands", {}).items():
        found += _commands((*path, name), inner)
    return found


OF_TYPER = ("Usage:", "Options:", "Commands:", "Arguments:", "Show this", "env var", "required")
OF_ERRORS = ("Usage", "Try", "Error", "Invalid", "Missing", "such", "mean", "does not", "should")

COMMANDS = [
    (program, path, command)
    for program, app in APPS.items()
    for path, command in _commands((), typer.main.get_command(app))
]


def words(text: str) -> str:
    """Return a text without line breaks and marks of paragraphs."""
    return " ".join(text.replace("\b", " ").split())


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize(
    ("program", "path", "command"),
    COMMANDS,
    ids=[" ".join((program, *path)) for program, path, _ in COMMANDS],
)
def test_help_is_in_the_language(
    program: str, path: tuple[str, ...], command: Any, language: Language
) -> None:
    """No English sentence of the command remains, and its translations are there."""
    result = run("--language", language, *path, "--help", program=program)
    output = words(result.stdout)

    assert result.exit_code == ExitCode.OK, result.output
    texts = [command.help, command.epilog, *(each.help for each in command.params)]
    for text in filter(None, texts):
        for paragraph in paragraphs(text):
            if paragraph and not is_example(paragraph):
                assert words(paragraph) not in output
                assert words(translate_to(language, paragraph)) in output
    for own in (
        "Usage:",
        "Options:",
        "Commands:",
        "Arguments:",
        "Show this",
        "env var",
        "required",
    ):
        assert own not in output


def test_a_run_in_another_language_leaves_no_trace() -> None:
    """Texts are replaced for one run, and then English again."""
    before = run("consent", "draft", "--help")
    run("--language", "ru", "consent", "draft", "--help")

    assert run("consent", "draft", "--help") == before
    assert current_language() is Language.EN


# --- the choice -------------------------------------------------------------------------------

SOURCES = (
    ("--language", "ky"),
    ("MAKUL_LANGUAGE", "ru"),
    ("profile", "ky"),
    ("LANG", "ru_RU.UTF-8"),
)
"""What names a language, the strongest first; neighbours differ."""


@pytest.mark.parametrize("strongest", range(len(SOURCES)))
def test_option_before_variable_before_profile_before_locale(
    tmp_path: Path, strongest: int
) -> None:
    """Each decides where nothing stronger does."""
    profile = tmp_path / "bank.toml"
    profile.write_text("")
    arguments: list[str] = []
    variables: dict[str, str] = {}
    for name, value in SOURCES[strongest:]:
        if name == "--language":
            arguments += [name, value]
        elif name == "profile":
            profile.write_text(f'language = "{value}"\n')
        else:
            variables[name] = value
    arguments += ["get", "--profile", str(profile)]

    assert CHOICE.choose(arguments, variables) == SOURCES[strongest][1][:2]


@pytest.mark.parametrize(
    ("arguments", "variables", "language"),
    [
        (["--language=ru", "status"], {}, "ru"),
        (["--version", "--language", "ky"], {}, "ky"),
        (["status", "--language", "ky"], {}, "en"),
        (["get", "--surname", "--language", "ky"], {}, "en"),
        (["--language"], {}, "en"),
        (["--language", "de"], {"LANG": "ru_RU.UTF-8"}, "ru"),
        ([], {"LANG": "ky_KG.UTF-8", "LC_ALL": "ru_RU.UTF-8"}, "ru"),
        ([], {"LANG": "ky_KG"}, "ky"),
        ([], {"LANG": "C.UTF-8"}, "en"),
        ([], {"LC_ALL": "", "LANG": "de_DE.UTF-8"}, "en"),
        (["get", "-p", "{file}"], {}, "ky"),
        (["get", "--profile={file}"], {}, "ky"),
        (["get"], {"MAKUL_PROFILE": "{file}"}, "ky"),
        (["get", "-p", "/none"], {"LANG": "ru_RU"}, "ru"),
        (["get", "-p", "{broken}"], {"LANG": "ru_RU"}, "ru"),
        (["get", "--", "-p", "{file}"], {}, "en"),
    ],
)
def test_where_the_language_comes_from(
    tmp_path: Path, arguments: list[str], variables: dict[str, str], language: str
) -> None:
    """The option precedes the command; a file that cannot be read decides nothing."""
    file, broken = tmp_path / "ky.toml", tmp_path / "broken.toml"
    file.write_text('language = "ky"\n')
    broken.write_text('language = "ky\n')
    places = {"{file}": str(file), "{broken}": str(broken)}

    def filled(text: str) -> str:
        for name, place in places.items():
            text = text.replace(name, place)
        return text

    values = {name: filled(value) for name, value in variables.items()}
    assert CHOICE.choose([*map(filled, arguments)], values) == language


@pytest.mark.parametrize("environment", [{}, {"MAKUL_LANGUAGE": "de"}])
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_an_unknown_language_is_a_usage_error(
    environment: dict[str, str], as_json: tuple[str, ...]
) -> None:
    """It names the three."""
    option = () if environment else ("--language", "de")
    result = run(*option, "status", "-p", "none.toml", *as_json, env=environment)

    assert result.exit_code == ExitCode.USAGE
    assert all(repr(each.value) in result.output for each in Language)
    assert "--language" in result.output


# --- messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize(
    ("arguments", "in_russian"),
    [
        (("gett",), "Команды 'gett' не существует. Возможно, 'get'?"),
        (("nothing",), "Команды 'nothing' не существует."),
        (("get", "--profil", "x"), "Такого параметра нет: --profil (Возможные параметры:"),
        (("get",), "Не указан параметр '--profile' / '-p' (переменная окружения: 'MAKUL_PROFILE')"),
        (("consent", "attach", "x"), "Не указан аргумент 'SIGNED'"),
        (("get", "-p"), "Параметру '-p' нужно значение"),
        (("get", "--json=1"), "Параметр '--json' не принимает значения"),
        (("status", "-p", "x", "y"), "Указаны лишние аргументы (y)"),
        (
            ("get", "-p", "x", "--consent-id", "x"),
            "Неверное значение '--consent-id': требуется UUID",
        ),
        (("consent", "status", "-p", "x", "y"), "требуется UUID"),
        (("--language",), "Параметру '--language' нужно значение"),
    ],
)
def test_a_usage_error_is_in_the_language(
    arguments: tuple[str, ...], in_russian: str, language: Language
) -> None:
    """Typer's own words too, with the same exit code."""
    result = run(*arguments, env={"MAKUL_LANGUAGE": language})

    assert result.exit_code == ExitCode.USAGE
    assert result.stdout == ""
    assert language is not Language.RU or in_russian in words(result.stderr)
    for word in (
        "Usage",
        "Try",
        "Error",
        "Invalid",
        "Missing",
        "such",
        "mean",
        "does not",
        "should",
    ):
        assert word not in result.stderr


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "-p", "/"),
        ("status", "-p", "/none.toml"),
        ("consent", "show", "/none.xml"),
        ("consent", "show", "/"),
        ("receipt", "verify", "-p", "/", "r.xml"),
        ("gett",),
    ],
)
def test_json_keeps_its_keys_and_codes(arguments: tuple[str, ...], language: Language) -> None:
    """Only the message of an error is translated, and the exit code is the same."""
    english = run(*arguments, "--json")
    other = run("--language", language, *arguments, "--json")

    plain, translated = (json.loads(each.stdout)["error"] for each in (english, other))
    assert other.exit_code == english.exit_code
    assert plain.pop("message") != (message := translated.pop("message"))
    assert translated == plain
    assert re.search("[а-я]", message)
    assert "no such" not in message


@pytest.mark.parametrize(
    ("profile", "in_russian"),
    [
        ("language = ", "это не TOML: "),
        ('language = "de"', "language: должно быть одним из: ky, ru, en"),
        ("sandbox = 1", "recipient: нужна таблица [recipient]"),
        ("[recipient]\ncode = 1", "[recipient] code: должен быть текст в кавычках"),
        ("[recipient]\ncod = 1", "[recipient] cod: такого ключа здесь нет"),
        ('[recipient]\ncode = "x"', "[recipient] code: должно иметь вид [A-Z]"),
    ],
)
def test_a_flaw_of_the_profile_is_in_the_language(
    tmp_path: Path, profile: str, in_russian: str
) -> None:
    """The words for what pydantic finds, too; keys and patterns are as in the file."""
    file = tmp_path / "bank.toml"
    file.write_text(profile + "\n")

    assert f"{file}: {in_russian}" in run("--language", "ru", "status", "-p", file).stderr


def test_output_is_utf8_in_every_locale(tmp_path: Path) -> None:
    """Help as well as messages, where the locale has no Cyrillic letters."""
    program = "from makul_client.cli.main import main; main()"
    narrow = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "MAKUL_LANGUAGE": "ky"}
    for arguments in (["--help"], ["consent", "show", "/none.xml"]):
        result = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=os.environ | narrow,
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert "ү" in (result.stdout + result.stderr).decode()


# --- the library ------------------------------------------------------------------------------


def test_the_library_speaks_english_by_default() -> None:
    """A program that uses it decides; fields are filled in after the translation."""
    text = "{file}: there is no such file"

    assert translate(text, file="a.xml") == "a.xml: there is no such file"
    with use_language(Language.RU):
        assert translate(text, file="a.xml") == "a.xml: такого файла нет"
        with use_language(Language.KY):
            assert translate(ADVICE[Retry.NO]).startswith("Кайра сурабаңыз")
        assert current_language() is Language.RU
    assert current_language() is Language.EN


def test_a_message_without_a_translation_remains_english() -> None:
    """And braces in a value are not fields."""
    assert translate_to(Language.KY, "{name} is not in the catalog", name="{x}") == (
        "{x} is not in the catalog"
    )
    assert ("", "{name} is not in the catalog") not in CATALOGS.load(Language.KY)


def test_a_context_keeps_equal_words_apart() -> None:
    """English "to" is a recipient or an end."""
    translations = {
        translate_to(Language.RU, "to", context=each) for each in ("recipient", "end", "")
    }

    assert translations == {"кому", "окончание", "to"}
