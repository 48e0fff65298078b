"""The language of the operator's help and usage errors: Kyrgyz, Russian or English."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from makul.admin.runtime import Runtime
from makul.cli import build
from makul.cli.language_choice import CHOICE
from makul.config.settings import SettingsError, load_settings
from makul.language.translation import Language, current_language, translate_to
from makul_language.help_pages import is_example, paragraphs
from makul_testing.cli_runner import CommandLine

TRANSLATED = (Language.KY, Language.RU)
OF_TYPER = (
    *("Usage:", "Options", "Commands", "Arguments", "Show this", "env var", "required", "default"),
    *("Try", "Error", "Invalid", "Missing", "No such", "Did you mean", "does not", "should"),
)
"""English words of typer that no page and no usage error of another language may contain."""


def _commands(path: tuple[str, ...], command: Any) -> list[tuple[tuple[str, ...], Any]]:
    command = getattr(command, "loaded", command)
    found = [(path, command)]
    for name, inner in getattr(command, "commands", {}).items():
        found += _commands((*path, name), inner)
    return found


COMMANDS = _commands((), get_command(build(Runtime())))


def words(text: str) -> str:
    """Return a text without line breaks, borders of panels and marks of paragraphs."""
    return " ".join(re.sub("[│╭╮╰╯─\b]", " ", text).split())


def letters(text: str) -> str:
    """Return a text without anything that a table of options may break."""
    return re.sub(r"[\W_]", "", text)


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=[" ".join(path) or "root" for path, _ in COMMANDS]
)
def test_help_is_in_the_language(
    makul: CommandLine, path: tuple[str, ...], command: Any, language: Language
) -> None:
    """No English sentence of the command remains, and its translations are there."""
    result = makul("--language", language, *path, "--help")

    assert result.code == 0, result.err
    plain, solid = words(result.out), letters(result.out)
    own = [text for text in (command.help, command.epilog) if text]
    for text in own:
        for paragraph in paragraphs(text):
            if paragraph and not is_example(paragraph):
                assert words(paragraph) not in plain
                assert letters(translate_to(language, paragraph)) in solid
    for parameter in command.params:
        for paragraph in paragraphs(parameter.help or ""):
            assert not paragraph or words(paragraph) not in plain
    assert [word for word in OF_TYPER if word in plain] == []


def test_help_is_english_by_default(makul: CommandLine) -> None:
    """A run in another language leaves no trace."""
    before = makul("recipient", "add", "--help")
    makul("--language", "ru", "recipient", "add", "--help")

    assert makul("recipient", "add", "--help") == before
    assert "Usage:" in before.out
    assert current_language() is Language.EN


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize(
    ("arguments", "in_russian"),
    [
        (("recipeint",), "Команды 'recipeint' не существует. Возможно, 'recipient'?"),
        (("recipient", "ad"), "Команды 'ad' не существует. Возможно, 'add'"),
        (("recipient", "add", "COM/1"), "Не указан параметр '--kind'"),
        (("recipient", "add"), "Не указан"),
        (("recipient", "list", "--bogus"), "Такого параметра нет: --bogus"),
        (("recipient", "list", "x"), "Указаны лишние аргументы (x)"),
        (("recipient", "add", "COM/1", "--kind", "PIRATE"), "'PIRATE' не входит в список"),
        (("agreement", "add", "/none.toml"), "Файла '/none.toml' нет"),
        (("agreement", "add", "/"), "'/' — каталог, а не файл"),
        (("disclosure", "list", "--limit", "x"), "требуется целое число"),
        (("--language",), "Параметру '--language' нужно значение"),
    ],
)
def test_a_usage_error_is_in_the_language(
    makul: CommandLine, arguments: tuple[str, ...], in_russian: str, language: Language
) -> None:
    """Typer's own words too, with the same exit code and the same keys in JSON."""
    spoken = CommandLine(makul.directory, {"MAKUL_LANGUAGE": language})
    result, as_json, english = spoken(*arguments), spoken(*arguments, "--json"), makul(*arguments)

    assert result.code == english.code == 2
    assert language is not Language.RU or in_russian in words(result.err)
    assert [word for word in OF_TYPER if word in result.err] == []
    if arguments != ("--language",):  # which takes `--json` for its value
        error = as_json.json["error"]
        assert (error["kind"], error["exit_code"]) == ("UsageError", 2)


@pytest.mark.parametrize("environment", [{}, {"MAKUL_LANGUAGE": "de"}])
def test_an_unknown_language_is_a_usage_error(
    makul: CommandLine, environment: dict[str, str]
) -> None:
    """It names the three."""
    option = () if environment else ("--language", "de")
    result = CommandLine(makul.directory, environment)(*option, "recipient", "list")

    assert result.code == 2
    assert all(repr(each.value) in result.err for each in Language)


def test_output_is_utf8_in_every_locale(tmp_path: Path) -> None:
    """Help as well as usage errors, where the locale has no Cyrillic letters."""
    narrow = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "MAKUL_LANGUAGE": "ky"}
    for arguments in (["--help"], ["recipeint"]):
        result = subprocess.run(
            [sys.executable, "-m", "makul", *arguments],
            env=os.environ | narrow,
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert "ү" in (result.stdout + result.stderr).decode()


# --- the choice -------------------------------------------------------------------------------

SOURCES = (
    ("--language", "ky"),
    ("MAKUL_LANGUAGE", "ru"),
    ("settings", "ky"),
    ("LANG", "ru_RU.UTF-8"),
)
"""What names a language, the strongest first; neighbours differ."""


@pytest.mark.parametrize("strongest", range(len(SOURCES)))
def test_option_before_variable_before_settings_before_locale(
    tmp_path: Path, strongest: int
) -> None:
    """Each decides where nothing stronger does."""
    settings = tmp_path / "makul.toml"
    settings.write_text("")
    arguments: list[str] = ["--config", str(settings)]
    variables: dict[str, str] = {}
    for name, value in SOURCES[strongest:]:
        if name == "--language":
            arguments += [name, value]
        elif name == "settings":
            settings.write_text(f'language = "{value}"\n')
        else:
            variables[name] = value

    assert CHOICE.choose([*arguments, "key", "show"], variables) == SOURCES[strongest][1][:2]


@pytest.mark.parametrize(
    ("arguments", "variables", "language"),
    [
        (["--language=ru", "key"], {}, "ru"),
        (["key", "--language", "ky"], {}, "ky"),  # from makul.toml in the directory
        (["key", "--language", "ru"], {}, "ky"),
        (["--config", "ru.toml", "key"], {}, "ru"),
        (["--config=ru.toml", "--language", "en"], {}, "en"),
        (["key"], {"MAKUL_CONFIG": "ru.toml"}, "ru"),
        (["--config", "none.toml"], {"LANG": "ru_RU"}, "ru"),
        (["--config", "broken.toml"], {"LC_MESSAGES": "ky_KG.UTF-8", "LANG": "C"}, "ky"),
        (["--config", "broken.toml"], {}, "en"),
    ],
)
def test_where_the_language_comes_from(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variables: dict[str, str],
    language: str,
) -> None:
    """Options precede the command; a file that cannot be read decides nothing."""
    monkeypatch.chdir(tmp_path)
    Path("makul.toml").write_text('language = "ky"\n')
    Path("ru.toml").write_text('language = "ru"\n')
    Path("broken.toml").write_text('language = "ky\n')

    assert CHOICE.choose(arguments, variables) == language


def test_the_settings_may_name_a_language(
    makul: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the three, and the variable before the file; an empty variable names none."""
    file = makul.directory / "makul.toml"
    plain = file.read_text()
    monkeypatch.setenv("MAKUL_LANGUAGE", "")

    assert load_settings(file).language is None
    monkeypatch.delenv("MAKUL_LANGUAGE")
    file.write_text('language = "ky"\n' + plain)
    assert load_settings(file).language is Language.KY
    monkeypatch.setenv("MAKUL_LANGUAGE", "ru")
    assert load_settings(file).language is Language.RU
    monkeypatch.delenv("MAKUL_LANGUAGE")
    file.write_text('language = "de"\n' + plain)
    with pytest.raises(SettingsError, match="language: must be one of ky, ru, en"):
        load_settings(file)
