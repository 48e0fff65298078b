"""Compression of records before encryption, with dictionaries that the store keeps.

A decision's record is mostly boilerplate: the XML of the receipt, the operator's certificate in it,
and the keys of the report. Deflate (RFC 1951) with a preset dictionary of this text compresses 7.4
KB to about 1.0 to 1.3 KB (measured 2026-11-30). A refusal therefore costs less than 4 KB of
database.

The table `dictionary` stores the full text of a dictionary under its SHA-256. A record names its
dictionary by this digest. So a later program with another text can read every earlier record.
"""

import hashlib
import re
import zlib
from threading import Lock
from typing import Final

from sqlalchemy import bindparam, insert, select

from makul.language.translation import translate
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import CodecError
from makul.store.encryption.dictionary_text import BOILERPLATE, MESSAGE_BOILERPLATE
from makul.store.schema.record_tables import dictionary

_MARK: Final = b"\x01"
"""The first byte of a compressed record.

An uncompressed record begins with the high byte of its header's length, which is 0
(`store.db.codecs.pack`).
"""

_ID_BYTES: Final = 32
_WINDOW_BITS: Final = -14  # raw deflate, 16 KiB: dictionary and record fit; 15 costs 20 % more CPU
_LONG_WINDOW_BITS: Final = -15  # for a dictionary of several texts; it reads what 14 bits wrote
_LONG_WINDOW: Final = 32 * 1024 - 512  # bytes before a position that deflate can refer to
_SHORT_DICTIONARY: Final = 12 * 1024
"""Maximum length in bytes of a dictionary that fits, with a record, in the short window."""
_LEVEL: Final = 6
_LONG_LEVEL: Final = 9
"""For answers with many texts. Level 6 gives up on matches that lie far back: 653 bytes for 541."""
_MAX_BYTES: Final = 64 * 1024 * 1024
"""Maximum number of bytes that one record expands to.

It exceeds the largest answer and stops decompression bombs.
"""

_CERTIFICATE: Final = re.compile(
    rb"<ds:X509Certificate>[A-Za-z0-9+/=]{1,8192}</ds:X509Certificate>"
)

_TOKEN: Final = re.compile(rb"BinarySecurityToken[^>]{0,600}>([A-Za-z0-9+/=]{1,8192})<")
"""The sender's certificate in a signed message."""
_BOILERPLATE_OF_ANSWERS: Final = re.compile(
    rb"<rule>.{1,4096}?</rule>|<t:text(?: [^>]{0,60})?>.{1,4096}?</t:text>", re.DOTALL
)
"""A rule with its text, or the text of a reason, in three languages."""
_RULE: Final = b"<rule>"
_OF_MESSAGES: Final = b"message "
"""Distinguishes dictionaries of messages from those of records in memory."""
_MAX_DICTIONARIES: Final = 512
"""Maximum number of dictionaries held in memory.

There are fewer texts of reasons and causes. Beyond it, only the certificate selects the dictionary.
With the largest dictionaries they take 16 MB of a worker's memory.
"""

_FIND = select(dictionary.c.content).where(dictionary.c.dictionary_id == bindparam("dictionary_id"))
_ADD = insert(dictionary)


class Compressor:
    """Compressor of records, shared by threads.

    Raises `StoreUnavailableError` if the store fails.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._contents: dict[bytes, bytes] = {}
        self._by_variable: dict[bytes, bytes] = {}
        self._guard = Lock()

    def dictionary_for(self, receipt: bytes, answer: bytes = b"") -> bytes:
        """Return the id of the dictionary for records with this receipt.

        Stores the dictionary if it is new.

        The operator's certificate is in every receipt and does not compress, so each certificate
        has a dictionary. A refusal contains the texts of its reasons in three languages, and an
        explanation contains the texts of every rule. They make up most of an answer. So with
        `answer`, each sequence of texts has a dictionary too.

        A dictionary is written once, in a separate transaction.
        """
        match = _CERTIFICATE.search(receipt)
        certificate = match.group() if match is not None else b""
        # Deflate refers back 32 KiB at most. The texts come last, because the texts of all rules
        # are nearly that far before their repetition in an answer.
        variable = certificate + _join_texts(_BOILERPLATE_OF_ANSWERS.findall(answer))
        known = self._by_variable.get(variable)
        if known is not None:
            return known
        if len(self._by_variable) >= _MAX_DICTIONARIES:
            variable = certificate
        return self._store(variable, (BOILERPLATE + variable)[-_LONG_WINDOW:])

    def message_dictionary(self, message: bytes) -> bytes:
        """Return the id of the dictionary for a signed message, which contains its certificate.

        Stores the dictionary if it is new. Only registered certificates are accepted, so there are
        few.
        """
        match = _TOKEN.search(message)
        token = match[1] if match is not None else b""
        known = self._by_variable.get(_OF_MESSAGES + token)
        if known is not None:
            return known
        if len(self._by_variable) >= _MAX_DICTIONARIES:
            token = b""
        return self._store(_OF_MESSAGES + token, MESSAGE_BOILERPLATE + token)

    def _store(self, variable: bytes, content: bytes) -> bytes:
        """Store a dictionary, and return its id."""
        dictionary_id = hashlib.sha256(content).digest()
        values = {"dictionary_id": dictionary_id, "content": content}

        def keep(transaction: Transaction) -> None:
            if transaction.fetch_one(_FIND, values) is None:
                transaction.execute(_ADD, values)

        with self._guard:
            self._database.run_transaction(keep)
            self._contents[dictionary_id] = content
            self._by_variable[variable] = dictionary_id
        return dictionary_id

    def compress(self, plain: bytes, dictionary_id: bytes) -> bytes:
        """Return the record, compressed with a stored dictionary."""
        content = self._content(dictionary_id)
        is_short = len(content) <= _SHORT_DICTIONARY
        bits, level = (_WINDOW_BITS, _LEVEL) if is_short else (_LONG_WINDOW_BITS, _LONG_LEVEL)
        deflate = zlib.compressobj(level, zlib.DEFLATED, bits, zdict=content)
        return _MARK + dictionary_id + deflate.compress(plain) + deflate.flush()

    def expand(self, stored: bytes) -> bytes:
        """Return the record as it was before compression.

        A record that was not compressed is returned as is.

        Raises `CodecError` if the record does not expand.
        """
        if stored[:1] != _MARK:
            return stored
        start = len(_MARK) + _ID_BYTES
        content = self._content(stored[len(_MARK) : start])
        inflate = zlib.decompressobj(_LONG_WINDOW_BITS, zdict=content)
        try:
            plain = inflate.decompress(stored[start:], _MAX_BYTES)
        except zlib.error:
            raise CodecError(translate("a compressed record does not read back")) from None
        if not inflate.eof or inflate.unconsumed_tail or inflate.unused_data:
            raise CodecError(translate("a compressed record does not read back"))
        return plain

    def _content(self, dictionary_id: bytes) -> bytes:
        """Return the text of a dictionary. It never changes, so it may be cached in memory."""
        content = self._contents.get(dictionary_id)
        if content is None:
            row = self._database.fetch_one(_FIND, {"dictionary_id": dictionary_id})
            content = bytes(row[0]) if row is not None else b""
            if hashlib.sha256(content).digest() != dictionary_id:
                raise CodecError(translate("the dictionary of a record is missing or altered"))
            self._contents[dictionary_id] = content
        return content


def _join_texts(found: list[bytes]) -> bytes:
    """Return each text once. The text of a reason is left out if it stands in a rule, too."""
    rules = b"".join(dict.fromkeys(each for each in found if each.startswith(_RULE)))
    others = dict.fromkeys(each for each in found if not each.startswith(_RULE))
    return b"".join(each for each in others if _words_of(each) not in rules) + rules


def _words_of(text: bytes) -> bytes:
    """Return the content of a text, without its tags, which differ inside a rule."""
    return text[text.index(b">") + 1 : text.rindex(b"<")]
