"""The content of a request: the person, the samples and the ground.

Nothing here prints the person: `repr` names the fields that are set, never their values.
"""

from dataclasses import Field, dataclass, fields
from datetime import date
from typing import Any, ClassVar
from uuid import UUID


class ValueFreeRepr:
    """A dataclass whose `repr` names the fields that are set, and not their values."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __repr__(self) -> str:
        names = [each.name for each in fields(self) if getattr(self, each.name) not in (None, ())]
        return f"{type(self).__name__}({', '.join(names)})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Demographic(ValueFreeRepr):
    """What the person states about themselves (Procedure, cl. 10).

    A PIN reveals birth date and sex and proves nothing. So the document number, or the surname and
    given name, must be given too.
    """

    pin: str
    document_number: str | None = None
    surname: str | None = None
    given_name: str | None = None
    patronymic: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    """`F` or `M`."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FaceSample(ValueFreeRepr):
    """A picture of the person's face, taken now; at most 1 MiB."""

    image: bytes
    format: str
    """`jpeg` or `png`."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FingerSample(ValueFreeRepr):
    """A fingerprint of the person, taken now; at most 1 MiB."""

    position: int
    """The finger, 1 to 10, right thumb to left little finger (ISO/IEC 19794-2)."""
    format: str
    """`wsq`, `png`, `iso19794-2` or `ansi378`."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Probe(ValueFreeRepr):
    """The values and samples that are compared with the record."""

    demographic: Demographic
    face: FaceSample | None = None
    fingers: tuple[FingerSample, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class ConsentDocument(ValueFreeRepr):
    """The subject's signed consent, as its exact bytes (Procedure, cl. 4)."""

    document: bytes


@dataclass(frozen=True, slots=True)
class ConsentId:
    """The id of a consent that was registered earlier."""

    consent_id: UUID


@dataclass(frozen=True, slots=True, repr=False)
class BasisDocument(ValueFreeRepr):
    """A signed basis statement, as its exact bytes (Procedure, cl. 5)."""

    document: bytes


Ground = ConsentDocument | ConsentId | BasisDocument


def probe_on_wire(probe: Probe) -> dict[str, Any]:
    """Return the element `probe` in the form that zeep takes."""
    person = probe.demographic
    wire: dict[str, Any] = {
        "demographic": {
            "pin": person.pin,
            "documentNumber": person.document_number,
            "surname": person.surname,
            "givenName": person.given_name,
            "patronymic": person.patronymic,
            "birthDate": person.birth_date,
            "sex": person.sex,
        }
    }
    if probe.face is not None:
        wire["face"] = {"image": probe.face.image, "format": probe.face.format}
    if probe.fingers:
        wire["finger"] = [
            {"position": each.position, "format": each.format, "data": each.data}
            for each in probe.fingers
        ]
    return wire


def ground_on_wire(ground: Ground) -> dict[str, Any]:
    """Return the element `ground` in the form that zeep takes."""
    match ground:
        case ConsentDocument(document):
            return {"consentDocument": document}
        case ConsentId(consent_id):
            return {"consentId": str(consent_id)}
        case BasisDocument(document):
            return {"basisDocument": document}
