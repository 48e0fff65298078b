"""Check that the catalogs are complete. `make check` runs this.

Every message that a program marks, and every paragraph of its help, must have a Kyrgyz and a
Russian translation with the same fields. The check prints one line for each that has none or is
flawed. With `--update`, the catalogs are written again first: new messages are added, and those
that no program uses any more are removed.
"""

import string
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer
from catalogs import LANGUAGES, ROOT, Key, Program, untranslated, write_catalog

import makul.cli
import makul_client.cli.main
import makul_client.cli.oversight.main
from makul.admin.runtime import Runtime

SHARED: Final = Program(
    name="makul_language",
    package=ROOT / "clients/makul_language",
    catalogs=ROOT / "clients/makul_language/catalogs",
)
CLIENT: Final = Program(
    name="makul-client",
    package=ROOT / "clients/makul_client",
    catalogs=ROOT / "clients/makul_client/catalogs",
    shared=SHARED,
)
OPERATOR: Final = Program(
    name="makul",
    package=ROOT / "service/makul",
    catalogs=ROOT / "service/makul/language/catalogs",
    shared=SHARED,
)
PROGRAMS: Final = (SHARED, CLIENT, OPERATOR)


def commands(program: Program) -> Mapping[str, Any]:
    """Return the command trees of a package, in English, by the names of its programs."""
    if program is SHARED:
        return {}
    if program is CLIENT:
        return {
            "makul-client": typer.main.get_command(makul_client.cli.main.app),
            "makul-oversight": typer.main.get_command(makul_client.cli.oversight.main.app),
        }
    return {"makul": typer.main.get_command(makul.cli.build(Runtime()))}


def main() -> int:
    """Print each flaw on its own line and return the exit code."""
    problems = []
    count = 0
    for program in PROGRAMS:
        messages = program.messages(commands(program))
        count += len(messages)
        for language in LANGUAGES:
            file = program.file(language)
            translations = program.translations(language)
            if "--update" in sys.argv[1:]:
                file.write_text(write_catalog(language, messages, translations), encoding="utf-8")
                translations = program.translations(language)
            name = file.relative_to(ROOT)
            problems += [f"{name}: {each}" for each in flaws(messages, translations)]
    sys.stdout.writelines(f"{each}\n" for each in problems)
    if problems:
        return 1
    sys.stdout.write(f"catalogs: {count} messages in {len(LANGUAGES)} languages are translated\n")
    return 0


def flaws(messages: Mapping[Key, str], translations: Mapping[Key, str]) -> Iterator[str]:
    """Return what is wrong with the catalog of one language."""
    for _, text in untranslated(messages, translations):
        yield f"no translation: {text!r}"
    for key, translation in translations.items():
        if key not in messages:
            yield f"no program says this any more: {key[1]!r}"
        elif fields(key[1]) != fields(translation):
            yield f"the fields differ: {key[1]!r}"
        elif _edges(key[1]) != _edges(translation):
            yield f"spaces or line breaks at the ends differ: {key[1]!r}"


def fields(text: str) -> list[str]:
    """Return the names of the fields of a template, sorted; a text in JSON has none."""
    try:
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
    except ValueError:
        return []


def _edges(text: str) -> tuple[str, str]:
    body = text.strip(" \n\b")
    return text.partition(body)[0], text.rpartition(body)[2]


if __name__ == "__main__":
    raise SystemExit(main())
