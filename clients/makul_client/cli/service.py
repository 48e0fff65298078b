"""The commands that ask the service about itself and about your agreement."""

from typing import Annotated

import typer

from makul_client.cli.agreement_terms import collect_terms, keep_terms
from makul_client.cli.options import AsJson, Employee, ProfileFile, examples
from makul_client.cli.output import local_time, print_agreement, print_json, print_note, print_pairs
from makul_client.cli.run import open_client, report_errors
from makul_client.models.response import LedgerInfo
from makul_client.translation import translate

service_app = typer.Typer(rich_markup_mode=None)
"""Commands of the program itself: `makul_client.cli.main` adds them without a name."""


@service_app.command(
    epilog=examples(
        "makul-client agreement",
    )
)
def agreement(
    *,
    profile: ProfileFile,
    number: Annotated[str | None, typer.Argument(help="Default: the profile's.")] = None,
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """Show what your agreement allows.

    This includes its term and its channels (cl. 7).
    """
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        found = client.agreement(number, context=run.inquire(employee=employee))
        if found.number == client.profile.agreement:
            keep_terms(profile, collect_terms(found))
        if as_json:
            print_json(found)
        else:
            print_agreement(found)


@service_app.command(
    epilog=examples(
        "makul-client status --json",
    )
)
def status(*, profile: ProfileFile, employee: Employee = None, as_json: AsJson = False) -> None:
    """Show the status of the service.

    This includes its environment, versions, limits, time and log key.
    """
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        found = client.status(context=run.inquire(employee=employee))
        for each in client.find_unpinned_certificates(found):
            print_note(
                translate(
                    "the profile lacks the operator's {state} receipt certificate {fingerprint},"
                    " from {time}: add it to operator.certificates",
                    state=each.state,
                    fingerprint=each.fingerprint.hex(),
                    time=local_time(each.valid_from),
                )
            )
        other = client.other_log(found)
        if other is not None:
            print_note(
                translate(
                    "the service announces another log key than the profile's: {key}; ask the"
                    " operator, and do not copy it from here",
                    key=other.key,
                )
            )
        if as_json:
            print_json(found)
            return
        limits = [(each.name, f"{each.value} {each.unit}") for each in found.limits]
        print_pairs(
            found.environment,
            [
                (translate("software"), found.software_version),
                (translate("contract"), found.contract_version),
                (translate("time"), local_time(found.time)),
                *limits,
                *_log_rows(found.ledger),
            ],
        )


def _log_rows(ledger: LedgerInfo | None) -> list[tuple[str, str]]:
    if ledger is None:
        return []
    return [
        (translate("log"), ledger.key),
        ("maxMergeDelay", translate("{number} seconds", number=ledger.max_merge_delay)),
    ]
