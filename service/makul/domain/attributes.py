"""Attributes of a person in the database, by their names on the wire and in documents."""

from enum import StrEnum


class Attribute(StrEnum):
    """An attribute that may be requested, consented to and released; a closed list, no wildcard."""

    PIN = "pin"
    SURNAME = "surname"
    GIVEN_NAME = "givenName"
    PATRONYMIC = "patronymic"
    SEX = "sex"
    BIRTH_DATE = "birthDate"
    BIRTH_PLACE = "birthPlace"
    CITIZENSHIP = "citizenship"
    ADDRESS = "address"
    DOCUMENT_TYPE = "documentType"
    DOCUMENT_NUMBER = "documentNumber"
    DOCUMENT_ISSUER = "documentIssuer"
    DOCUMENT_ISSUED = "documentIssued"
    DOCUMENT_EXPIRES = "documentExpires"
    DOCUMENT_STATE = "documentState"
    PERSON_STATE = "personState"
    FACE_IMAGE = "faceImage"
    FINGERPRINT_TEMPLATES = "fingerprintTemplates"
    FINGERPRINT_IMAGES = "fingerprintImages"
    SIGNATURE_IMAGE = "signatureImage"


NAMES = frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.PATRONYMIC})
"""Attributes that are held in three scripts: Kyrgyz, Russian and Latin."""

BIOMETRIC = frozenset(
    {
        Attribute.FACE_IMAGE,
        Attribute.FINGERPRINT_TEMPLATES,
        Attribute.FINGERPRINT_IMAGES,
        Attribute.SIGNATURE_IMAGE,
    }
)
"""Attributes that are samples of the body and not facts about the person."""
