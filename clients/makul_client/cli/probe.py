"""The ground, the person, the samples and the dry run of a request, from options or prompts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from makul_client.cli.late_commands import late
from makul_client.cli.options import as_typed
from makul_client.cli.output import read_file
from makul_client.cli.prompts import ask, ask_pin
from makul_client.cli.vocabulary import METHODS, OPERATIONS, require_attributes, require_known
from makul_client.models.request import (
    BasisDocument,
    ConsentDocument,
    ConsentId,
    Demographic,
    FaceSample,
    FingerSample,
    Ground,
    Probe,
)
from makul_client.translation import mark, translate

if TYPE_CHECKING:
    from uuid import UUID

    from makul_client.consent import view as consent_view
else:
    consent_view = late("consent.view")

_FACE_FORMATS: Final = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}
_FINGER_FORMATS: Final = {
    ".wsq": "wsq",
    ".png": "png",
    ".iso": "iso19794-2",
    ".fmr": "iso19794-2",
    ".ansi": "ansi378",
}


def ground_from(consent: Path | None, consent_id: UUID | None, basis: Path | None) -> Ground | None:
    """Return the ground that at most one of three options gives.

    Raises `typer.BadParameter` if more than one is given.
    """
    if sum(each is not None for each in (consent, consent_id, basis)) > 1:
        raise typer.BadParameter(translate("give one of --consent, --consent-id, --basis"))
    if consent is not None:
        return ConsentDocument(read_file(consent))
    if consent_id is not None:
        return ConsentId(consent_id)
    return None if basis is None else BasisDocument(read_file(basis))


def probe_from(
    ground: Ground | None,
    *,
    pin: str | None,
    document_number: str | None,
    surname: str | None,
    given_name: str | None,
    patronymic: str | None,
    face: Path | None,
    fingers: list[str] | None,
) -> Probe:
    """Return everything that the service compares with the record, from options or from prompts.

    Only the PIN may come from the consent, because it names the record and proves nothing. A name
    from the consent would compare the record with the consent, and not with the person present. So
    the employee who saw the person's identity document must give the values to match.
    """
    if pin is None and isinstance(ground, ConsentDocument):
        pin = consent_view.read_unsafe(ground.document).subject.pin
    pin = pin or ask_pin(translate("PIN"))
    if document_number is None and surname is None and given_name is None:
        document_number, surname, given_name = _prompt_for_identity()
    return Probe(
        demographic=Demographic(
            pin=pin,
            document_number=as_typed(document_number),
            surname=as_typed(surname),
            given_name=as_typed(given_name),
            patronymic=as_typed(patronymic),
        ),
        face=None
        if face is None
        else FaceSample(image=read_file(face), format=_format_by_suffix(face, _FACE_FORMATS)),
        fingers=tuple(_parse_finger(each) for each in fingers or ()),
    )


def _list_options_of_identity() -> str:
    """Return the options that replace the prompts, for an error if there is no terminal."""
    return translate("--document-number, or --surname and --given-name")


def _prompt_for_identity() -> tuple[str | None, str | None, str | None]:
    """Ask for the document number, or else for the names.

    A person with one name gives only that one.
    """
    instead = _list_options_of_identity()
    try:
        number = ask(translate("document number (empty: by the names)"), instead=instead)
        if number:
            return number, None, None
        surname = ask(translate("surname (empty: none)"), instead=instead)
        given_name = ask(translate("given name"), instead=instead)
    except typer.Abort:  # end of input or Ctrl-C: an error below, as for no answer
        surname = given_name = ""
    if not surname and not given_name:
        raise typer.BadParameter(translate("say what is to match: {options}", options=instead))
    return None, surname or None, given_name or None


@dataclass(frozen=True, slots=True, repr=False)
class DryRun:
    """A request of which only the decision is asked. `repr` does not show the PIN."""

    operation: str
    methods: tuple[str, ...]
    attributes: tuple[str, ...]
    pin: str | None


def dry_run_from(
    ground: Ground | None,
    *,
    operation: str,
    methods: tuple[str, ...],
    attributes: tuple[str, ...],
    pin: str | None,
) -> DryRun:
    """Return the request to explain; what the options omit comes from the consent.

    The dry run itself reports, rule by rule, what the agreement and the consent do not contain. So
    only names that do not exist are refused here. Raises `UnknownNameError`.
    """
    require_attributes(attributes)
    require_known(mark("method"), methods, METHODS)
    require_known(mark("operation"), (operation,) if operation else (), OPERATIONS)
    if isinstance(ground, ConsentDocument):
        view = consent_view.read_unsafe(ground.document)
        pin = pin or view.subject.pin
        attributes = attributes or view.attributes
    operation_name = operation or ("GetPersonData" if attributes else "VerifyPerson")
    return DryRun(
        operation=operation_name,
        methods=methods or ("demographic",),
        attributes=attributes if operation_name == "GetPersonData" else (),
        pin=pin,
    )


def _parse_finger(argument: str) -> FingerSample:
    position, _, name = argument.partition("=")
    if not position.isdecimal() or not name:
        raise typer.BadParameter(translate("a finger is POSITION=FILE, as in 2=index.wsq"))
    file = Path(name)
    return FingerSample(
        position=int(position),
        format=_format_by_suffix(file, _FINGER_FORMATS),
        data=read_file(file),
    )


def _format_by_suffix(file: Path, formats: dict[str, str]) -> str:
    wire_format = formats.get(file.suffix.lower())
    if wire_format is None:
        raise typer.BadParameter(
            translate("{file}: must end in one of {names}", file=file, names=", ".join(formats))
        )
    return wire_format
