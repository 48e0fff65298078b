"""The content of a consent, read for a person to look at. Nothing of it is verified here."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from makul_client._internal.crypto.xml import CONSENT, broken_fields
from makul_client.consent.documents import ROOT, SIGNATURE, Subject, parsed
from makul_client.errors import ConsentError
from makul_client.profile import Party
from makul_client.translation import mark, translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """A consent as read for display. Nothing of it was verified."""

    consent_id: str
    subject: Subject
    representative: str | None
    recipient: Party
    agreement: str
    notice: str
    language: str
    purpose: str
    purpose_text: str
    attributes: tuple[str, ...]
    methods: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    max_disclosures: int
    retention: str
    onward: tuple[Party, ...]
    withdrawal: str
    on_paper: bool
    signed: bool


def read_unsafe(document: bytes) -> ConsentView:
    """Return the content of a consent, signed or not, without verification.

    Raises `ConsentError`.
    """
    root = parsed(document, mark("the file"))
    if root.tag != ROOT:
        raise ConsentError(translate("the file is not a consent"))
    broken = broken_fields(root, "consent")
    if broken:
        raise ConsentError(
            translate("the consent breaks the schema at {names}", names=", ".join(broken))
        )
    try:
        return _view(root)
    except (ValueError, OverflowError):  # the schema allows hour 24 and the year 10000
        raise ConsentError(translate("the consent contains an impossible date or number")) from None


def _view(root: "Element") -> ConsentView:
    return ConsentView(
        consent_id=_text(root, "consentId"),
        subject=Subject(
            pin=_text(root, "subject/pin"),
            surname=_optional(root, "subject/surname"),
            given_name=_optional(root, "subject/givenName"),
            patronymic=_optional(root, "subject/patronymic"),
        ),
        representative=_optional(root, "representative/name"),
        recipient=_read_party(root, "recipient"),
        agreement=_text(root, "agreementNumber"),
        notice=_text(root, "notice/ref"),
        language=_text(root, "notice/language"),
        purpose=_text(root, "purpose/code"),
        purpose_text=_text(root, "purpose/text"),
        attributes=_texts(root, "attributes/attribute"),
        methods=_texts(root, "matchMethods/method"),
        valid_from=datetime.fromisoformat(_text(root, "validFrom")),
        valid_to=datetime.fromisoformat(_text(root, "validTo")),
        max_disclosures=int(_text(root, "maxDisclosures")),
        retention=_text(root, "retentionAtRecipient"),
        onward=tuple(
            Party(code=_text(each, "memberCode"), name=_text(each, "name"))
            for each in root.findall(_path("onwardRecipients/recipient"))
        ),
        withdrawal=_text(root, "withdrawal"),
        on_paper=root.find(_path("paper")) is not None,
        signed=root.find(SIGNATURE) is not None,
    )


def consent_id_unsafe(document: bytes) -> str:
    """Return the id of a consent, or of the consent that a revocation names.

    Raises `ConsentError`.
    """
    return _text(parsed(document, mark("the file")), "consentId")


def without_person(view: ConsentView) -> dict[str, object]:
    """Return all fields except the subject and the representative."""
    hidden = {"subject", "representative"}
    return {each.name: getattr(view, each.name) for each in fields(view) if each.name not in hidden}


def _path(path: str) -> str:
    return "/".join(f"{{{CONSENT}}}{name}" for name in path.split("/"))


def _optional(root: "Element", path: str) -> str | None:
    text = root.findtext(_path(path))
    return None if text is None else " ".join(text.split())


def _text(root: "Element", path: str) -> str:
    return _optional(root, path) or ""


def _texts(root: "Element", path: str) -> tuple[str, ...]:
    return tuple(" ".join((each.text or "").split()) for each in root.findall(_path(path)))


def _read_party(root: "Element", path: str) -> Party:
    return Party(code=_text(root, f"{path}/memberCode"), name=_text(root, f"{path}/name"))
