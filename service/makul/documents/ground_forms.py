r"""Read the terms of consents and basis statements that are written in the usual exact form.

A month has a million documents. To read one as XML, by its schema, takes 0.3 ms (measured
2026-12-01). Most have one form: programs write them without spaces, comments or prefixes, and the
schema gives the order of the elements. A document that has exactly this form is read by one regular
expression, in a tenth of the time. It admits no markup, entity or white space in a value that is
read, so an XML parser finds the same values in the same bytes. Every other document is read as XML
(`documents.monthly_statements`), also each with a representative or on paper.

The bytes were judged by the schema when the decision was made. Here they are read again.
"""

import re
from datetime import datetime
from functools import lru_cache

from makul.domain.consents import ResultForm
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import (
    Pin,
    parse_agreement_number,
    parse_member_code,
    parse_purpose,
)
from makul.domain.monthly_statements import GroundTerms

_REMEMBERED = 4096
"""Maximum number of codes, lists of attributes and so on in memory. Few different ones exist."""

_TEXT = r"[^<>&\r]+"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_INSTANT = r"2[01]\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z"
_BEGIN = r"(?:<\?xml version=(['\"])1\.0\1 encoding=(['\"])UTF-8\2\?>\n?)?"
_SIGNATURE = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
_END = b"</ds:Signature></"


def _element(name: str, value: str = _TEXT) -> str:
    return f"<{name}>{value}</{name}>"


def _values(**patterns: str) -> str:
    return "".join(_element(name, value) for name, value in patterns.items())


def _code(group: str, name: str) -> str:
    return _element(name, rf"(?P<{group}>[0-9A-Za-z_./-]{{1,64}})")


def _party(role: str, code: str = _element("memberCode")) -> str:
    return _element(role, code + _element("name"))


def _optional(name: str) -> str:
    return f"(?:{_element(name)})?"


_ATTRIBUTES = (
    r"(?:<attributes>(?P<attributes>(?:<attribute>[A-Za-z]{1,64}</attribute>)+)</attributes>)?"
)
_PURPOSE = _element("purpose", _code("purpose", "code") + _element("text"))
_PIN = _element("pin", "(?P<pin>[012][0-9]{13})")
_FORM = _element("resultForm", "(?P<form>[A-Z_]{1,32})")
_USES = _element("maxDisclosures", "(?P<uses>[0-9]{1,9})")


_ONWARD = rf"(?:{_party('recipient')})*"


def _when(group: str, name: str) -> str:
    return _element(name, f"(?P<{group}>{_INSTANT})")


_CONSENT = (
    rf'{_BEGIN}<Consent xmlns="urn:makul:consent:1" Id="consent-{_UUID}">'
    + _element("consentId", _UUID)
    + _element("subject", _PIN + "".join(map(_optional, ("surname", "givenName", "patronymic"))))
    + _party("controller")
    + _party("recipient", _code("recipient", "memberCode"))
    + _code("agreement", "agreementNumber")
    + _element("notice", _values(ref=_TEXT, digest=_TEXT, language=_TEXT))
    + _PURPOSE
    + _ATTRIBUTES
    + _element("matchMethods", rf"(?:{_element('method')})+")
    + _FORM
    + _when("given", "givenAt")
    + _when("begins", "validFrom")
    + _when("ends", "validTo")
    + _USES
    + _element("retentionAtRecipient")
    + rf"(?:<onwardRecipients/>|{_element('onwardRecipients', _ONWARD)})"
    + _element("withdrawal")
    + _optional("relationRef")
    + _SIGNATURE
)
_BASIS = (
    rf'{_BEGIN}<BasisStatement xmlns="urn:makul:basis:1" Id="basis-{_UUID}">'
    + _element("statementId", _UUID)
    + _party("recipient", _code("recipient", "memberCode"))
    + _code("agreement", "agreementNumber")
    + _element("provision", "(?P<provision>[A-Z_]{1,32})")
    + _element("citation")
    + _element(
        "authorisingAct",
        _values(issuer=_TEXT, number=_TEXT, date=_TEXT) + _optional("digest"),
    )
    + _element("caseNumber")
    + _element("official", _values(identifier=_TEXT, name=_TEXT))
    + rf"(?:{_element('subject', _PIN)}|{_element('probeDigest')})"
    + _ATTRIBUTES
    + _PURPOSE
    + _FORM
    + _element("justification")
    + _when("begins", "issuedAt")
    + _when("ends", "validTo")
    + _USES
    + _optional("hiddenUntil")
    + _SIGNATURE
)
_FORMS = {
    GroundKind.CONSENT.value: (re.compile(_CONSENT.encode()), b"Consent>"),
    GroundKind.BASIS.value: (re.compile(_BASIS.encode()), b"BasisStatement>"),
}


def read_exact_form(kind: str, document: bytes) -> GroundTerms | None:
    """Return the terms of a document in the exact form; None for every other document."""
    form, root = _FORMS.get(kind, (None, b""))
    # One signature, which ends with the root: nothing that could be read follows it.
    if form is None or document.count(b"</ds:Signature>") != 1:
        return None
    found = form.match(document)
    if found is None or not document.endswith((_END + root, _END + root + b"\n")):
        return None
    values = found.groupdict()
    try:
        begins, ends = _instant(values["begins"]), _instant(values["ends"])
        pin, provision = values["pin"], values.get("provision")
        recipient, agreement, purpose, result_form = _read_codes(
            values["recipient"], values["agreement"], values["purpose"], values["form"]
        )
        return GroundTerms(
            recipient=recipient,
            subject=None if pin is None else Pin(pin.decode("ascii")),
            result_form=result_form,
            max_disclosures=int(values["uses"]),
            agreement_number=agreement,
            purpose=purpose,
            attributes=_read_names(values["attributes"] or b""),
            valid_from=max(begins, _instant(values["given"])) if "given" in values else begins,
            valid_to=ends,
            provision=provision.decode("ascii") if provision is not None else None,
        )
    except ValueError:
        return None


def _instant(value: bytes) -> datetime:
    return datetime.fromisoformat(value.decode("ascii"))


@lru_cache(maxsize=_REMEMBERED)
def _read_codes(
    recipient: bytes, agreement: bytes, purpose: bytes, form: bytes
) -> tuple[str, str, str, ResultForm]:
    return (
        parse_member_code(recipient.decode("ascii")),
        parse_agreement_number(agreement.decode("ascii")),
        parse_purpose(purpose.decode("ascii")),
        ResultForm(form.decode("ascii")),
    )


@lru_cache(maxsize=_REMEMBERED)
def _read_names(attributes: bytes) -> frozenset[str]:
    names = attributes.decode("ascii").replace("<attribute>", "").split("</attribute>")
    return frozenset(names[:-1])
