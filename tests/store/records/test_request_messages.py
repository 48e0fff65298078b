"""The signed request of a disclosure is stored to the byte (Procedure, cl. 12)."""

from base64 import b64encode
from dataclasses import replace

import pytest

from makul.app.ports import Committed, Entry
from makul.store import Store
from makul.store.db.codecs import CodecError
from makul.store.db.location import DatabaseLocation
from makul.store.encryption.fields import FieldDecryptionError
from makul.store.records.request_messages import open_request_message, request_message_row
from makul_testing.builders.entries import a_failed_match, a_refusal, a_release
from makul_testing.builders.records import an_evidence
from makul_testing.raw_sql import count

DOCUMENT = b"<Consent>" + bytes(range(256)) * 20 + b"</Consent>"
TOKEN = b64encode(b"certificate" * 90)
MESSAGE = (
    b"<Envelope><BinarySecurityToken Id='t'>"
    + TOKEN
    + b"</BinarySecurityToken><Body>"
    + b64encode(DOCUMENT)
    + b"</Body></Envelope>"
)


def a_signed_release(message: bytes) -> Entry:
    return a_release(message=message, evidence=(an_evidence(DOCUMENT),))


def test_a_message_reads_back_to_the_byte_and_is_small(store: Store) -> None:
    """The document and the certificate, which the record has already, take no more space."""
    cipher = store.recorder._cipher
    row = request_message_row(cipher, a_signed_release(MESSAGE))

    assert row is not None
    sealed = row["sealed"]
    assert isinstance(sealed, bytes)
    assert len(sealed) < 400 < len(MESSAGE)
    disclosure_id = row["disclosure_id"]
    assert isinstance(disclosure_id, bytes)
    assert open_request_message(cipher, disclosure_id, sealed, lambda _: DOCUMENT) == MESSAGE
    with pytest.raises(CodecError):
        open_request_message(cipher, disclosure_id, sealed, lambda _: None)
    with pytest.raises(FieldDecryptionError):
        open_request_message(cipher, b"x" * 16, sealed, lambda _: DOCUMENT)


@pytest.mark.parametrize("times", [0, 1, 3])
def test_any_message_reads_back(store: Store, times: int) -> None:
    """A message without the document, or with several copies, is stored too."""
    cipher = store.recorder._cipher
    message = b"<a>" + b64encode(DOCUMENT) * times + b"</a>" + bytes(range(256))
    row = request_message_row(cipher, a_signed_release(message))

    assert row is not None
    disclosure_id, sealed = row["disclosure_id"], row["sealed"]
    assert isinstance(disclosure_id, bytes)
    assert isinstance(sealed, bytes)
    assert open_request_message(cipher, disclosure_id, sealed, lambda _: DOCUMENT) == message


def test_only_disclosures_keep_their_message(store: Store, place: DatabaseLocation) -> None:
    """What obtained nothing needs no proof of who asked."""
    assert store.recorder.record(a_signed_release(MESSAGE)) == Committed()
    assert store.recorder.record(a_failed_match(message=MESSAGE)) == Committed()
    assert store.recorder.record(a_refusal(message=MESSAGE)) == Committed()
    assert store.recorder.record(a_release()) == Committed()

    assert count(place, "request_message") == 1


def test_the_message_is_not_in_the_text_of_a_caller() -> None:
    """The text of an object may be logged, and a message contains personal data."""
    caller = a_signed_release(MESSAGE).facts.caller
    assert repr(replace(caller, message=None)) == repr(caller)
