"""Causes: what exactly was wrong, if the code of a reason is not specific enough for people.

A program must decide by the code. A cause changes only the text that people read.
"""

from enum import StrEnum


class Cause(StrEnum):
    """The closed list of causes.

    `texts/causes.toml` says for each what was wrong and what is expected.
    """

    NOT_WELL_FORMED = "not-well-formed"
    DOCUMENT_TYPE = "document-type"
    COMMENT = "comment"
    INSTRUCTION = "processing-instruction"
    ENCODING = "encoding"
    XML_VERSION = "xml-version"
    TOO_LARGE = "too-large"
    TOO_MANY_PARTS = "too-many-parts"
    SOAP_VERSION = "soap-version"
    BODY_CONTENT = "body-content"
    TEXT_BESIDE = "text-beside"
    NOT_UNDERSTOOD = "not-understood"
    NO_SECURITY = "no-security"
    SECURITY_COUNT = "security-count"
    SECURITY_FOR_ANOTHER = "security-for-another"
    NO_SIGNATURE = "no-signature"
    SIGNATURE_COUNT = "signature-count"
    SECURITY_PARTS = "security-parts"
    KEY_REFERENCE = "key-reference"
    TOKEN_TYPE = "token-type"  # noqa: S105 - a word, no password
    PART_UNSIGNED = "part-unsigned"
    SIGNED_BESIDE = "signed-beside"
    IDENTIFIER_SHARED = "identifier-shared"
    TRANSFORM = "transform"
    SIGNATURE_FORM = "signature-form"
    TIMESTAMP_PARTS = "timestamp-parts"
    TIME_ZONE = "time-zone"
    DOCUMENT_SIZE = "document-size"
    DOCUMENT_SIGNATURE = "document-signature"
    PROPERTIES = "properties"
    SIGNER_REFERENCE = "signer-reference"
    SIGNING_TIME = "signing-time"
    KEY_INFO = "key-info"
    REFERENCE_TARGET = "reference-target"
    TIMESTAMP_TOKEN = "timestamp-token"  # noqa: S105 - as above
    CERTIFICATE_FORM = "certificate-form"
    CERTIFICATE_SERIAL = "certificate-serial"
    KEY_ALGORITHM = "key-algorithm"
    DIGEST_METHOD = "digest-method"
    SIGNATURE_METHOD = "signature-method"
    CANONICALISATION = "canonicalisation"
    TIMESTAMP_ORDER = "timestamp-order"
    XROAD_HEADER = "xroad-header"
    NOTHING_RELEASED = "nothing-released"
    ALREADY_ATTESTED = "already-attested"
    HELD_BY_CASE = "held-by-case"
