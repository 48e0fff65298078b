"""Wiring of the operations that are acts, of every port."""

from dataclasses import fields

from makul.app.acts import ActPort, ActServices, SubjectServices, build_acts
from makul.app.recording import Recording
from makul.composition.adapters import Adapters
from makul.composition.portals import PACKAGE, build_identification
from makul.config.settings import SubjectSettings
from makul.domain.identifiers import MemberCode


def build_recipient_acts(parts: Adapters, recording: Recording, operator: MemberCode) -> ActPort:
    """Build the acts of recipients."""
    return build_acts("makul.app.recipient_acts", _services(parts, recording, operator))


def build_oversight_acts(parts: Adapters, recording: Recording, operator: MemberCode) -> ActPort:
    """Build the acts of the supervising bodies."""
    return build_acts("makul.app.oversight", _services(parts, recording, operator))


def build_subject_acts(
    parts: Adapters, recording: Recording, operator: MemberCode, subject: SubjectSettings
) -> ActPort:
    """Build the acts of portals on behalf of citizens."""
    return build_acts(PACKAGE, build_subject_services(parts, recording, operator, subject))


def build_subject_services(
    parts: Adapters, recording: Recording, operator: MemberCode, subject: SubjectSettings
) -> SubjectServices:
    """Build what the operations of the subject port need, and the tracker beside them."""
    services = _services(parts, recording, operator)
    return SubjectServices(
        **{each.name: getattr(services, each.name) for each in fields(services)},
        citizens=build_identification(subject, parts.subject),
        record=parts.subject,
        hidden_at_most=parts.hidden_at_most,
    )


def _services(parts: Adapters, recording: Recording, operator: MemberCode) -> ActServices:
    return ActServices(
        clock=parts.clock,
        register=parts.oversight,
        recorder=parts.acts,
        recording=recording,
        documents=parts.documents,
        signed_documents=parts.signed_documents,
        verifier=parts.verifier,
        pages=parts.pages,
        evidence=parts.evidence,
        receipts=parts.own_receipts,
        signer=parts.signer,
        corrections=parts.corrections,
        correction_terms=parts.correction_terms,
        operator=operator,
        authorised_body=parts.authorised_body,
    )
