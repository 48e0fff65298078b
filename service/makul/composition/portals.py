"""Wiring of the subject port: portals, the identity provider, and the levels of logins."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256

from makul.app.acts import find_operations
from makul.app.citizen_identification import CitizenIdentification, Portal
from makul.app.ports import RegisteredCertificate
from makul.app.ports.subject import SubjectRecord
from makul.config.settings import Settings, SettingsError, SubjectSettings
from makul.domain.identity import LevelPolicy
from makul.language.translation import translate
from makul.trust.id_tokens import JwksVerifier
from makul.trust.keys.files import load_certificates

PACKAGE = "makul.app.subject_acts"
"""The operations of the subject port."""


@dataclass(frozen=True, slots=True)
class PortalRegister:
    """The certificates of portals. Those of recipients and officers are not among them."""

    certificates: Mapping[bytes, RegisteredCertificate]

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        """Return the portal with this certificate; None if there is none."""
        return self.certificates.get(fingerprint)


def require_subject_settings(settings: Settings) -> SubjectSettings:
    """Return the settings of the subject port, which a listener of this port has."""
    if settings.subject is None:
        raise SettingsError(translate("the table [subject] is missing"))
    return settings.subject


def load_portal_register(subject: SubjectSettings | None) -> PortalRegister:
    """Read the certificates of the portals. Raises `KeyFileError` or `SettingsError`."""
    found: dict[bytes, RegisteredCertificate] = {}
    for portal in subject.portals if subject is not None else ():
        if portal.certificates is None:
            continue
        for certificate in load_certificates(portal.certificates):
            fingerprint = certificate.fingerprint(SHA256())
            known = found.setdefault(
                fingerprint,
                RegisteredCertificate(recipient=portal.member, fingerprint=fingerprint),
            )
            if known.recipient != portal.member:
                raise SettingsError(
                    translate(
                        "{path}: another portal has this certificate", path=portal.certificates
                    )
                )
    return PortalRegister(found)


def build_identification(subject: SubjectSettings, record: SubjectRecord) -> CitizenIdentification:
    """Build the identification of citizens. Raises `KeyFileError` or `SettingsError`."""
    known = {operation.name for operation in find_operations(PACKAGE)}
    unknown = sorted(subject.operation_levels.keys() - known)
    if unknown:
        raise SettingsError(
            translate("subject.operation_levels: there is no operation {name}", name=unknown[0])
        )
    return CitizenIdentification(
        portals={
            each.member: Portal(
                code=each.member,
                audience=each.audience,
                subsystem=each.subsystem,
                may_find_usage=each.may_find_usage,
            )
            for each in subject.portals
        },
        verifier=JwksVerifier.load(subject.jwks, pin_claim=subject.pin_claim),
        issuer=subject.issuer,
        levels=LevelPolicy(
            levels=subject.levels,
            minimum=subject.minimum_level,
            by_operation=dict(subject.operation_levels),
        ),
        record=record,
    )
