"""Consents as documents (Procedure, cl. 4): drafted here, signed elsewhere, combined here.

Only for a sandbox does this client hold a citizen's key and sign. In production the citizen's own
software signs the bytes of the draft and returns them.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm
from signxml.xades.xades import XAdESSigner

from makul_client._internal.crypto.credentials import Credential
from makul_client._internal.crypto.xml import (
    CONSENT,
    DSIG,
    UnsafeXmlError,
    broken_fields,
    canonical,
    parse,
)
from makul_client._internal.crypto.xmldsig import BadSignatureError, verify
from makul_client.errors import ConsentError
from makul_client.models.request import ValueFreeRepr
from makul_client.profile import ConsentTerms, Party, Profile
from makul_client.translation import mark, translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

SIGNATURE: Final = f"{{{DSIG}}}Signature"
ROOT: Final = f"{{{CONSENT}}}Consent"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Subject(ValueFreeRepr):
    """The subject, as in the identity document."""

    pin: str
    surname: str | None = None
    given_name: str | None = None
    """At least one of surname and given name is required. A person may have only one name."""
    patronymic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Representative(ValueFreeRepr):
    """The person who consents for a subject who cannot: a parent, a guardian."""

    name: str
    pin: str | None = None
    authority: "Authority"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The document that proves a representative's authority. Its scan is sent with the consent."""

    kind: str
    """`PARENT`, `GUARDIAN` or `POWER_OF_ATTORNEY`."""
    number: str
    issued_on: date
    issuer: str
    valid_to: date | None = None
    """The last day of the authority. A power of attorney always has one."""
    media_type: str
    digest: bytes
    """The SHA-256 of the scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperConsent:
    """The origin of a consent on paper, for which an official is responsible (Procedure, cl. 4)."""

    date: date
    place: str
    official: str
    """The identifier of the registered official who received it."""
    media_type: str
    scan_digest: bytes
    """The SHA-256 of the scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentContent:
    """The wish of one subject for a consent. The other values come from the profile."""

    subject: Subject
    attributes: tuple[str, ...] = ()
    """The attributes that may be released. Without any, the consent permits only a yes or no."""
    methods: tuple[str, ...] | None = None
    """The methods by which the subject may be compared; None: those of the profile."""
    valid_from: datetime
    valid_to: datetime
    max_disclosures: int = 1
    purpose: str | None = None
    purpose_text: str | None = None
    """The text of a purpose other than the profile's."""
    relation: str | None = None
    """The contract or application to which the consent belongs."""
    onward: tuple[Party, ...] = ()
    """The parties to which the data may be passed on; empty: none (Procedure, cl. 15)."""
    representative: Representative | None = None
    paper: PaperConsent | None = None


def draft(
    profile: Profile, wish: ConsentContent, *, given_at: datetime, consent_id: UUID | None = None
) -> bytes:
    """Return a consent to be signed: UTF-8 XML that is valid by the published schema.

    Raises `ConsentError` if it would not be valid, or if the profile has no [consent].
    """
    terms = profile.consent
    if terms is None:
        raise ConsentError(
            translate("the profile has no [consent]: notice, purpose_text, retention, ...")
        )
    if (wish.purpose is None) is not (wish.purpose_text is None):
        raise ConsentError(translate("another purpose needs its text as well"))
    if wish.valid_from >= wish.valid_to:
        raise ConsentError(translate("it would end before it begins"))
    root = parse(f'<Consent xmlns="{CONSENT}"/>'.encode())
    _add(root, "consentId", str(consent_id or uuid4()))
    _subject(root, wish.subject)
    if wish.representative is not None:
        _representative(root, wish.representative)
    _party(root, "controller", Party(code=profile.operator.code, name=profile.operator.name))
    _party(root, "recipient", profile.recipient)
    _add(root, "agreementNumber", profile.agreement)
    _notice(root, terms)
    purpose = _add(root, "purpose")
    _add(purpose, "code", wish.purpose or profile.purpose)
    _add(purpose, "text", wish.purpose_text or terms.purpose_text)
    if wish.attributes:
        _list(_add(root, "attributes"), "attribute", wish.attributes)
    _list(_add(root, "matchMethods"), "method", wish.methods or terms.methods)
    _add(root, "resultForm", "DATA" if wish.attributes else "YES_NO")
    _instant(root, "givenAt", given_at)
    _instant(root, "validFrom", wish.valid_from)
    _instant(root, "validTo", wish.valid_to)
    _add(root, "maxDisclosures", str(wish.max_disclosures))
    _add(root, "retentionAtRecipient", terms.retention)
    onward = _add(root, "onwardRecipients")
    for party in wish.onward:
        _party(onward, "recipient", party)
    _add(root, "withdrawal", terms.withdrawal)
    if wish.relation is not None:
        _add(root, "relationRef", wish.relation)
    if wish.paper is not None:
        _paper(root, wish.paper)
    return _serialize(root)


def draft_revocation(
    profile: Profile, consent_id: UUID, pin: str, *, at: datetime, reason: str | None = None
) -> bytes:
    """Return a revocation of a consent to this recipient, to be signed by the subject.

    The representative who gave the consent may sign it instead. `pin` is the subject's. Raises
    `ConsentError`.
    """
    root = parse(f'<Revocation xmlns="{CONSENT}"/>'.encode())
    _add(root, "revocationId", str(uuid4()))
    _add(root, "consentId", str(consent_id))
    _add(root, "subject", pin)
    _add(root, "recipient", profile.recipient.code)
    _instant(root, "revokedAt", at)
    if reason is not None:
        _add(root, "reason", reason)
    return _serialize(root)


def attach(drawn_up: bytes, signed: bytes) -> bytes:
    """Return the signed document, if the citizen's software signed exactly this draft.

    `signed` is the whole signed document or only its ds:Signature. The content must be that of the
    draft, and the document must be valid by the schema. One XAdES signature must cover all of it
    and be valid under the certificate that it names. Whether the certificate is trusted and the
    citizen's own is decided by the service. Raises `ConsentError`.
    """
    draft, document = parsed(drawn_up, mark("the draft")), parsed(signed, mark("the signed file"))
    if document.tag == SIGNATURE:
        whole = parsed(drawn_up, mark("the draft"))
        whole.append(document)
        signed = etree.tostring(whole, xml_declaration=True, encoding="UTF-8")
    try:
        content = verify(signed, draft.tag).root
    except BadSignatureError as error:
        raise ConsentError(translate("the signature is not valid: {cause}", cause=error)) from None
    if _content(content) != _content(draft):
        raise ConsentError(translate("what was signed is not this draft"))
    broken = broken_fields(parsed(signed, mark("the signed file")), "consent")
    if broken:
        raise ConsentError(
            translate("the signed consent breaks the schema at {names}", names=", ".join(broken))
        )
    return signed


def sign(profile: Profile, drawn_up: bytes, citizen: Credential) -> bytes:
    """Sign a draft as a test citizen, only for a sandbox.

    Elsewhere only the citizen has the citizen's key. Raises `ConsentError` for another profile.
    """
    if not profile.sandbox:
        raise ConsentError(translate("only a profile with sandbox = true may sign for a citizen"))
    root = parsed(drawn_up, mark("the draft"))
    if root.find(SIGNATURE) is not None:
        raise ConsentError(translate("it is signed already"))
    signer = XAdESSigner(
        signature_algorithm=citizen.method,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
    )
    signed = signer.sign(
        root, key=citizen.key, cert=[citizen.certificate], always_add_key_value=False
    )
    return attach(drawn_up, etree.tostring(signed, xml_declaration=True, encoding="UTF-8"))


def parsed(document: bytes, what: str) -> "Element":
    """Return the root element of a consent or a signature.

    `what` names the file in an error. It is marked for translation.
    """
    try:
        return parse(document)
    except UnsafeXmlError as error:
        raise ConsentError(
            translate("{what} contains {cause}", what=translate(what), cause=error)
        ) from None


def _content(root: "Element") -> bytes:
    """Return the content of a consent without signature, Id and white space between elements."""
    copy = parse(canonical(root))
    if "Id" in copy.attrib:
        del copy.attrib["Id"]
    for element in list(copy.iter()):
        if element.tag == SIGNATURE:
            copy.remove(element)
            continue
        if len(element) and not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None
    return canonical(copy)


def _serialize(root: "Element") -> bytes:
    broken = broken_fields(root, "consent")
    if broken:
        raise ConsentError(
            translate("the draft would break the schema: check {names}", names=", ".join(broken))
        )
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _add(parent: "Element", name: str, text: str | None = None) -> "Element":
    child = etree.SubElement(parent, f"{{{CONSENT}}}{name}")
    try:
        child.text = text
    except TypeError:
        raise ConsentError(translate("{name} is not text", name=name)) from None
    except ValueError:
        raise ConsentError(
            translate("{name} contains characters that XML does not allow", name=name)
        ) from None
    return child


def _instant(parent: "Element", name: str, at: datetime) -> None:
    _add(parent, name, at.astimezone(UTC).isoformat().replace("+00:00", "Z"))


def _list(parent: "Element", name: str, texts: Iterable[str]) -> None:
    for text in texts:
        _add(parent, name, text)


def _party(parent: "Element", name: str, party: Party) -> None:
    node = _add(parent, name)
    _add(node, "memberCode", party.code)
    _add(node, "name", party.name)


def _notice(parent: "Element", terms: ConsentTerms) -> None:
    node = _add(parent, "notice")
    _add(node, "ref", terms.notice)
    _add(node, "digest", base64.b64encode(terms.notice_digest).decode())
    _add(node, "language", terms.language)


def _subject(parent: "Element", subject: Subject) -> None:
    node = _add(parent, "subject")
    _add(node, "pin", subject.pin)
    if subject.surname is None and subject.given_name is None:
        raise ConsentError(
            translate("the subject has no name: give the surname, the given name, or both")
        )
    names = ("surname", subject.surname), ("givenName", subject.given_name)
    for name, value in (*names, ("patronymic", subject.patronymic)):
        if value is not None:
            _add(node, name, value)


def _representative(parent: "Element", representative: Representative) -> None:
    node = _add(parent, "representative")
    _add(node, "name", representative.name)
    if representative.pin is not None:
        _add(node, "pin", representative.pin)
    authority_data, authority = representative.authority, _add(node, "authority")
    _add(authority, "kind", authority_data.kind)
    _add(authority, "number", authority_data.number)
    _add(authority, "date", authority_data.issued_on.isoformat())
    _add(authority, "issuer", authority_data.issuer)
    if authority_data.valid_to is not None:
        _add(authority, "validTo", authority_data.valid_to.isoformat())
    _add(authority, "mediaType", authority_data.media_type)
    _add(authority, "digest", base64.b64encode(authority_data.digest).decode())


def _paper(parent: "Element", paper: PaperConsent) -> None:
    node = _add(parent, "paper")
    _add(node, "date", paper.date.isoformat())
    _add(node, "place", paper.place)
    _add(node, "official", paper.official)
    _add(node, "mediaType", paper.media_type)
    _add(node, "scanDigest", base64.b64encode(paper.scan_digest).decode())
