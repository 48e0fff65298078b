"""The options of `makul-client month`, in groups: confirm, contest, send."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from makul_client.cli.late_commands import late
from makul_client.cli.month_contest import Wishes, read_wishes
from makul_client.cli.options import Apply, AsJson, Employee, ReceiptOut, RequestId, as_typed
from makul_client.cli.output import read_file
from makul_client.models.months import MonthlyStatement, is_month
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client._internal.crypto.credentials import load_credential
    from makul_client._internal.request_sender import Context
    from makul_client.cli.run import Run
    from makul_client.months.confirmation import require_signed, sign_statement
else:
    Context = late("_internal.request_sender", "Context")
    load_credential = late("_internal.crypto.credentials", "load_credential")
    require_signed = late("months.confirmation", "require_signed")
    sign_statement = late("months.confirmation", "sign_statement")

Signing: TypeAlias = Callable[[MonthlyStatement], bytes]
"""A function that returns a statement with the signatory's signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The options by which a month is confirmed, or prepared to be signed elsewhere."""

    confirm: Annotated[
        bool, typer.Option("--confirm", help="Confirm the month by your signatory's signature.")
    ] = False
    key: Annotated[Path | None, typer.Option(help="The key of your signatory, PEM.")] = None
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate of your signatory, PEM.")
    ] = None
    key_password_env: Annotated[
        str | None, typer.Option(help="The variable that contains the password of the key.")
    ] = None
    signed: Annotated[
        Path | None, typer.Option(help="The statement as another program signed it (XAdES).")
    ] = None
    write_bytes: Annotated[
        Path | None, typer.Option(help="The new file for the exact bytes to sign elsewhere.")
    ] = None
    despite_differences: Annotated[
        bool, typer.Option("--despite-differences", help="Confirm although there are differences.")
    ] = False

    def require_options(self, wishes: Wishes) -> None:
        """Raise `typer.BadParameter` for options that contradict each other."""
        has_key = self.key is not None and self.certificate is not None
        if (self.key is None) is not (self.certificate is None):
            raise typer.BadParameter(translate("--key: goes together with --certificate"))
        if self.confirm and has_key is (self.signed is not None):
            raise typer.BadParameter(
                translate("--confirm: give --key and --certificate, or --signed")
            )
        if not self.confirm and (has_key or self.signed is not None):
            raise typer.BadParameter(translate("--key, --signed: go together with --confirm"))
        if sum((self.confirm, bool(wishes), self.write_bytes is not None)) > 1:
            raise typer.BadParameter(
                translate("choose one of --confirm, --contest and --write-bytes")
            )

    def load(self) -> Signing:
        """Return what signs the statement, read before anything is sent.

        Raises `ProfileError` and `MakulError` for files that cannot be used.
        """
        if self.signed is not None:
            document = read_file(self.signed)
            return lambda statement: require_signed(statement, document)
        if self.key is None or self.certificate is None:
            return _sign_nothing
        credential = load_credential(
            self.key, self.certificate, password_env=as_typed(self.key_password_env)
        )
        return lambda statement: sign_statement(statement, credential)


def _sign_nothing(_: MonthlyStatement) -> bytes:
    raise TypeError("the options were checked before")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestOptions:
    """The options by which lines of a month are contested."""

    contest: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE=REASON", help="Contest the line of a disclosure id."),
    ] = None
    contest_file: Annotated[
        Path | None, typer.Option(help="Contest each line of a file: a disclosure id, a reason.")
    ] = None
    draft: Annotated[
        Path | None,
        typer.Option("--draft-contest", help="The new file for the differences, to add reasons."),
    ] = None

    def read(self) -> Wishes:
        """Return the lines to contest. Raises `typer.BadParameter` and `MakulError`."""
        return read_wishes(self.contest or (), self.contest_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The options of what is sent to the operator, and of what is printed."""

    apply: Apply = False
    request_id: RequestId = None
    receipt: ReceiptOut = None
    employee: Employee = None
    as_json: AsJson = False

    def begin(self, run: "Run") -> "Context":
        """Return the context of the request that changes the month."""
        return Context(
            employee=as_typed(self.employee), request_id=run.begin_request(self.request_id)
        )


def parse_month(text: str) -> str:
    """Return a month as it was typed. Raises `typer.BadParameter` if it is none."""
    if not is_month(text):
        raise typer.BadParameter(translate("write the month as 2026-10"))
    return text
