"""The command `makul-client month`: compare a month with your receipts, confirm or contest it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias
from uuid import UUID

import typer

from makul_client.cli.exit_codes import ExitCode
from makul_client.cli.late_commands import late
from makul_client.cli.month_contest import MAX_CONTESTED, Wishes, draft_contest, read_wishes
from makul_client.cli.month_output import describe_act, month_facts, print_check, print_planned
from makul_client.cli.options import (
    AsJson,
    Employee,
    ProfileFile,
    ReceiptOut,
    RequestId,
    as_typed,
    examples,
)
from makul_client.cli.output import print_json, print_line, print_note, read_file
from makul_client.cli.output_files import write_new
from makul_client.cli.progress_bar import bar_of_lines
from makul_client.cli.prompts import ask, has_terminal
from makul_client.cli.run import Run, open_client, receipt_in, report_errors
from makul_client.errors import MakulError
from makul_client.models.months import (
    ContestedItem,
    MonthAct,
    MonthCheck,
    MonthlyStatement,
    is_month,
)
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client._internal.crypto.credentials import load_credential
    from makul_client._internal.request_sender import Context
    from makul_client.client import Client
    from makul_client.months.confirmation import content_to_sign, require_signed, sign_statement
else:
    Context = late("_internal.request_sender", "Context")
    content_to_sign = late("months.confirmation", "content_to_sign")
    load_credential = late("_internal.crypto.credentials", "load_credential")
    require_signed = late("months.confirmation", "require_signed")
    sign_statement = late("months.confirmation", "sign_statement")

month_app = typer.Typer(rich_markup_mode=None)
"""Its command is one of the program itself: `makul_client.cli.main` adds it without a name."""

MORE: Final = """\
Without --confirm or --contest the exit code is 1 if there are differences. A statement that must
not be trusted is exit code 4.
"""


Signing: TypeAlias = Callable[[MonthlyStatement], bytes]
"""A function that returns a statement with the signatory's signature."""


@dataclass(frozen=True)
class Confirmation:
    """What the options say about confirming a month."""

    is_wanted: bool
    key: Path | None
    certificate: Path | None
    key_password_env: str | None
    signed: Path | None
    write_bytes: Path | None
    despite_differences: bool

    def require_options(self, wishes: Wishes) -> None:
        """Raise `typer.BadParameter` for options that contradict each other."""
        has_key = self.key is not None and self.certificate is not None
        if (self.key is None) is not (self.certificate is None):
            raise typer.BadParameter(translate("--key: goes together with --certificate"))
        if self.is_wanted and has_key is (self.signed is not None):
            raise typer.BadParameter(
                translate("--confirm: give --key and --certificate, or --signed")
            )
        if not self.is_wanted and (has_key or self.signed is not None):
            raise typer.BadParameter(translate("--key, --signed: go together with --confirm"))
        if sum((self.is_wanted, bool(wishes), self.write_bytes is not None)) > 1:
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
        credential = load_credential(self.key, self.certificate, password_env=self.key_password_env)
        return lambda statement: sign_statement(statement, credential)


def _sign_nothing(_: MonthlyStatement) -> bytes:
    raise TypeError("the options were checked before")


@month_app.command(
    epilog=examples(
        "makul-client month 2026-10",
        "makul-client month 2026-10 --confirm --key head.key.pem --certificate head.crt.pem",
        "makul-client month 2026-10 --write-bytes to-sign.xml",
        "makul-client month 2026-10 --confirm --signed signed.xml --yes",
        "makul-client month 2026-10 --draft-contest contest.txt",
        "makul-client month 2026-10 --contest-file contest.txt",
        more=MORE,
    )
)
def month(
    *,
    profile: ProfileFile,
    of_month: Annotated[
        str, typer.Argument(metavar="YYYY-MM", help="The month, in the time of Bishkek.")
    ],
    proofs: Annotated[
        int,
        typer.Option(
            min=0,
            max=10_000,
            help="The number of kept receipts, chosen at random, to prove in the log.",
        ),
    ] = 20,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Confirm the month by your signatory's signature.")
    ] = False,
    key: Annotated[Path | None, typer.Option(help="The key of your signatory, PEM.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate of your signatory, PEM.")
    ] = None,
    key_password_env: Annotated[
        str | None, typer.Option(help="The variable that contains the password of the key.")
    ] = None,
    signed: Annotated[
        Path | None, typer.Option(help="The statement as another program signed it (XAdES).")
    ] = None,
    write_bytes: Annotated[
        Path | None, typer.Option(help="The new file for the exact bytes to sign elsewhere.")
    ] = None,
    despite_differences: Annotated[
        bool, typer.Option("--despite-differences", help="Confirm although there are differences.")
    ] = False,
    contest: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE=REASON", help="Contest the line of a disclosure id."),
    ] = None,
    contest_file: Annotated[
        Path | None, typer.Option(help="Contest each line of a file: a disclosure id, a reason.")
    ] = None,
    draft_contest_file: Annotated[
        Path | None,
        typer.Option("--draft-contest", help="The new file for the differences, to add reasons."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Send without a question. Otherwise it is shown first.")
    ] = False,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """Compare the operator's statement of a month with the receipts that you kept.

    The statement is verified with all its pages, and its checkpoint with your ledger (cl. 11).
    Then each line is compared with your receipt of it, and each receipt with the lines. The
    profile names the directory of the receipts: receipts in the table [recipient].

    Then confirm the month, or contest lines of it. Both are final, so they are shown before they
    are sent. A line that you contest without a receipt of it is UNREPORTED_BY_RECIPIENT. A receipt
    that the statement does not have is sent with the contest: UNKNOWN_TO_OPERATOR.
    """
    if not is_month(of_month):
        raise typer.BadParameter(translate("write the month as 2026-10"))
    confirmation = Confirmation(
        is_wanted=confirm,
        key=key,
        certificate=certificate,
        key_password_env=as_typed(key_password_env),
        signed=signed,
        write_bytes=write_bytes,
        despite_differences=despite_differences,
    )
    with report_errors(as_json=as_json) as run:
        wishes = read_wishes(contest or (), contest_file)
        confirmation.require_options(wishes)
        sign = confirmation.load()
        with open_client(profile) as client, receipt_in(receipt) as keep:
            context = run.inquire(employee=employee)
            with bar_of_lines(is_shown=not as_json) as report:
                check = client.check_month(
                    of_month,
                    context=context,
                    sample=proofs,
                    contested=frozenset(wishes),
                    report=report,
                )
            session = _Session(run, client, check, employee, request_id, yes=yes, as_json=as_json)
            if draft_contest_file is not None:
                write_new(draft_contest_file, draft_contest(check))
            if write_bytes is not None:
                session.require_no_differences(confirmation)
                write_new(write_bytes, content_to_sign(check.issued.statement))
            if not confirm and not wishes:
                session.show(write_bytes, draft_contest_file)
                return
            done = session.confirm(confirmation, sign) if confirm else session.contest(wishes)
            with keep(done.act):
                session.show_done(done)


class _Session:
    """One run of the command after the comparison."""

    def __init__(
        self,
        run: Run,
        client: Client,
        check: MonthCheck,
        employee: str | None,
        request_id: UUID | None,
        *,
        yes: bool,
        as_json: bool,
    ) -> None:
        self._run = run
        self._client = client
        self._check = check
        self._employee = employee
        self._request_id = request_id
        self._yes = yes
        self._as_json = as_json

    def show(self, *written: Path | None) -> None:
        """Show the comparison. Exit with 1 if there are differences."""
        if self._as_json:
            print_json(month_facts(self._check))
        else:
            print_check(self._check)
        for file in written:
            if file is not None:
                print_note(translate("{file}: written.", file=file))
        if self._check.has_differences:
            raise typer.Exit(ExitCode.NO)

    def require_no_differences(self, confirmation: Confirmation) -> None:
        """Show the comparison and exit with 1 if the month should not be confirmed."""
        if not self._check.has_differences or confirmation.despite_differences:
            return
        print_note(
            translate(
                "Nothing was signed or sent: there are differences. Contest them, or add"
                " --despite-differences."
            )
        )
        self.show()

    def confirm(self, confirmation: Confirmation, sign: Signing) -> MonthAct:
        """Confirm the month, once the user has agreed."""
        self.require_no_differences(confirmation)
        document = sign(self._check.issued.statement)
        self._require_yes(translate("confirm the month, for ever"), ())
        return self._client.confirm_month(
            self._check.issued.statement, document, context=self._begin()
        )

    def contest(self, wishes: Wishes) -> MonthAct:
        """Contest lines and receipts, once the user has agreed."""
        known = {each.disclosure_id: each for each in self._check.differences}
        items = [
            ContestedItem.of(known[line], reason)
            if line in known
            else ContestedItem(disclosure_id=line, reason=reason)
            for line, reason in wishes.items()
        ]
        receipts = sum(each.receipt is not None for each in items)
        if receipts > MAX_CONTESTED:
            raise MakulError(
                translate("contest at most {number} receipts at once", number=MAX_CONTESTED)
            )
        self._require_yes(translate("contest lines of the month"), items)
        return self._client.contest_month(
            self._check.issued.statement, items, context=self._begin()
        )

    def show_done(self, done: MonthAct) -> None:
        """Show what was done."""
        if self._as_json:
            print_json({**month_facts(self._check), "done": done})
            return
        for line in describe_act(done):
            print_line(line)

    def _begin(self) -> Context:
        request_id = self._run.begin_request(self._request_id)
        return Context(employee=as_typed(self._employee), request_id=request_id)

    def _require_yes(self, title: str, items: list[ContestedItem] | tuple[()]) -> None:
        """Return if the user agrees. Otherwise end the run; nothing was sent."""
        if self._yes:
            return
        if self._as_json:
            print_json({**month_facts(self._check), "done": None, "contest": items})
        else:
            print_check(self._check)
            print_planned(title, self._check, items)
        if self._as_json or not has_terminal():
            print_note(translate("Nothing was sent. To do it, give the same command with --yes."))
            raise typer.Exit(ExitCode.OK)
        target = self._check.issued.statement.month
        question = translate("To confirm, type {target}", target=target)
        if ask(question, instead="--yes").strip() != target:
            print_note(translate("Nothing was sent: it was not confirmed."))
            raise typer.Exit(ExitCode.USAGE)
