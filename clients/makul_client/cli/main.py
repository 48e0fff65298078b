"""The command line `makul-client`: the service for a recipient's staff and scripts."""

import signal
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from makul_client.cli.agreement_terms import keep_terms, terms_of
from makul_client.cli.consent import consent_app
from makul_client.cli.language_choice import LANGUAGE_VARIABLE
from makul_client.cli.late_commands import late
from makul_client.cli.name_check import attributes_of, check_names
from makul_client.cli.options import (
    EXIT_CODES,
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
    open_client,
    outcome_code,
    receipt_in,
    reporting,
)
from makul_client.cli.output import (
    local_time,
    print_agreement,
    print_json,
    print_pairs,
    print_person,
    print_reasons,
    print_rules,
    say,
    say_aside,
)
from makul_client.cli.output_files import use_utf8
from makul_client.cli.probe import demographic_from, ground_from, probe_from
from makul_client.cli.receipt import receipt_app
from makul_client.cli.usage import MachineReadableGroup, show_version
from makul_client.cli.vocabulary import (
    METHODS,
    OPERATIONS,
    complete_attributes,
    require_attributes,
    require_known,
)
from makul_client.models.request import ConsentDocument
from makul_client.models.response import LedgerInfo
from makul_client.translation import Language, mark, translate

if TYPE_CHECKING:
    from makul_client._internal.exchange import Context
    from makul_client.consent import view as consent_view
else:
    consent_view = late("consent.view")
    Context = late("_internal.exchange", "Context")

INTRODUCTION: Final = """\
Ask for data from the national biometric database, as your agreement allows.

\b
First steps:
  export MAKUL_PROFILE=bank.toml
  makul-client status
  makul-client agreement
  makul-client consent draft -a surname --until 2027-11-01 --out draft.xml
  makul-client consent attach draft.xml signed-by-citizen.xml --out consent.xml
  makul-client explain --consent consent.xml
  makul-client get --consent consent.xml --document-number ID0000001 --receipt receipt.xml

The profile says who you are, how you call and whom you believe; nothing is edited in code.
Personal data are printed on standard output by `get` alone, and never logged.
"""

app = typer.Typer(
    name="makul-client",
    cls=MachineReadableGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # a traceback would show a person's data
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
    help=INTRODUCTION,
)
app.add_typer(consent_app, name="consent")
app.add_typer(receipt_app, name="receipt")


@app.callback()
def root(
    *,
    language: Annotated[
        Language | None,
        typer.Option(
            envvar=LANGUAGE_VARIABLE,
            help="The language of messages and help; default: the locale's.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=show_version),
    ] = False,
) -> None:
    """Accept the options that precede a command."""
    del language, version  # `MachineReadableGroup` has chosen the language before it parses


@app.command(
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
        reporting(as_json=as_json) as run,
        open_client(profile) as client,
        receipt_in(receipt) as keep,
    ):
        ground = ground_from(consent, consent_id, basis)
        person = demographic_from(
            ground,
            pin=pin,
            document_number=document_number,
            surname=surname,
            given_name=given_name,
            patronymic=patronymic,
        )
        probe = probe_from(person, face, finger)
        check_names(client, profile, run.inquire(employee=employee), ground, purpose=purpose)
        context = run.begin(employee=employee, case=case, request_id=request_id)
        result = client.verify_person(
            probe,
            ground=ground,
            purpose=purpose,
            context=context,
        )
        with keep(result.decision):
            if as_json:
                print_json(result)
            else:
                say(translate("matched") if result.matched else translate("not matched"))
                print_reasons(result.decision.reasons)
        raise typer.Exit(outcome_code(result.decision.outcome))


@app.command(
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
        reporting(as_json=as_json) as run,
        open_client(profile) as client,
        receipt_in(receipt) as keep,
    ):
        ground = ground_from(consent, consent_id, basis)
        person = demographic_from(
            ground,
            pin=pin,
            document_number=document_number,
            surname=surname,
            given_name=given_name,
            patronymic=patronymic,
        )
        probe, attributes = probe_from(person, face, finger), attributes_of(attribute, ground)
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
            probe,
            attributes,
            ground=ground,
            purpose=purpose,
            context=context,
        )
        with keep(data.decision):
            if as_json:
                print_json(data)
            else:
                print_person(data.person)
                print_reasons(data.decision.reasons)


@app.command(
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
    with reporting(as_json=as_json) as run, open_client(profile) as client:
        ground = ground_from(consent, consent_id, basis)
        attributes, methods = tuple(attribute or ()), tuple(method or ())
        # The dry run itself reports, rule by rule, what the agreement and the consent do not
        # contain. So this command checks only whether the names exist.
        require_attributes(attributes)
        require_known(mark("method"), methods, METHODS)
        require_known(mark("operation"), (operation,) if operation else (), OPERATIONS)
        if isinstance(ground, ConsentDocument):
            view = consent_view.read_unsafe(ground.document)
            pin = pin or view.subject.pin
            attributes = attributes or view.attributes
        asked = operation or ("GetPersonData" if attributes else "VerifyPerson")
        context = run.begin(employee=employee, case=case, request_id=request_id)
        explanation = client.explain(
            asked,
            methods=methods or ("demographic",),
            pin=pin,
            attributes=attributes if asked == "GetPersonData" else (),
            ground=ground,
            purpose=purpose,
            context=context,
        )
        if as_json:
            print_json(explanation)
        else:
            print_rules(explanation.rules)
            say(explanation.decision.outcome)
            print_reasons(explanation.decision.reasons)
        raise typer.Exit(outcome_code(explanation.decision.outcome))


@app.command(
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
    with reporting(as_json=as_json) as run, open_client(profile) as client:
        found = client.agreement(number, context=run.inquire(employee=employee))
        if found.number == client.profile.agreement:
            keep_terms(profile, terms_of(found))
        if as_json:
            print_json(found)
        else:
            print_agreement(found)


@app.command(
    epilog=examples(
        "makul-client status --json",
    )
)
def status(*, profile: ProfileFile, employee: Employee = None, as_json: AsJson = False) -> None:
    """Show the status of the service.

    This includes its environment, versions, limits, time and log key.
    """
    with reporting(as_json=as_json) as run, open_client(profile) as client:
        found = client.status(context=run.inquire(employee=employee))
        for each in client.unpinned(found):
            say_aside(
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
            say_aside(
                translate(
                    "the service announces another log key than the profile's: {key}; ask the"
                    " operator, and do not take it over from here",
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
                *_log(found.ledger),
            ],
        )


def _log(notice: LedgerInfo | None) -> list[tuple[str, str]]:
    if notice is None:
        return []
    return [
        (translate("log"), notice.key),
        ("maxMergeDelay", translate("{number} seconds", number=notice.max_merge_delay)),
    ]


def main() -> None:
    """Run the command line."""
    use_utf8()
    with suppress(ValueError):  # Python allows signal handlers only in the main thread
        signal.signal(signal.SIGTERM, _end)
    app()


def _end(number: int, _frame: FrameType | None) -> None:
    """End with the exit code of the signal, but release reserved files first."""
    raise SystemExit(128 + number)
