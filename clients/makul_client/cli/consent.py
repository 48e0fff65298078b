"""`makul-client consent`: from a draft to a consent that the service holds (Procedure, cl. 4)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from makul_client.cli.agreement_terms import load_terms
from makul_client.cli.consent_form import FORM, NAMES, read_form, wish_of
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
    reporting,
)
from makul_client.cli.output import (
    local_time,
    print_consent,
    print_json,
    print_pairs,
    print_result,
    read_file,
    say_aside,
)
from makul_client.cli.output_files import write_new
from makul_client.cli.prompts import ask, ask_pin
from makul_client.cli.vocabulary import UnknownNameError, complete_attributes, require_attributes
from makul_client.models.request import ConsentDocument

if TYPE_CHECKING:
    from makul_client._internal.crypto.credentials import load_credential
    from makul_client._internal.exchange import Context
    from makul_client.client import Client
    from makul_client.consent import documents as consents
    from makul_client.consent import view as consent_view
    from makul_client.consent.documents import Wish
    from makul_client.profile import Profile
else:
    consent_view = late("consent.view")
    consents = late("consent.documents")
    Client = late("client", "Client")
    Context = late("_internal.exchange", "Context")
    load_credential = late("_internal.crypto.credentials", "load_credential")
    Profile = late("profile", "Profile")

consent_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Draw a consent up, put the citizen's signature to it, look at it, hand it in.",
)

Out = Annotated[Path, typer.Option("--out", "-o", help="A new file for the result.")]


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
        Path | None, typer.Option("--from", help="A JSON file with what is not asked for here.")
    ] = None,
    pin: Annotated[
        str | None, typer.Option(help="Better in the JSON, in MAKUL_PIN, or asked for.")
    ] = None,
    surname: Annotated[str | None, typer.Option()] = None,
    given_name: Annotated[str | None, typer.Option()] = None,
    patronymic: Annotated[str | None, typer.Option()] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            "-a",
            help="What may be given; none: only yes or no.",
            autocompletion=complete_attributes,
        ),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", "-m", help="demographic, face, finger.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="From when; else from now.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when; a date or an instant.")] = None,
    times: Annotated[int | None, typer.Option(help="How often; else once.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a consent up, ready for the citizen's signature."""
    with reporting(as_json=as_json, profile=profile):
        known = read_form(form)
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
        known.update({key: value for key, value in options.items() if value is not None})
        if "pin" not in known:
            known["pin"] = ask_pin("pin")
        if not any(known.get(key) for key in NAMES):
            for key in NAMES:
                asked = f"{key} (empty: none)"
                known[key] = ask(asked, instead="the name: --surname, --given-name or --from")
        folder = form.parent if form is not None else Path()
        now = datetime.now(UTC).replace(microsecond=0)
        wish = wish_of(known, folder=folder, now=now)
        loaded = Profile.load(profile)
        _check_names(wish, loaded, profile)
        document = consents.draft(loaded, wish, given_at=now)
        _keep(
            out,
            document,
            "have it signed by the citizen, then: makul-client consent attach",
            as_json=as_json,
        )


@consent_app.command(
    epilog=examples(
        "makul-client consent attach draft.xml signed-by-citizen.xml -o consent.xml",
    )
)
def attach(
    *,
    drawn_up: Annotated[Path, typer.Argument(metavar="DRAFT", help="What was drawn up.")],
    signed: Annotated[
        Path, typer.Argument(metavar="SIGNED", help="What came back: the document, or a signature.")
    ],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Put the citizen's signature to the draft, checking that it is of this very draft."""
    with reporting(as_json=as_json):
        document = consents.attach(read_file(drawn_up), read_file(signed))
        _keep(out, document, "the draft, signed", as_json=as_json)


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
    key: Annotated[Path, typer.Option(help="A test citizen's key, PEM.")],
    certificate: Annotated[Path, typer.Option(help="Their certificate, PEM.")],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Sign in a test citizen's stead. Only with a profile that has sandbox = true."""
    with reporting(as_json=as_json, profile=profile):
        citizen = load_credential(key, certificate)
        document = consents.sign(Profile.load(profile), read_file(drawn_up), citizen)
        _keep(out, document, "signed by a test citizen", as_json=as_json)


@consent_app.command(
    epilog=examples(
        "makul-client consent show consent.xml",
    )
)
def show(
    *,
    file: Annotated[Path, typer.Argument(help="A consent, signed or not.")],
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the person unmasked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who consents to what. Nothing is verified; the person is masked."""
    with reporting(as_json=as_json):
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
    file: Annotated[Path, typer.Argument(help="A signed consent.")],
    scan: Annotated[Path | None, typer.Option(help="Of a consent on paper: its scan.")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="The scan of a representative's authority.")
    ] = None,
    employee: Employee = None,
    case: Case = None,
    request_id: RequestId = None,
    as_json: AsJson = False,
) -> None:
    """Hand a consent in; afterwards its id is enough: --consent-id."""
    with reporting(as_json=as_json, profile=profile) as run, Client.from_file(profile) as client:
        document = ConsentDocument(read_file(file))
        scanned = None if scan is None else read_file(scan)
        proved = None if authority is None else read_file(authority)
        context = run.begin(employee=employee, case=case, request_id=request_id)
        held = client.register_consent(document, scan=scanned, authority=proved, context=context)
        line = f"{held.consent_id} {held.state}, remaining {held.remaining}"
        print_result(held, line, as_json=as_json)


@consent_app.command(
    epilog=examples(
        "makul-client consent status 7d9a3c1e-0000-4000-8000-0000000000c1",
    )
)
def status(
    *,
    profile: ProfileFile,
    consent_id: Annotated[UUID, typer.Argument(help="The consent's id.")],
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """Where a consent stands: in force, expired, used up, revoked."""
    with reporting(as_json=as_json, profile=profile) as run, Client.from_file(profile) as client:
        found = client.consent_status(consent_id, context=run.inquire(employee=employee))
        if as_json:
            print_json(found)
            return
        print_pairs(
            f"Consent {found.consent_id}",
            [
                ("state", found.state),
                ("used", str(found.used)),
                ("remaining", str(found.remaining)),
                ("from", local_time(found.valid_from)),
                ("to", local_time(found.valid_to)),
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
    consent_id: Annotated[UUID, typer.Argument(help="The consent to be taken back.")],
    out: Out,
    pin: Annotated[
        str | None, typer.Option(help="The subject's; better in MAKUL_PIN, or asked for.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, if they wish to say so.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a revocation up, ready for the signature of who gave the consent; then: attach."""
    with reporting(as_json=as_json, profile=profile):
        subject = pin or ask_pin("pin")
        now = datetime.now(UTC).replace(microsecond=0)
        document = consents.draft_revocation(
            Profile.load(profile), consent_id, subject, at=now, reason=as_typed(reason)
        )
        _keep(
            out,
            document,
            "have it signed, then: makul-client consent attach, consent revoke",
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
    file: Annotated[Path, typer.Argument(help="A signed revocation.")],
    employee: Employee = None,
    case: Case = None,
    request_id: RequestId = None,
    as_json: AsJson = False,
) -> None:
    """Hand in what the subject signed; the consent carries nothing from then on."""
    with reporting(as_json=as_json, profile=profile) as run, Client.from_file(profile) as client:
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
    since: Annotated[str | None, typer.Option(help="From when on; a date or an instant.")] = None,
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """Which consents given to you were taken back, oldest first."""
    with reporting(as_json=as_json, profile=profile) as run, Client.from_file(profile) as client:
        told = client.revocations(
            None if since is None else instant(since, "--since"),
            context=run.inquire(employee=employee),
        )
        lines = (f"{each.consent_id} {local_time(each.revoked_at)}" for each in told)
        print_result(told, *lines, as_json=as_json)


def _check_names(wish: "Wish", profile: Profile, file: Path) -> None:
    """Raise `MakulError` for a name that would make the consent void after it is signed."""
    methods = wish.methods or (profile.consent.methods if profile.consent is not None else ())
    require_attributes(wish.attributes)
    terms = load_terms(file, profile.agreement)
    if terms is None:
        say_aside(
            "not checked against the agreement, which is not known here: run"
            " `makul-client agreement` once"
        )
        return
    try:
        terms.require(
            purpose=wish.purpose or profile.purpose, attributes=wish.attributes, methods=methods
        )
    except UnknownNameError as error:
        raise UnknownNameError(
            f"{error}. If it was changed since, run `makul-client agreement` and try again"
        ) from None


def _keep(file: Path, document: bytes, told: str, *, as_json: bool) -> None:
    """Keep a consent or a revocation of one in a new file."""
    write_new(file, document)
    fields = {"file": str(file), "consent_id": consent_view.consent_id_unsafe(document)}
    print_result(fields, f"{file}: {told}", as_json=as_json)
