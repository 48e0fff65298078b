"""Files of documents to be signed and of signed documents."""

from pathlib import Path
from typing import Annotated

import typer

from makul.admin.errors import OperatorError
from makul.app.agreements import NotSigned
from makul.language.translation import translate
from makul.net.files import read_bounded

MAX_BYTES = 256 * 1024
"""The maximum size of a signed document, as in docs/recipients.md."""

SignedFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.xml", exists=True, dir_okay=False, help="The file of the document."
    ),
]
KeyFile = Annotated[
    Path, typer.Option("--key", exists=True, dir_okay=False, help="The private key, PEM.")
]
ChainFile = Annotated[
    Path,
    typer.Option(
        "--certificate",
        exists=True,
        dir_okay=False,
        help="The certificate of the key with any chain, PEM.",
    ),
]


def read_document(path: Path) -> bytes:
    """Return the exact bytes of a document. Raises `OperatorError` or `FileError`."""
    content = read_bounded(path, MAX_BYTES)
    if not content:
        raise OperatorError(translate("{path}: empty. Name the document.", path=path))
    return content


def print_document(document: bytes) -> None:
    """Print the exact bytes on stdout, because a signature covers every byte."""
    typer.echo(document, nl=False)


def not_good(path: Path, verdict: NotSigned) -> OperatorError:
    """Return the error for a signed document that does not count, with the reasons."""
    codes = f" ({', '.join(verdict.codes)})" if verdict.codes else ""
    return OperatorError(
        translate(
            "{file} does not count: {cause}{codes}", file=path.name, cause=verdict.why, codes=codes
        )
    )
