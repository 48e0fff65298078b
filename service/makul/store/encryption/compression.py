"""Compression of records before they are encrypted, by a dictionary that the store keeps.

A decision's record is mostly boilerplate: the receipt's XML, the operator's certificate in it, the
report's keys. Deflate (RFC 1951) with a preset dictionary that holds this text leaves some
1.0 to 1.3 KB of 7.4 KB (measured 2026-11-30), so that a refusal costs less than 4 KB of database.

The dictionary's whole text lies in the table `dictionary`, under its SHA-256. A record names the
dictionary by it, so a later program with another text reads every earlier record.
"""

import hashlib
import re
import zlib
from threading import Lock
from typing import Final

from sqlalchemy import bindparam, insert, select

from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import CodecError
from makul.store.encryption.dictionary_text import BOILERPLATE
from makul.store.schema.tables import dictionary

_MARK: Final = b"\x01"
"""The first byte of a compressed record. A record that is packed alone begins with the high byte of
its header's length, which is 0 (`codecs.pack`)."""

_ID_BYTES: Final = 32
_WINDOW_BITS: Final = -14  # raw deflate, 16 KiB: dictionary and record fit; 15 costs 20 % more CPU
_LONG_WINDOW_BITS: Final = -15  # for a dictionary of several texts; it reads what 14 bits wrote
_LONG_WINDOW: Final = 32 * 1024 - 512  # bytes before a place that deflate can refer to
_SHORT_DICTIONARY: Final = 12 * 1024
"""Bytes; a dictionary up to this and a record lie within the short window."""
_LEVEL: Final = 6
_MAX_BYTES: Final = 64 * 1024 * 1024
"""The most that one record expands to: more than the largest answer, and no memory bomb."""

_CERTIFICATE: Final = re.compile(
    rb"<ds:X509Certificate>[A-Za-z0-9+/=]{1,8192}</ds:X509Certificate>"
)

_BOILERPLATE_OF_ANSWERS: Final = re.compile(
    rb"<rule>.{1,4096}?</rule>|<t:text(?: [^>]{0,60})?>.{1,4096}?</t:text>", re.DOTALL
)
"""A rule with its text, or a reason's text, in three languages."""
_MAX_DICTIONARIES: Final = 512
"""More than there are texts of reasons and causes: what comes beyond is compressed without one.
With the largest they take 16 MB of a worker's memory."""

_FIND = select(dictionary.c.content).where(dictionary.c.dictionary_id == bindparam("dictionary_id"))
_ADD = insert(dictionary)


class Compressor:
    """Compresses and expands records. Threads share it. Raises `StoreUnavailableError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._contents: dict[bytes, bytes] = {}
        self._by_variable: dict[bytes, bytes] = {}
        self._guard = Lock()

    def dictionary_for(self, receipt: bytes, answer: bytes = b"") -> bytes:
        """Return the id of the dictionary for records with this receipt, which is kept by then.

        The operator's certificate is in every receipt and does not compress: each has a dictionary.
        A refusal has its reasons' texts in three languages, and an explanation every rule's, which
        is most of an answer: with `answer`, each sequence of them has a dictionary. A dictionary is
        written in a transaction of its own, once.
        """
        found = _CERTIFICATE.search(receipt)
        certificate = found.group() if found is not None else b""
        found_texts = dict.fromkeys(_BOILERPLATE_OF_ANSWERS.findall(answer))
        variable = b"".join(found_texts) + certificate
        known = self._by_variable.get(variable)
        if known is not None:
            return known
        if len(self._by_variable) >= _MAX_DICTIONARIES:
            variable = certificate
        content = (BOILERPLATE + variable)[-_LONG_WINDOW:]
        dictionary_id = hashlib.sha256(content).digest()
        values = {"dictionary_id": dictionary_id, "content": content}

        def keep(transaction: Transaction) -> None:
            if transaction.one(_FIND, values) is None:
                transaction.run(_ADD, values)

        with self._guard:
            self._database.perform(keep)
            self._contents[dictionary_id] = content
            self._by_variable[variable] = dictionary_id
        return dictionary_id

    def compress(self, plain: bytes, dictionary_id: bytes) -> bytes:
        """Return the record, compressed by a dictionary that is kept."""
        content = self._content(dictionary_id)
        bits = _WINDOW_BITS if len(content) <= _SHORT_DICTIONARY else _LONG_WINDOW_BITS
        deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, bits, zdict=content)
        return _MARK + dictionary_id + deflate.compress(plain) + deflate.flush()

    def expand(self, stored: bytes) -> bytes:
        """Return the record as it was before; one that was never compressed is returned as it is.

        Raises `CodecError` if it does not read back.
        """
        if stored[:1] != _MARK:
            return stored
        start = len(_MARK) + _ID_BYTES
        content = self._content(stored[len(_MARK) : start])
        inflate = zlib.decompressobj(_LONG_WINDOW_BITS, zdict=content)
        try:
            plain = inflate.decompress(stored[start:], _MAX_BYTES)
        except zlib.error:
            raise CodecError("a compressed record does not read back") from None
        if not inflate.eof or inflate.unconsumed_tail or inflate.unused_data:
            raise CodecError("a compressed record does not read back")
        return plain

    def _content(self, dictionary_id: bytes) -> bytes:
        """A dictionary's text never changes, so that it may be held in memory."""
        content = self._contents.get(dictionary_id)
        if content is None:
            row = self._database.one(_FIND, {"dictionary_id": dictionary_id})
            content = bytes(row[0]) if row is not None else b""
            if hashlib.sha256(content).digest() != dictionary_id:
                raise CodecError("the dictionary of a record is missing or altered")
            self._contents[dictionary_id] = content
        return content
