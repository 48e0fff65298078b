"""The command `makul-client month`: compare a month with your receipts, confirm or contest it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from makul_client.cli.confirmation import require_confirmation
from makul_client.cli.exit_codes import ExitCode
from makul_client.cli.late_commands import late
from makul_client.cli.month_contest import MAX_CONTESTED, Wishes, draft_contest
from makul_client.cli.month_options import (
    Confirmation,
    ContestOptions,
    Sending,
    Signing,
    parse_month,
)
from makul_client.cli.month_output import describe_act, month_facts, print_check, print_planned
from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import ProfileFile, examples
from makul_client.cli.output import print_json, print_line, print_note
from makul_client.cli.output_files import write_new
from makul_client.cli.progress_bar import bar_of_lines
from makul_client.cli.run import Run, open_client, receipt_in, report_errors
from makul_client.errors import MakulError
from makul_client.models.months import ContestedItem, MonthAct, MonthCheck
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client.client import Client
    from makul_client.months.confirmation import content_to_sign
else:
    content_to_sign = late("months.confirmation", "content_to_sign")

month_app = typer.Typer(rich_markup_mode=None)
"""Its command is one of the program itself: `makul_client.cli.main` adds it without a name."""

MonthArgument = Annotated[
    str,
    typer.Argument(
        metavar="YYYY-MM", help="The month, in the time of Bishkek.", callback=parse_month
    ),
]
Proofs = Annotated[
    int,
    typer.Option(
        min=0,
        max=10_000,
        help="The number of kept receipts, chosen at random, to prove in the log.",
    ),
]
MORE: Final = """\
Without --confirm or --contest the exit code is 1 if there are differences. A statement that must
not be trusted is exit code 4.
"""


@month_app.command(
    epilog=examples(
        "makul-client month 2026-10",
        "makul-client month 2026-10 --confirm --key head.key.pem --certificate head.crt.pem",
        "makul-client month 2026-10 --write-bytes to-sign.xml",
        "makul-client month 2026-10 --confirm --signed signed.xml --apply",
        "makul-client month 2026-10 --draft-contest contest.txt",
        "makul-client month 2026-10 --contest-file contest.txt",
        more=MORE,
    )
)
@with_groups
def month(
    *,
    profile: ProfileFile,
    of_month: MonthArgument,
    proofs: Proofs = 20,
    confirmation: Confirmation,
    contested: ContestOptions,
    sending: Sending,
) -> None:
    """Compare the operator's statement of a month with the receipts that you kept.

    The statement is verified with all its pages, and its checkpoint with your ledger (cl. 11).
    Then each line is compared with your receipt of it, and each receipt with the lines. The
    profile names the directory of the receipts: receipts in the table [recipient].

    Then confirm the month, or contest lines of it. Both are final, so they are shown before they
    are sent. A line that you contest without a receipt of it is UNREPORTED_BY_RECIPIENT. A receipt
    that the statement does not have is sent with the contest: UNKNOWN_TO_OPERATOR.
    """
    with report_errors(as_json=sending.as_json) as run:
        wishes = contested.read()
        confirmation.require_options(wishes)
        sign = confirmation.load()
        with open_client(profile) as client, receipt_in(sending.receipt) as keep:
            with bar_of_lines(is_shown=not sending.as_json) as report:
                check = client.check_month(
                    of_month,
                    context=run.inquire(employee=sending.employee),
                    sample=proofs,
                    contested=frozenset(wishes),
                    report=report,
                )
            compared = _ComparedMonth(run, client, check, sending)
            compared.write(confirmation, contested.draft)
            if confirmation.confirm:
                done = compared.confirm(confirmation, sign)
            elif wishes:
                done = compared.contest(wishes)
            else:
                compared.show(confirmation.write_bytes, contested.draft)
                return
            with keep(done.act):
                compared.show_done(done)


class _ComparedMonth:
    """A month after the comparison: it is shown, confirmed or contested."""

    def __init__(self, run: Run, client: Client, check: MonthCheck, sending: Sending) -> None:
        self._run = run
        self._client = client
        self._check = check
        self._sending = sending

    def write(self, confirmation: Confirmation, draft: Path | None) -> None:
        """Write the files that were asked for: a draft of a contest, and the bytes to sign."""
        if draft is not None:
            write_new(draft, draft_contest(self._check))
        if confirmation.write_bytes is not None:
            self.require_no_differences(confirmation)
            write_new(confirmation.write_bytes, content_to_sign(self._check.issued.statement))

    def show(self, *written: Path | None) -> None:
        """Show the comparison. Exit with 1 if there are differences."""
        if self._sending.as_json:
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
        self._require_confirmation(translate("confirm the month, for ever"), ())
        return self._client.confirm_month(
            self._check.issued.statement, document, context=self._sending.begin(self._run)
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
        self._require_confirmation(translate("contest lines of the month"), items)
        return self._client.contest_month(
            self._check.issued.statement, items, context=self._sending.begin(self._run)
        )

    def show_done(self, done: MonthAct) -> None:
        """Show what was done."""
        if self._sending.as_json:
            print_json({**month_facts(self._check), "done": done})
            return
        for line in describe_act(done):
            print_line(line)

    def _require_confirmation(self, title: str, items: Sequence[ContestedItem]) -> None:
        """Return if the user agrees. Otherwise end the run; nothing was sent."""

        def show() -> None:
            if self._sending.as_json:
                print_json({**month_facts(self._check), "done": None, "contest": items})
            else:
                print_check(self._check)
                print_planned(title, self._check, items)

        target = self._check.issued.statement.month
        sending = self._sending
        require_confirmation(target, show, apply=sending.apply, as_json=sending.as_json)
