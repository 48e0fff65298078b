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
        return _build_view(root)
    except (ValueError, OverflowError):  # the schema allows hour 24 and the year 10000
        raise ConsentError(translate("the consent contains an impossible date or number")) from None


def _build_view(root: "Element") -> ConsentView:
    return ConsentView(
        consent_id=_read_text(root, "consentId"),
        subject=Subject(
            pin=_read_text(root, "subject/pin"),
            surname=_find_text(root, "subject/surname"),
            given_name=_find_text(root, "subject/givenName"),
            patronymic=_find_text(root, "subject/patronymic"),
        ),
        representative=_find_text(root, "representative/name"),
        recipient=_read_party(root, "recipient"),
        agreement=_read_text(root, "agreementNumber"),
        notice=_read_text(root, "notice/ref"),
        language=_read_text(root, "notice/language"),
        purpose=_read_text(root, "purpose/code"),
        purpose_text=_read_text(root, "purpose/text"),
        attributes=_read_texts(root, "attributes/attribute"),
        methods=_read_texts(root, "matchMethods/method"),
        valid_from=datetime.fromisoformat(_read_text(root, "validFrom")),
        valid_to=datetime.fromisoformat(_read_text(root, "validTo")),
        max_disclosures=int(_read_text(root, "maxDisclosures")),
        retention=_read_text(root, "retentionAtRecipient"),
        onward=tuple(
            Party(code=_read_text(each, "memberCode"), name=_read_text(each, "name"))
            for each in root.findall(_qualify_path("onwardRecipients/recipient"))
        ),
        withdrawal=_read_text(root, "withdrawal"),
        on_paper=root.find(_qualify_path("paper")) is not None,
        signed=root.find(SIGNATURE) is not None,
    )


def consent_id_unsafe(document: bytes) -> str:
    """Return the id of a consent, or of the consent that a revocation names.

    Raises `ConsentError`.
    """
    return _read_text(parsed(document, mark("the file")), "consentId")


def without_person(view: ConsentView) -> dict[str, object]:
    """Return all fields except the subject and the representative."""
    hidden = {"subject", "representative"}
    return {each.name: getattr(view, each.name) for each in fields(view) if each.name not in hidden}


def _qualify_path(path: str) -> str:
    return "/".join(f"{{{CONSENT}}}{name}" for name in path.split("/"))


def _find_text(root: "Element", path: str) -> str | None:
    """Return the text with single spaces; None if there is no such element."""
    text = root.findtext(_qualify_path(path))
    return None if text is None else " ".join(text.split())


def _read_text(root: "Element", path: str) -> str:
    return _find_text(root, path) or ""


def _read_texts(root: "Element", path: str) -> tuple[str, ...]:
    return tuple(" ".join((each.text or "").split()) for each in root.findall(_qualify_path(path)))


def _read_party(root: "Element", path: str) -> Party:
    return Party(code=_read_text(root, f"{path}/memberCode"), name=_read_text(root, f"{path}/name"))
