"""The countersignature of a month: the content of the operator's head, signed by a party.

The party's document has the same content as the head, with the signature of its signatory in place
of the operator's.
"""

from makul_client._internal.crypto.credentials import Credential
from makul_client._internal.crypto.xml import canonical, parse
from makul_client._internal.party_signature import (
    SIGNATURE,
    require_signed_content,
    sign_content,
)
from makul_client.models.months import MonthlyStatement


def content_to_sign(statement: MonthlyStatement) -> bytes:
    """Return the exact bytes that the signatory signs: the head without the operator's signature.

    They are in exclusive canonical form. The head was verified before.
    """
    root = parse(statement.document)
    for signature in root.findall(SIGNATURE):
        root.remove(signature)
    return canonical(root)


def sign_statement(statement: MonthlyStatement, signatory: Credential) -> bytes:
    """Return the statement as the signatory signs it, with a key in a file."""
    return sign_content(content_to_sign(statement), signatory)


def require_signed(statement: MonthlyStatement, signed: bytes) -> bytes:
    """Return a signed document if exactly this statement was signed.

    `signed` is the whole document or only its ds:Signature. Raises `ConfirmationError`.
    """
    return require_signed_content(content_to_sign(statement), signed)
