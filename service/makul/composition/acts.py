"""Wiring of the operations that are acts, of both ports."""

from makul.app.acts import ActPort, ActServices, build_acts
from makul.app.recording import Recording
from makul.composition.adapters import Adapters
from makul.domain.identifiers import MemberCode


def build_recipient_acts(parts: Adapters, recording: Recording, operator: MemberCode) -> ActPort:
    """Build the acts of recipients."""
    return build_acts("makul.app.recipient_acts", _services(parts, recording, operator))


def build_oversight_acts(parts: Adapters, recording: Recording, operator: MemberCode) -> ActPort:
    """Build the acts of the supervising bodies."""
    return build_acts("makul.app.oversight", _services(parts, recording, operator))


def _services(parts: Adapters, recording: Recording, operator: MemberCode) -> ActServices:
    return ActServices(
        clock=parts.clock,
        register=parts.oversight,
        recorder=parts.acts,
        recording=recording,
        documents=parts.documents,
        verifier=parts.verifier,
        pages=parts.pages,
        evidence=parts.evidence,
        receipts=parts.own_receipts,
        signer=parts.signer,
        operator=operator,
    )
