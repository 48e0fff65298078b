"""The commands `makul-client consent`: from a draft to a registered consent (Procedure, cl. 4)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from makul_client.cli.agreement_terms import load_terms
from makul_client.cli.consent_form import FORM, complete_form, content_from_form
from makul_client.cli.late_commands import late
from makul_client.cli.options import (
    AsJson,
    Case,
    Employee,
    ProfileFile,
    RequestId,
    as_typed,
    examples,
    instant,
)
from makul_client.cli.output import (
    local_time,
    print_consent,
    print_json,
    print_note,
    print_pairs,
    print_result,
    read_file,
)
from makul_client.cli.output_files import write_new
from makul_client.cli.prompts import ask_pin
from makul_client.cli.run import open_client, report_errors
from makul_client.cli.vocabulary import UnknownNameError, complete_attributes, require_attributes
from makul_client.models.request import ConsentDocument
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client._internal.crypto.credentials import load_credential
    from makul_client._internal.request_sender import Context
    from makul_client.consent import documents as consents
    from makul_client.consent import view as consent_view
    from makul_client.consent.documents import ConsentContent
    from makul_client.profile import Profile
else:
    consent_view = late("consent.view")
    consents = late("consent.documents")
    Context = late("_internal.request_sender", "Context")
    load_credential = late("_internal.crypto.credentials", "load_credential")
    Profile = late("profile", "Profile")

consent_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Draft, attach, show, register and revoke consents.",
)

Out = Annotated[Path, typer.Option("--out", "-o", help="The new file for the result.")]


@consent_app.command(
    epilog=examples(
        "makul-client consent draft --until 2027-11-01 -a surname -a givenName -o draft.xml",
        "makul-client consent draft --from form.json -o draft.xml",
        more=FORM,
    )
)
def draft(
    *,
    profile: ProfileFile,
    out: Out,
    form: Annotated[
        Path | None, typer.Option("--from", help="A JSON file with values not given here.")
    ] = None,
    pin: Annotated[
        str | None, typer.Option(help="The PIN; prefer the JSON, MAKUL_PIN or the prompt.")
    ] = None,
    surname: Annotated[str | None, typer.Option()] = None,
    given_name: Annotated[str | None, typer.Option()] = None,
    patronymic: Annotated[str | None, typer.Option()] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            "-a",
            help="An attribute that may be released; without any, the answer is only yes or no.",
            autocompletion=complete_attributes,
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", help="demographic, face or finger."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="The start, as --until; default: now.")] = None,
    until: Annotated[str | None, typer.Option(help="The end: a date or an instant.")] = None,
    times: Annotated[int | None, typer.Option(help="Number of disclosures; default: 1.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draft a consent for the citizen to sign."""
    with report_errors(as_json=as_json):
        options = {
            "pin": pin,
            "surname": as_typed(surname),
            "given_name": as_typed(given_name),
            "patronymic": as_typed(patronymic),
            "attributes": attribute,
            "methods": method,
            "valid_from": since,
            "valid_to": until,
            "max_disclosures": times,
        }
        completed = complete_form(form, options)
        folder = form.parent if form is not None else Path()
        now = datetime.now(UTC).replace(microsecond=0)
        wish = content_from_form(completed, folder=folder, now=now)
        loaded = Profile.load(profile)
        _check_names(wish, loaded, profile)
        document = consents.draft(loaded, wish, given_at=now)
        _write_document(
            out,
            document,
            translate("have it signed by the citizen, then: makul-client consent attach"),
            as_json=as_json,
        )


@consent_app.command(
    epilog=examples(
        "makul-client consent attach draft.xml signed-by-citizen.xml -o consent.xml",
    )
)
def attach(
    *,
    drawn_up: Annotated[Path, typer.Argument(metavar="DRAFT", help="The draft.")],
    signed: Annotated[
        Path, typer.Argument(metavar="SIGNED", help="The signed document, or a detached signature.")
    ],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Attach the citizen's signature to the draft. Verify that it signs exactly this draft."""
    with report_errors(as_json=as_json):
        document = consents.attach(read_file(drawn_up), read_file(signed))
        _write_document(out, document, translate("the draft, signed"), as_json=as_json)


@consent_app.command(
    epilog=examples(
        "makul-client consent sign draft.xml --key citizen.key.pem \\\\",
        "--certificate citizen.crt.pem -o consent.xml",
    )
)
def sign(
    *,
    profile: ProfileFile,
    drawn_up: Annotated[Path, typer.Argument(metavar="DRAFT")],
    key: Annotated[Path, typer.Option(help="The key of a test citizen, PEM.")],
    certificate: Annotated[Path, typer.Option(help="The certificate of the test citizen, PEM.")],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Sign a draft as a test citizen. Requires a profile with sandbox = true."""
    with report_errors(as_json=as_json):
        citizen = load_credential(key, certificate)
        document = consents.sign(Profile.load(profile), read_file(drawn_up), citizen)
        _write_document(out, document, translate("signed by a test citizen"), as_json=as_json)


@consent_app.command(
    epilog=examples(
        "makul-client consent show consent.xml",
    )
)
def show(
    *,
    file: Annotated[Path, typer.Argument(help="The file of a consent, signed or not.")],
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the person unmasked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a consent: parties, data and term. Nothing is verified; the person is masked."""
    with report_errors(as_json=as_json):
        view = consent_view.read_unsafe(read_file(file))
        if not as_json:
            print_consent(view, reveal=reveal)
            return
        print_json(view if reveal else consent_view.without_person(view))


@consent_app.command(
    epilog=examples(
        "makul-client consent register consent.xml",
        "makul-client consent register on-paper.xml --scan paper.pdf --employee teller-42",
        "makul-client consent register by-parent.xml --authority birth-certificate.pdf",
    )
)
def register(
    *,
    profile: ProfileFile,
    file: Annotated[Path, typer.Argument(help="The file of a signed consent.")],
    scan: Annotated[Path | None, typer.Option(help="The scan of a consent on paper.")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="The scan of the representative's proof of authority.")
    ] = None,
    employee: Employee = None,
    case: Case = None,
    request_id: RequestId = None,
    as_json: AsJson = False,
) -> None:
    """Register a consent with the service. Later requests can name it by --consent-id."""
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        document = ConsentDocument(read_file(file))
        scanned = None if scan is None else read_file(scan)
        proved = None if authority is None else read_file(authority)
        context = run.begin(employee=employee, case=case, request_id=request_id)
        held = client.register_consent(document, scan=scanned, authority=proved, context=context)
        line = translate(
            "{consent_id} {state}, remaining {number}",
            consent_id=held.consent_id,
            state=held.state,
            number=held.remaining,
        )
        print_result(held, line, as_json=as_json)


@consent_app.command(
    epilog=examples(
        "makul-client consent status 7d9a3c1e-0000-4000-8000-0000000000c1",
    )
)
def status(
    *,
    profile: ProfileFile,
    consent_id: Annotated[UUID, typer.Argument(help="The id of the consent.")],
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """Show the state of a consent.

    The state is in force, expired, used up or revoked.
    """
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        found = client.consent_status(consent_id, context=run.inquire(employee=employee))
        if as_json:
            print_json(found)
            return
        print_pairs(
            translate("Consent {consent_id}", consent_id=found.consent_id),
            [
                (translate("state"), found.state),
                (translate("used"), str(found.used)),
                (translate("remaining"), str(found.remaining)),
                (translate("from", context="start"), local_time(found.valid_from)),
                (translate("to", context="end"), local_time(found.valid_to)),
            ],
        )


@consent_app.command(
    epilog=examples(
        "makul-client consent draft-revocation 7d9a3c1e-0000-4000-8000-0000000000c1 -o draft.xml",
    )
)
def draft_revocation(
    *,
    profile: ProfileFile,
    consent_id: Annotated[UUID, typer.Argument(help="The id of the consent to revoke.")],
    out: Out,
    pin: Annotated[
        str | None, typer.Option(help="The subject's PIN. Prefer MAKUL_PIN or the prompt.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="A reason, if the subject gives one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draft a consent revocation for signature.

    The person who gave the consent signs it. Attach the signature with `consent attach`, then send
    the document with `consent revoke`.
    """
    with report_errors(as_json=as_json):
        subject = pin or ask_pin(translate("PIN"))
        now = datetime.now(UTC).replace(microsecond=0)
        document = consents.draft_revocation(
            Profile.load(profile), consent_id, subject, at=now, reason=as_typed(reason)
        )
        _write_document(
            out,
            document,
            translate("have it signed, then: makul-client consent attach, consent revoke"),
            as_json=as_json,
        )


@consent_app.command(
    epilog=examples(
        "makul-client consent revoke revocation.xml",
    )
)
def revoke(
    *,
    profile: ProfileFile,
    file: Annotated[Path, typer.Argument(help="The file of a signed consent revocation.")],
    employee: Employee = None,
    case: Case = None,
    request_id: RequestId = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a consent by a signed revocation. No request can use the consent afterwards."""
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        document = read_file(file)
        context = run.begin(employee=employee, case=case, request_id=request_id)
        revoked = client.revoke_consent(document, context=context)
        print_result(revoked, f"{revoked.consent_id} REVOKED", as_json=as_json)


@consent_app.command(
    epilog=examples(
        "makul-client consent revocations --since 2026-11-01",
    )
)
def revocations(
    *,
    profile: ProfileFile,
    since: Annotated[str | None, typer.Option(help="The start: a date or an instant.")] = None,
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """List your revoked consents, oldest first."""
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        revoked = client.revocations(
            None if since is None else instant(since, "--since"),
            context=run.inquire(employee=employee),
        )
        lines = (f"{each.consent_id} {local_time(each.revoked_at)}" for each in revoked)
        print_result(revoked, *lines, as_json=as_json)


def _check_names(wish: "ConsentContent", profile: Profile, file: Path) -> None:
    """Raise `MakulError` for a name that would make the signed consent unusable."""
    methods = wish.methods or (profile.consent.methods if profile.consent is not None else ())
    require_attributes(wish.attributes)
    terms = load_terms(file, profile.agreement)
    if terms is None:
        print_note(
            translate(
                "not checked against the agreement, which is not known here: run"
                " `makul-client agreement` once"
            )
        )
        return
    try:
        terms.require(
            purpose=wish.purpose or profile.purpose, attributes=wish.attributes, methods=methods
        )
    except UnknownNameError as error:
        raise UnknownNameError(
            translate(
                "{cause}. If it was changed since, run `makul-client agreement` and try again",
                cause=error,
            )
        ) from None


def _write_document(file: Path, document: bytes, message: str, *, as_json: bool) -> None:
    """Write a consent or a consent revocation to a new file and report it."""
    write_new(file, document)
    fields = {"file": str(file), "consent_id": consent_view.consent_id_unsafe(document)}
    print_result(fields, f"{file}: {message}", as_json=as_json)
