"""The ways in which a signatory of the body signs: a key in a file, or another program."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul_client.cli.late_commands import late
from makul_client.cli.output import print_line, read_file
from makul_client.cli.output_files import write_new
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client._internal.crypto.credentials import load_credential
    from makul_client._internal.party_signature import require_signed_content, sign_content
else:
    load_credential = late("_internal.crypto.credentials", "load_credential")
    require_signed_content = late("_internal.party_signature", "require_signed_content")
    sign_content = late("_internal.party_signature", "sign_content")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningWay:
    """The options that say how the officer signs. Exactly one way is complete."""

    key: Annotated[Path | None, typer.Option(help="The key of your body's signatory, in PEM.")] = (
        None
    )
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate of the signatory, in PEM.")
    ] = None
    key_password_env: Annotated[
        str | None, typer.Option(help="The variable that contains the password of the key.")
    ] = None
    write_bytes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Only write the exact bytes to sign to a new file."),
    ] = None
    signed: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The signed document, or only its ds:Signature."),
    ] = None

    def __post_init__(self) -> None:
        """Raise `typer.BadParameter` for none and for several ways."""
        has_pair = self.key is not None and self.certificate is not None
        ways = (has_pair, self.write_bytes is not None, self.signed is not None)
        if ways.count(True) != 1 or (self.key is None) is not (self.certificate is None):
            raise typer.BadParameter(
                translate("give --key and --certificate, or --write-bytes, or --signed")
            )

    def load(self) -> Callable[[bytes], bytes | None]:
        """Read what the officer gave, and return the function that gives the signed document.

        That function returns None after it wrote the bytes for another program.
        """
        if self.key is not None and self.certificate is not None:
            signatory = load_credential(
                self.key, self.certificate, password_env=self.key_password_env
            )
            return lambda content: sign_content(content, signatory)
        if self.write_bytes is not None:
            return self._write
        document = b"" if self.signed is None else read_file(self.signed)
        return lambda content: require_signed_content(content, document)

    def _write(self, content: bytes) -> None:
        if self.write_bytes is not None:
            write_new(self.write_bytes, content)
            print_line(translate("{file}: sign exactly these bytes.", file=self.write_bytes))
