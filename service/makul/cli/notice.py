"""`makul notice`: what subjects are told before they consent (Procedure, cl. 4)."""

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from makul.cli.house import HouseError
from makul.cli.output import carry_out
from makul.cli.session import Apply, AsJson, examples, session

app = typer.Typer(no_args_is_help=True, help="What subjects are told before they consent (cl. 4).")

MAX_BYTES = 256 * 1024
"""Nobody reads more before signing."""


class Language(StrEnum):
    """In which a notice is shown."""

    KY = "ky"
    RU = "ru"
    EN = "en"


@app.command(
    epilog=examples(
        "makul notice add BANK-2026/1 notice.ky.txt --language ky",
        "makul notice add BANK-2026/1 notice.ky.txt --language ky --apply",
    )
)
def add(
    ctx: typer.Context,
    *,
    ref: Annotated[str, typer.Argument(metavar="REF", help="Its number, as consents cite it.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Its text, UTF-8.")
    ],
    language: Annotated[Language, typer.Option(help="The language of the text.")],
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Register an approved notice. Its exact bytes count: a consent cites their SHA-256."""
    if not 1 <= len(ref) <= 100 or not ref.isprintable():
        raise HouseError("REF is 1 to 100 printable characters")
    text = _read(file)
    digest = hashlib.sha256(text).digest()
    with session(ctx).house() as house:
        carry_out(
            "register notice",
            {"ref": ref, "language": language.value, "sha256": digest.hex(), "bytes": len(text)},
            lambda: house.desk.add_notice(
                ref, digest, {language.value: text.decode()}, at=house.clock()
            ),
            apply=apply,
            as_json=as_json,
        )


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        text = opened.read(MAX_BYTES + 1)
    if not 0 < len(text) <= MAX_BYTES:
        raise HouseError(f"{file.name} is empty or longer than {MAX_BYTES} bytes")
    try:
        text.decode()
    except UnicodeDecodeError:
        raise HouseError(f"{file.name} is not UTF-8; save it as UTF-8 and try again") from None
    return text
