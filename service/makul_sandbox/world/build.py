"""The world of a sandbox, made at one moment: authorities, recipients, citizens, documents."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from makul.app.agreements import Agreements, NotSigned
from makul.app.notices import Notices
from makul.app.ports import Official, OperatorRegistry, Signatory
from makul.domain.agreements import Agreement, AgreementRole, Delivery
from makul.domain.attributes import Attribute
from makul.domain.identifiers import MemberCode
from makul.domain.officers import Officer, OfficerRole
from makul.domain.persons import LocalizedName, Person
from makul.trust.xades.signing import sign_document
from makul_sandbox.data.citizens import ABSENT, COMPROMISED, KEYED, REVOKED, REVOKED_LATE, citizens
from makul_sandbox.data.identity_provider import IdentityProvider
from makul_sandbox.data.pki import Authority, Credential, Hierarchy, new_hierarchy, new_root
from makul_sandbox.data.recipients import (
    AUTHORISED_BODY,
    BANK,
    OPERATOR,
    OPERATOR_NAME,
    PARTIES,
    PORTAL,
    PROTECTION_BODY,
    SECOND_BANK_AGREEMENT,
    Party,
)
from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_sandbox.world.documents import (
    SandboxConsentRevocation,
    SandboxDocument,
    draw_up,
    draw_up_revocations,
)
from makul_sandbox.world.documents_timestamped import ended
from makul_sandbox.world.signers import NOTICE, NOTICE_REF, NOTICE_TEXTS, SandboxSigners

RSA_CITIZEN = 3
"""The citizen who signs with RSA. The others sign with P-256."""

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """A signatory of agreements for a party, with the signing key."""

    member: MemberCode
    role: AgreementRole
    identifier: str
    credential: Credential

    @property
    def registered(self) -> Signatory:
        """The signatory as the operator registers them."""
        return Signatory(
            member=self.member,
            role=self.role,
            identifier=self.identifier,
            name=f"{self.identifier} (sandbox)",
            fingerprint=self.credential.fingerprint,
            key_digest=key_digest(self.credential),
            not_after=self.credential.certificate.not_valid_after_utc,
        )

    def sign(self, document: bytes, *, at: datetime) -> bytes:
        """Return a document with the signatory's signature."""
        return sign_document(document, self.credential.key, [self.credential.certificate], at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOfficer:
    """An officer of a supervising body, with the key that signs the officer's messages."""

    member: MemberCode
    role: OfficerRole
    identifier: str
    credential: Credential

    @property
    def registered(self) -> Officer:
        """The officer as the operator registers them."""
        return Officer(
            member=self.member,
            role=self.role,
            identifier=self.identifier,
            name=f"{self.identifier} (sandbox)",
            fingerprint=self.credential.fingerprint,
            key_digest=key_digest(self.credential),
            not_after=self.credential.certificate.not_valid_after_utc,
        )


def key_digest(credential: Credential) -> bytes:
    """Return the digest of a public key, by which the registry recognises a person's key."""
    key = credential.certificate.public_key()
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAgreement:
    """An agreement, and the signatures on it that are submitted when a sandbox is made."""

    directory: str
    """The directory below `agreements/`."""
    party: Party
    terms: Agreement
    handed_in: frozenset[AgreementRole] = frozenset(AgreementRole)

    @property
    def signing(self) -> Mapping[AgreementRole, MemberCode]:
        """The party that signs in each role."""
        return {
            AgreementRole.AUTHORISED_BODY: AUTHORISED_BODY,
            AgreementRole.OPERATOR: OPERATOR,
            AgreementRole.RECIPIENT: self.party.code,
        }


def agreements_made(*, at: datetime) -> tuple[SignedAgreement, ...]:
    """Return every party's agreement, in force, and a second one that the bank must still sign."""
    return (
        *(
            SignedAgreement(directory=each.key, party=each, terms=each.agreed(at))
            for each in PARTIES
        ),
        SignedAgreement(
            directory="bank-2",
            party=BANK,
            terms=replace(BANK.agreed(at), number=SECOND_BANK_AGREEMENT),
            handed_in=frozenset(AgreementRole) - {AgreementRole.RECIPIENT},
        ),
    )


def signed_name(role: AgreementRole) -> str:
    """Return the file name of an agreement that was signed in this role."""
    return f"agreement.{role.value.lower().replace('_', '-')}.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The content of a sandbox."""

    made_at: datetime
    hierarchy: Hierarchy
    look_alike: Hierarchy
    """The authorities with the same names and other keys, which nobody trusts."""
    stamping_root: Authority
    """The authority that is trusted only for timestamps."""
    stamping: StampingAuthority
    operator: Credential
    """The key and certificate that sign receipts."""
    people: tuple[Person, ...]
    citizens: Mapping[int, Credential]
    """The keys and certificates of the citizens who can sign, by number."""
    stranger: Credential
    """The first citizen's certificate as the look-alike authority made it."""
    messages: Mapping[str, Credential]
    """The keys and certificates that sign each party's messages, by the party's key."""
    officials: Mapping[str, Credential]
    encryption: Mapping[str, Credential]
    """The keys and certificates for parties whose agreement requires encrypted delivery."""
    signatories: Mapping[MemberCode, Signing]
    officers: Mapping[str, SandboxOfficer]
    """The officers of the supervising bodies, by a short name."""
    portal: Credential
    """The key and certificate of the citizens' portal."""
    identity_provider: IdentityProvider
    documents: Mapping[str, SandboxDocument]
    consent_revocations: Mapping[str, SandboxConsentRevocation]
    """The consent revocations, by the names of the consents that they revoke."""

    @property
    def crls(self) -> dict[str, bytes]:
        """The CRLs of every trusted authority, by file name."""
        after_signing = ended(self.citizens[COMPROMISED], self.citizens[REVOKED_LATE], self.made_at)
        return self.hierarchy.crls([self.citizens[REVOKED].certificate, *after_signing])


def build_world(at: datetime, *, people: int = 1000, seed: int = 1) -> World:
    """Return a world.

    One seed always gives the same people; keys and documents are new each time.
    """
    everyone = citizens(max(people, KEYED), seed=seed)
    true, false = new_hierarchy(at), new_hierarchy(at)
    keyed = {number: _certify(true, number, everyone[number]) for number in range(KEYED)}
    officials = {
        party.key: true.official(
            member_code=party.code, name=party.official.name, identifier=party.official.identifier
        )
        for party in PARTIES
        if party.official is not None
    }
    stranger = _certify(false, 0, everyone[0])
    signers = SandboxSigners(
        people=everyone[:KEYED],
        citizens=keyed,
        officials=officials,
        stranger=stranger,
        notice_digest=hashlib.sha256(NOTICE.encode()).digest(),
        at=at,
    )
    stamping_root = new_root("Sandbox root of time-stamping", at)
    stamped_by = stamping_root.stamping("Sandbox TSA")
    stamping = StampingAuthority(key=stamped_by.key, certificate=stamped_by.certificate)
    documents = draw_up(signers, stamping)
    return World(
        made_at=at,
        stamping_root=stamping_root,
        stamping=stamping,
        hierarchy=true,
        look_alike=false,
        operator=true.official(member_code=OPERATOR, name=OPERATOR_NAME, identifier="receipts"),
        people=everyone,
        citizens=keyed,
        stranger=stranger,
        messages={party.key: _message_certificate(true, party) for party in PARTIES},
        officials=officials,
        encryption=_encryption(true),
        signatories=_signatories(true),
        officers=_officers(true),
        portal=true.organisation(member_code=PORTAL, common_name="Citizens' portal (sandbox)"),
        identity_provider=IdentityProvider.generate(),
        documents=documents,
        consent_revocations=draw_up_revocations(signers, documents),
    )


def register(
    world: World,
    registry: OperatorRegistry,
    agreements: Agreements,
    notices: Notices,
    *,
    at: datetime,
) -> Mapping[str, bytes]:
    """Register recipients, terms, notices and citizens in an empty registry.

    Agreements and the notice come into force by signatures, as in production. Return the signed
    documents, by file name.
    """
    for party in PARTIES:
        registry.add_recipient(party.recipient, at=at)
        message = world.messages[party.key]
        registry.add_certificate(party.code, message.fingerprint, message.der, at=at)
        if party.key in world.encryption:
            sealing = world.encryption[party.key]
            registry.add_encryption_certificate(party.code, sealing.fingerprint, sealing.der, at=at)
        if party.official is not None:
            official = Official(
                recipient=party.code,
                identifier=party.official.identifier,
                name=party.official.name,
                fingerprint=world.officials[party.key].fingerprint,
                not_after=world.officials[party.key].certificate.not_valid_after_utc,
            )
            registry.add_official(official, at=at)
    for signatory in world.signatories.values():
        registry.add_signatory(signatory.registered, at=at)
    for officer in world.officers.values():
        registry.add_officer(officer.registered, at=at)
    registered = [person for number, person in enumerate(world.people) if number != ABSENT]
    for start in range(0, len(registered), BATCH):
        registry.put_persons(registered[start : start + BATCH], at=at)
    return {**_approve_notice(world, registry, notices, at), **_conclude(world, agreements, at)}


def _approve_notice(
    world: World, registry: OperatorRegistry, notices: Notices, at: datetime
) -> Mapping[str, bytes]:
    texts = {language: text.encode() for language, text in NOTICE_TEXTS.items()}
    registry.add_notice(NOTICE_REF, texts, at=at)
    signed = world.signatories[AUTHORISED_BODY].sign(notices.approval(NOTICE_REF), at=at)
    judged = notices.judge(signed, at=at)
    if isinstance(judged, NotSigned):
        raise TypeError(f"a sandbox's notice is approved: {judged.why}")
    notices.record(judged, at=at)
    return {"notice-approval.xml": signed}


def _conclude(world: World, agreements: Agreements, at: datetime) -> Mapping[str, bytes]:
    """Return each agreement as its three parties signed it.

    All signatures are submitted except one.
    """
    documents: dict[str, bytes] = {}
    for agreed in agreements_made(at=world.made_at):
        document = agreements.draw_up(agreed.terms, at=at)
        agreements.register_draft(agreed.terms, document, at=at)
        documents[f"{agreed.directory}/agreement.xml"] = document
        for role, member in agreed.signing.items():
            signed = world.signatories[member].sign(document, at=at)
            documents[f"{agreed.directory}/{signed_name(role)}"] = signed
            if role not in agreed.handed_in:
                continue
            judged = agreements.judge(signed, at=at)
            if isinstance(judged, NotSigned):
                raise TypeError(f"a sandbox's agreements are signed: {judged.why}")
            agreements.record(judged, at=at)
    return documents


def _encryption(hierarchy: Hierarchy) -> Mapping[str, Credential]:
    """Return a certificate for each party to which data are encrypted."""
    return {
        party.key: hierarchy.encryption(member_code=party.code, common_name=party.name)
        for party in PARTIES
        if party.delivery is Delivery.SEALED
    }


def _signatories(hierarchy: Hierarchy) -> Mapping[MemberCode, Signing]:
    """Return one signatory for each party to any agreement."""
    posts = [
        (AUTHORISED_BODY, AgreementRole.AUTHORISED_BODY, "authorised-body"),
        (OPERATOR, AgreementRole.OPERATOR, "operator"),
        *((party.code, AgreementRole.RECIPIENT, party.key) for party in PARTIES),
    ]
    return {
        member: Signing(
            member=member,
            role=role,
            identifier=f"S-{key}",
            credential=hierarchy.official(
                member_code=member, name=f"{key} signatory (sandbox)", identifier=f"S-{key}"
            ),
        )
        for member, role, key in posts
    }


def _officers(hierarchy: Hierarchy) -> Mapping[str, SandboxOfficer]:
    """Return two inspectors and the head of the authorised body, and a protection officer."""
    posts = [
        ("inspector", AUTHORISED_BODY, OfficerRole.BODY_OFFICER),
        ("second-inspector", AUTHORISED_BODY, OfficerRole.BODY_OFFICER),
        ("head", AUTHORISED_BODY, OfficerRole.BODY_HEAD),
        ("protection", PROTECTION_BODY, OfficerRole.PROTECTION_OFFICER),
    ]
    return {
        key: SandboxOfficer(
            member=member,
            role=role,
            identifier=f"O-{key}",
            credential=hierarchy.official(
                member_code=member, name=f"{key} (sandbox)", identifier=f"O-{key}"
            ),
        )
        for key, member, role in posts
    }


def _certify(hierarchy: Hierarchy, number: int, person: Person) -> Credential:
    given_name = person.values.get(Attribute.GIVEN_NAME)
    return hierarchy.citizen(
        pin_digits=person.pin.digits,
        surname=_latin(person.values[Attribute.SURNAME]),
        given_name=_latin(given_name) if given_name is not None else None,
        use_rsa=number == RSA_CITIZEN,
    )


def _latin(value: object) -> str:
    if not isinstance(value, LocalizedName) or value.latin is None:
        raise TypeError("a synthetic citizen has names in Latin")
    return value.latin


def _message_certificate(hierarchy: Hierarchy, party: Party) -> Credential:
    return hierarchy.organisation(
        member_code=party.code, common_name=party.name, use_rsa=party.uses_rsa
    )
