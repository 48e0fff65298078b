"""The content of `sandbox.json`, with which a SOAP stack can act as any party of the sandbox."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from makul.domain.agreements import AgreementRole, AgreementState, Channel, Delivery
from makul.domain.attributes import Attribute
from makul.domain.persons import AttributeValue, LocalizedName
from makul_sandbox.data.citizens import (
    ABSENT,
    COMPROMISED,
    CORRECTED,
    DISPUTED_ADDRESS,
    LOCKED,
    MINOR,
    ONE_NAME,
    PARENT,
    REVOKED,
    REVOKED_LATE,
    WITHOUT_ADDRESS,
)
from makul_sandbox.data.identity_provider import ISSUER, LEVELS
from makul_sandbox.data.pki import CITIZENS_CRL
from makul_sandbox.data.recipients import (
    OPERATOR,
    OPERATOR_NAME,
    PARTIES,
    PORTAL,
    PORTAL_AUDIENCE,
    Party,
)
from makul_sandbox.output.client_profiles import (
    NOTICE_FILE,
    Addresses,
    officer_profile_path,
    profile_name,
    service_subsystem,
)
from makul_sandbox.world.build import (
    SandboxOfficer,
    SignedAgreement,
    Signing,
    World,
    agreements_made,
    signed_name,
)
from makul_sandbox.world.document import describe_reasons
from makul_sandbox.world.documents import SandboxConsentRevocation, SandboxDocument
from makul_sandbox.world.documents_timestamped import ENDED_LATER
from makul_sandbox.world.signers import NOTICE_LANGUAGE, NOTICE_REF

FORMAT = "makul-sandbox/1"

_REMARKS = {
    CORRECTED: "the birth date was corrected, and differs from the digits of the PIN",
    LOCKED: "stopped consent-based matching",
    DISPUTED_ADDRESS: "the address is being corrected",
    WITHOUT_ADDRESS: "no address is held",
    REVOKED: "the certificate is revoked",
    PARENT: f"the parent of citizen {MINOR}",
    ENDED_LATER: "the certificate is good until its authority's key is used to revoke it",
    MINOR: "a minor",
    REVOKED_LATE: "the certificate was revoked after its consents were signed",
    COMPROMISED: "the certificate was revoked, its key suspected since before that",
    ABSENT: "is not in the register",
    ONE_NAME: "has one name; it stands in the place of the surname",
}


def describe(world: World, addresses: Addresses) -> dict[str, Any]:
    """Return the content of `sandbox.json`."""
    return {
        "format": FORMAT,
        "madeAt": world.made_at.isoformat(),
        "urls": {channel: addresses.url(channel) for channel in Channel},
        "oversightUrl": addresses.oversight_url,
        "subjectUrl": addresses.subject_url,
        "portal": {
            "code": PORTAL,
            "audience": PORTAL_AUDIENCE,
            "messageKey": "portal/message.key.pem",
            "messageCertificate": "portal/message.cert.pem",
        },
        "identityProvider": {
            "issuer": ISSUER,
            "levels": list(LEVELS),
            "keys": "identity-provider/private.jwks.json",
        },
        "operator": {
            "code": OPERATOR,
            "name": OPERATOR_NAME,
            "certificate": "service/keys/receipts.cert.pem",
            "xroadService": service_subsystem(),
        },
        "trust": {
            "anchors": ["service/anchors/root.pem"],
            "intermediates": ["service/intermediates/issuing.pem"],
            "crls": [f"service/crls/{name}" for name in world.crls],
            "tsaAnchors": ["service/tsa/anchors/root.pem"],
            "citizensAuthority": {
                "key": "authorities/citizens.key.pem",
                "certificate": "authorities/citizens.cert.pem",
                "crl": f"service/crls/{CITIZENS_CRL}",
            },
        },
        "notice": {"ref": NOTICE_REF, "language": NOTICE_LANGUAGE, "file": NOTICE_FILE},
        "parties": [_party(party) for party in PARTIES],
        "agreements": [_describe_agreement(each) for each in agreements_made(at=world.made_at)],
        "signatories": [_signatory(each) for each in world.signatories.values()],
        "officers": [_officer(key, officer) for key, officer in world.officers.items()],
        "citizens": [_citizen(world, number) for number in world.citizens],
        "papers": [_paper(document) for document in world.documents.values()],
        "revocations": [_describe_revocation(each) for each in world.consent_revocations.values()],
    }


def _party(party: Party) -> dict[str, Any]:
    home = f"parties/{party.key}"
    official = party.official
    encrypted = party.delivery is Delivery.SEALED
    return {
        "key": party.key,
        "code": party.code,
        "kind": party.kind.value,
        "name": party.name,
        "state": party.state.value,
        "messageKey": f"{home}/message.key.pem",
        "messageCertificate": f"{home}/message.cert.pem",
        "sealingKey": f"{home}/sealing.key.pem" if encrypted else None,
        "sealingCertificate": f"{home}/sealing.cert.pem" if encrypted else None,
        "xroadClient": party.subsystem,
        "official": official
        and {
            "identifier": official.identifier,
            "name": official.name,
            "key": f"{home}/official.key.pem",
            "certificate": f"{home}/official.cert.pem",
        },
        "agreement": {
            "number": party.agreement,
            "purpose": party.purpose,
            "otherPurposes": sorted(party.other_purposes),
            "attributes": _sorted_names(party.attributes),
            "channels": sorted(party.channels),
            "delivery": party.delivery.value,
            "provisions": sorted(party.provisions),
            "paper": party.paper_allowed,
            "representatives": party.representatives_allowed,
            "powers": {purpose: _sorted_names(names) for purpose, names in party.powers.items()},
        },
        "profiles": {
            channel.value: f"{home}/{profile_name(channel)}" for channel in sorted(party.channels)
        },
    }


def _describe_agreement(agreed: SignedAgreement) -> dict[str, Any]:
    home = f"agreements/{agreed.directory}"
    whole = agreed.handed_in == frozenset(AgreementRole)
    return {
        "number": agreed.terms.number,
        "party": agreed.party.key,
        "state": (AgreementState.IN_FORCE if whole else AgreementState.DRAFT).value,
        "document": f"{home}/agreement.xml",
        "signatures": [
            {
                "role": role.value,
                "member": member,
                "file": f"{home}/{signed_name(role)}",
                "submitted": role in agreed.handed_in,
            }
            for role, member in agreed.signing.items()
        ],
    }


def _signatory(signatory: Signing) -> dict[str, Any]:
    home = f"signatories/{signatory.member.replace('/', '-')}"
    return {
        "member": signatory.member,
        "role": signatory.role.value,
        "identifier": signatory.identifier,
        "key": f"{home}/signatory.key.pem",
        "certificate": f"{home}/signatory.cert.pem",
    }


def _officer(key: str, officer: SandboxOfficer) -> dict[str, Any]:
    home = f"officers/{key}"
    return {
        "key": key,
        "body": officer.member,
        "role": officer.role.value,
        "identifier": officer.identifier,
        "messageKey": f"{home}/officer.key.pem",
        "messageCertificate": f"{home}/officer.cert.pem",
        "profile": officer_profile_path(key),
    }


def _citizen(world: World, number: int) -> dict[str, Any]:
    person = world.people[number]
    fields = (
        Attribute.SURNAME,
        Attribute.GIVEN_NAME,
        Attribute.PATRONYMIC,
        Attribute.BIRTH_DATE,
        Attribute.DOCUMENT_NUMBER,
    )
    return {
        "number": number,
        "pin": person.pin.digits,
        **{name.value: _plain(person.values.get(name)) for name in fields},
        "key": f"citizens/{number:02d}/signing.key.pem",
        "certificate": f"citizens/{number:02d}/signing.cert.pem",
        "remark": _REMARKS.get(number),
    }


def _paper(document: SandboxDocument) -> dict[str, Any]:
    return {
        "name": document.name,
        "kind": document.kind.value,
        "file": f"documents/{document.file_name}",
        "id": str(document.ground_id),
        "presentedBy": document.presented_by.key,
        "agreement": document.agreement,
        "citizen": document.citizen,
        "operation": document.operation.value,
        "purpose": document.presented_by.purpose,
        "attributes": _sorted_names(document.attributes),
        "registration": _registration(document),
        "employee": document.employee,
        "outcome": document.outcome.value,
        "reasons": document.reason_texts,
    }


def _registration(document: SandboxDocument) -> dict[str, Any] | None:
    if document.registration is None:
        return None
    names = {path.rpartition(".")[0].rpartition(".")[2]: path for path in document.attachments}
    scan, authority = names.get("scan"), names.get("authority")
    return {
        "employee": document.registration.employee,
        "scan": scan and f"documents/{scan}",
        "authorityDocument": authority and f"documents/{authority}",
    }


def _describe_revocation(taking: SandboxConsentRevocation) -> dict[str, Any]:
    return {
        "name": taking.name,
        "file": f"revocations/{taking.file_name}",
        "consent": taking.of.name,
        "handedInBy": taking.handed_in_by.key,
        "outcome": taking.outcome.value,
        "reasons": describe_reasons(taking.reasons),
    }


def _plain(value: AttributeValue | None) -> Any:
    if isinstance(value, LocalizedName):
        return {"ky": value.ky, "ru": value.ru, "latin": value.latin}
    return value.isoformat() if isinstance(value, date) else value


def _sorted_names(names: Iterable[Attribute]) -> list[str]:
    released = set(names)
    return [name.value for name in Attribute if name in released]
