"""Documents to be signed and signed ones, as files: written, signed, read, and why they fail."""

from pathlib import Path
from typing import Annotated

import typer

from makul.admin.models import OperatorError
from makul.app.agreements import NotSigned
from makul.net.files import read_bounded

MAX_BYTES = 256 * 1024
"""CONTRACT, Documents that are signed."""

SignedFile = Annotated[
    Path,
    typer.Argument(metavar="FILE.xml", exists=True, dir_okay=False, help="The document."),
]
KeyFile = Annotated[
    Path, typer.Option("--key", exists=True, dir_okay=False, help="The private key, PEM.")
]
ChainFile = Annotated[
    Path,
    typer.Option(
        "--certificate", exists=True, dir_okay=False, help="Its certificate, and any chain; PEM."
    ),
]


def read_document(path: Path) -> bytes:
    """Return the exact bytes of a document; raises `OperatorError` or `FileError`."""
    content = read_bounded(path, MAX_BYTES)
    if not content:
        raise OperatorError(f"{path}: empty. Name the document.")
    return content


def print_document(document: bytes) -> None:
    """On stdout, to the byte: nothing may be added to what is signed."""
    typer.echo(document, nl=False)


def not_good(path: Path, found: NotSigned) -> OperatorError:
    """Why a signed document does not count."""
    codes = f" ({', '.join(found.codes)})" if found.codes else ""
    return OperatorError(f"{path.name} does not count: {found.why}{codes}")
