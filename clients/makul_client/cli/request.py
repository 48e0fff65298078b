"""The commands that ask about a person: verify, get, and their dry run."""

from typing import Annotated

import typer

from makul_client.cli.correction_output import print_recalls
from makul_client.cli.exit_codes import outcome_code
from makul_client.cli.name_check import check_names, choose_attributes
from makul_client.cli.options import (
    AsJson,
    BasisFile,
    Case,
    ConsentFile,
    ConsentUuid,
    DocumentNumber,
    Employee,
    Face,
    Finger,
    GivenName,
    Patronymic,
    Pin,
    ProfileFile,
    Purpose,
    ReceiptOut,
    RequestId,
    Surname,
    examples,
)
from makul_client.cli.output import print_json, print_line, print_person, print_reasons, print_rules
from makul_client.cli.probe import dry_run_from, ground_from, probe_from
from makul_client.cli.run import open_client, receipt_in, report_errors
from makul_client.cli.vocabulary import complete_attributes
from makul_client.translation import translate

request_app = typer.Typer(rich_markup_mode=None)
"""Commands of the program itself: `makul_client.cli.main` adds them without a name."""


@request_app.command(
    epilog=examples(
        "makul-client verify --consent consent.xml --document-number ID0000001",
        "makul-client verify --consent consent.xml --surname Sample --given-name Test",
    )
)
def verify(
    *,
    profile: ProfileFile,
    consent: ConsentFile = None,
    consent_id: ConsentUuid = None,
    basis: BasisFile = None,
    pin: Pin = None,
    document_number: DocumentNumber = None,
    surname: Surname = None,
    given_name: GivenName = None,
    patronymic: Patronymic = None,
    face: Face = None,
    finger: Finger = None,
    purpose: Purpose = None,
    employee: Employee = None,
    case: Case = None,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Verify a person's identity. Prints yes or no, never personal data."""
    with (
        report_errors(as_json=as_json) as run,
        open_client(profile) as client,
        receipt_in(receipt) as keep,
    ):
        ground = ground_from(consent, consent_id, basis)
        probe = probe_from(
            ground,
            pin=pin,
            document_number=document_number,
            surname=surname,
            given_name=given_name,
            patronymic=patronymic,
            face=face,
            fingers=finger,
        )
        check_names(client, profile, run.inquire(employee=employee), ground, purpose=purpose)
        context = run.begin(employee=employee, case=case, request_id=request_id)
        result = client.verify_person(probe, ground=ground, purpose=purpose, context=context)
        with keep(result.decision):
            if as_json:
                print_json(result)
            else:
                print_line(translate("matched") if result.matched else translate("not matched"))
                print_reasons(result.decision.reasons)
                print_recalls(result.decision)
        raise typer.Exit(outcome_code(result.decision.outcome))


@request_app.command(
    epilog=examples(
        "makul-client get --consent consent.xml --document-number ID0000001",
        "makul-client get --consent consent.xml --surname Sample -a birthDate --receipt r.xml",
        "makul-client get --basis court-order.xml --document-number ID0000001 -a address --json",
    )
)
def get(
    *,
    profile: ProfileFile,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            "-a",
            help="An attribute to ask for; default: all that the consent lists.",
            autocompletion=complete_attributes,
        ),
    ] = None,
    consent: ConsentFile = None,
    consent_id: ConsentUuid = None,
    basis: BasisFile = None,
    pin: Pin = None,
    document_number: DocumentNumber = None,
    surname: Surname = None,
    given_name: GivenName = None,
    patronymic: Patronymic = None,
    face: Face = None,
    finger: Finger = None,
    purpose: Purpose = None,
    employee: Employee = None,
    case: Case = None,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Get a person's data after a match. Prints the data on standard output."""
    with (
        report_errors(as_json=as_json) as run,
        open_client(profile) as client,
        receipt_in(receipt) as keep,
    ):
        ground = ground_from(consent, consent_id, basis)
        probe = probe_from(
            ground,
            pin=pin,
            document_number=document_number,
            surname=surname,
            given_name=given_name,
            patronymic=patronymic,
            face=face,
            fingers=finger,
        )
        attributes = choose_attributes(attribute, ground)
        check_names(
            client,
            profile,
            run.inquire(employee=employee),
            ground,
            purpose=purpose,
            attributes=attributes,
        )
        context = run.begin(employee=employee, case=case, request_id=request_id)
        data = client.get_person_data(
            probe, attributes, ground=ground, purpose=purpose, context=context
        )
        with keep(data.decision):
            if as_json:
                print_json(data)
            else:
                print_person(data.person)
                print_reasons(data.decision.reasons)
                print_recalls(data.decision)


@request_app.command(
    epilog=examples(
        "makul-client explain --consent consent.xml",
        "makul-client explain --operation VerifyPerson --consent consent.xml --method face",
    )
)
def explain(
    *,
    profile: ProfileFile,
    operation: Annotated[str, typer.Option(help="VerifyPerson or GetPersonData.")] = "",
    method: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", help="demographic, face or finger."),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            "-a",
            help="An attribute that the request would ask for.",
            autocompletion=complete_attributes,
        ),
    ] = None,
    consent: ConsentFile = None,
    consent_id: ConsentUuid = None,
    basis: BasisFile = None,
    pin: Pin = None,
    purpose: Purpose = None,
    employee: Employee = None,
    case: Case = None,
    request_id: RequestId = None,
    as_json: AsJson = False,
) -> None:
    """Explain how a request would be decided, rule by rule.

    Reads no person's data and uses up no limit.
    """
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        ground = ground_from(consent, consent_id, basis)
        dry_run = dry_run_from(
            ground,
            operation=operation,
            methods=tuple(method or ()),
            attributes=tuple(attribute or ()),
            pin=pin,
        )
        context = run.begin(employee=employee, case=case, request_id=request_id)
        explanation = client.explain(
            dry_run.operation,
            methods=dry_run.methods,
            pin=dry_run.pin,
            attributes=dry_run.attributes,
            ground=ground,
            purpose=purpose,
            context=context,
        )
        if as_json:
            print_json(explanation)
        else:
            print_rules(explanation.rules)
            print_line(explanation.decision.outcome)
            print_reasons(explanation.decision.reasons)
        raise typer.Exit(outcome_code(explanation.decision.outcome))
