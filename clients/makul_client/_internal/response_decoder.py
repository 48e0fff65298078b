"""The conversion of zeep's values to the types of this library. The answer is already validated."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from makul_client.models.reasons import Language, Reason, Retry
from makul_client.models.response import (
    ATTRIBUTES,
    Agreement,
    Competence,
    ConsentStatus,
    Inclusion,
    LedgerInfo,
    Limit,
    Match,
    Name,
    PartySignature,
    Person,
    Power,
    ReceiptCertificate,
    Revocation,
    Rule,
    Sample,
    ServiceStatus,
)


def texts(read: Any) -> dict[Language, str]:
    """Return a text in the three languages."""
    return {language: str(getattr(read, language)) for language in Language}


def reasons(read: Iterable[Any]) -> tuple[Reason, ...]:
    """Return the reasons of an answer or a fault."""
    return tuple(
        Reason(
            code=each.code,
            because=each.because,
            clause=each.clause,
            side=each.side,
            retry=Retry(each.retry),
            retry_after=each.retryAfter,
            field=each.field,
            texts=texts(each.text),
        )
        for each in read
    )


def matches(read: Iterable[Any]) -> tuple[Match, ...]:
    """Return the result of each method."""
    return tuple(
        Match(
            method=each.method,
            result=each.result,
            score=each.score,
            threshold=each.threshold,
            algorithm=each.algorithm,
            version=each.version,
        )
        for each in read
    )


def rules(read: Iterable[Any]) -> tuple[Rule, ...]:
    """Return the rules of a dry run."""
    return tuple(
        Rule(code=each.code, clause=each.clause, verdict=each.verdict, texts=texts(each.text))
        for each in read
    )


def person(read: Any) -> Person:
    """Return the element `person`.

    If nothing remained to release, the element is None and the result is a person without data.
    """
    if read is None:
        return Person()
    return Person(
        pin=read.pin,
        surname=_name(read.surname),
        given_name=_name(read.givenName),
        patronymic=_name(read.patronymic),
        sex=read.sex,
        birth_date=read.birthDate,
        birth_place=read.birthPlace,
        citizenship=read.citizenship,
        address=read.address,
        document_type=read.documentType,
        document_number=read.documentNumber,
        document_issuer=read.documentIssuer,
        document_issued=read.documentIssued,
        document_expires=read.documentExpires,
        document_state=read.documentState,
        person_state=read.personState,
        face_image=_image(read.faceImage),
        fingerprint_templates=_templates(read.fingerprintTemplates),
        fingerprint_images=_finger_images(read.fingerprintImages),
        signature_image=None
        if read.signatureImage is None
        else Sample(data=read.signatureImage, format="png"),
    )


def attributes_in(read: Any) -> frozenset[str]:
    """Return the names of the attributes that the element `person` contains."""
    if read is None:
        return frozenset()
    return frozenset(name for name in ATTRIBUTES if getattr(read, name) is not None)


def revocations(read: Any) -> tuple[tuple[Revocation, ...], bool]:
    """Return one page of revoked consents, and whether there are more pages."""
    page = tuple(
        Revocation(consent_id=UUID(each.consentId), revoked_at=each.revokedAt)
        for each in read.revocation
    )
    return page, bool(read.more)


def agreement(read: Any) -> Agreement:
    """Return the terms of an agreement."""
    return Agreement(
        number=read.number,
        state=read.state,
        valid_from=read.validFrom,
        valid_to=read.validTo,
        purposes=tuple(read.purpose),
        attributes=tuple(read.attribute),
        methods=tuple(read.method),
        channels=tuple(read.channel),
        provisions=tuple(read.provision),
        powers=tuple(
            Power(purpose=each.purpose, attributes=tuple(each.attribute)) for each in read.power
        ),
        competences=tuple(
            Competence(purpose=each.purpose, citation=each.citation) for each in read.competence
        ),
        daily_quota=read.dailyQuota,
        requests_per_minute=read.requestsPerMinute,
        bytes_per_day=read.bytesPerDay,
        paper_daily_quota=read.paperDailyQuota,
        representatives=bool(read.representatives),
        delivery=read.delivery,
        signatures=tuple(
            PartySignature(role=each.role, member_code=each.memberCode, recorded_at=each.recordedAt)
            for each in read.signature
        ),
        undertakings_required=bool(read.undertakingsRequired),
    )


def consent_status(read: Any) -> ConsentStatus:
    """Return the state of a consent."""
    return ConsentStatus(
        consent_id=UUID(read.consentId),
        state=read.state,
        used=read.used,
        remaining=read.remaining,
        valid_from=read.validFrom,
        valid_to=read.validTo,
    )


def status(read: Any) -> ServiceStatus:
    """Return what the service reports about itself."""
    return ServiceStatus(
        environment=read.environment,
        software_version=read.softwareVersion,
        contract_version=read.contractVersion,
        time=read.time,
        limits=tuple(
            Limit(name=each.name, value=each.value, unit=each.unit) for each in read.limit
        ),
        receipt_certificates=tuple(
            ReceiptCertificate(
                fingerprint=each.fingerprint,
                valid_from=each.validFrom,
                valid_to=each.validTo,
                state=each.state,
                compromised_since=each.compromisedSince,
            )
            for each in read.receiptCertificate
        ),
        ledger=None
        if read.ledger is None
        else LedgerInfo(
            origin=read.ledger.origin,
            key=read.ledger.key,
            max_merge_delay=read.ledger.maxMergeDelay,
        ),
    )


def inclusion(read: Any) -> Inclusion | None:
    """Return the proof that a receipt is in the log, or None."""
    if read is None:
        return None
    return Inclusion(
        index=read.leafIndex,
        size=read.treeSize,
        path=tuple(read.hash),
        checkpoint=read.checkpoint,
    )


def _name(read: Any) -> Name | None:
    return None if read is None else Name(ky=read.ky, ru=read.ru, latin=read.latin)


def _image(read: Any) -> Sample | None:
    return None if read is None else Sample(data=read.data, format=read.format)


def _templates(read: Any) -> tuple[Sample, ...]:
    templates = () if read is None else read.template
    return tuple(
        Sample(data=each.data, format="iso19794-2", position=each.position) for each in templates
    )


def _finger_images(read: Any) -> tuple[Sample, ...]:
    images = () if read is None else read.image
    return tuple(
        Sample(data=each.data, format=each.format, position=each.position) for each in images
    )
