"""The record about one subject, as the subject port reads it, on both databases."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from makul.app.ports import Committed
from makul.app.ports.subject import DecisionSelection
from makul.domain.agreements import Channel
from makul.domain.subject_visibility import Hiding
from makul.store import Store
from makul.store.db.codecs import CodecError, pack, unpack
from makul.store.records.private_fields import (
    _associated_data,
    encrypt_private,
    expand,
    open_private,
)
from makul.store.schema.record_tables import disclosure
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import (
    AZAMAT,
    BANK,
    GULNARA,
    NOON,
    a_basis,
    a_consent,
    an_evidence,
)

LATER = NOON + timedelta(days=30)


def listed(store: Store, **selection: Any) -> list[Any]:
    return list(store.subject.decisions(AZAMAT, DecisionSelection(**selection), limit=100))


def record(store: Store, **changes: Any) -> Any:
    entry = a_release(**changes)
    assert store.recorder.record(entry) == Committed()
    return entry


def test_a_record_states_until_when_it_is_hidden(store: Store) -> None:
    """A basis states a time or none; a consent is not read for it."""
    for ground, expected in (
        (a_basis(hidden_until=LATER), Hiding(LATER)),
        (a_basis(), Hiding(None)),
        (a_consent(subject=AZAMAT), None),
    ):
        entry = record(store, ground=ground, evidence=(an_evidence(),))
        found = store.subject.decision(AZAMAT, entry.disclosure_id)
        assert found is not None
        assert found[0].hiding == expected
        assert found[1] == entry.receipt


def test_a_usage_that_does_not_read_back_takes_no_hiding_with_it(store: Store) -> None:
    """Invariant 14: the usage of a record and its hiding are read apart."""
    entry = record(
        store,
        ground=a_basis(hidden_until=LATER),
        evidence=(an_evidence(),),
        channel=Channel.XROAD,
    )
    found = store.subject.decision(AZAMAT, entry.disclosure_id)

    assert found is not None
    assert (found[0].hiding, found[0].usage) == (Hiding(LATER), None)


def test_decisions_are_found_by_subject_and_time(store: Store) -> None:
    """The latest is first, the period is half-open, and another person has none."""
    times = [NOON + timedelta(seconds=second) for second in range(4)]
    entries = [record(store, decided_at=at) for at in times]

    rows = listed(store)
    assert [row.disclosure_id for row in rows] == [e.disclosure_id for e in reversed(entries)]
    middle = listed(store, since=times[1], until=times[3])
    assert [row.decided_at for row in middle] == [times[2], times[1]]
    assert [row.decided_at for row in listed(store, after=rows[1].position)] == times[1::-1]
    assert store.subject.decisions(GULNARA, DecisionSelection(), limit=9) == []
    assert store.subject.decision(GULNARA, entries[0].disclosure_id) is None
    assert store.subject.decision(AZAMAT, uuid4()) is None


def test_an_older_record_states_nothing_of_hiding(store: Store) -> None:
    """Format 2 reads back, and an unknown field or kind of time is refused."""
    recorder: Any = store.recorder
    cipher, entry = recorder._cipher, record(store, ground=a_basis(hidden_until=LATER))
    key = entry.disclosure_id.bytes
    private = open_private(cipher, key, _sealed(store, key))
    assert private.hiding == Hiding(LATER)

    for changes, expected in (({"v": 2}, None), ({"v": 3, "hiddenUntil": None}, Hiding(None))):
        assert open_private(cipher, key, _rewritten(store, key, changes)).hiding == expected
    false: list[dict[str, Any]] = [
        {"v": 3},
        {"v": 3, "hiddenUntil": "x"},
        {"v": 3, "hiddenUntil": True},
        {"v": 4},
    ]
    for changes in false:
        with pytest.raises(CodecError):
            open_private(cipher, key, _rewritten(store, key, changes))
    assert encrypt_private(cipher, key, private)


def _sealed(store: Store, key: bytes) -> bytes:
    recorder: Any = store.recorder
    row = recorder._database.fetch_one(
        select(disclosure.c.sealed).where(disclosure.c.disclosure_id == key), {}
    )
    sealed: bytes = row[0]
    return sealed


def _rewritten(store: Store, key: bytes, changes: dict[str, Any]) -> bytes:
    """Return the encrypted part with another header."""
    recorder: Any = store.recorder
    cipher = recorder._cipher
    where = _associated_data(key)
    header, parts = unpack(expand(cipher, cipher.decrypt(_sealed(store, key), where)))
    kept = {name: header[name] for name in ("pin", "subsystem", "employee", "case")}
    plain = pack(kept | changes, parts)
    if cipher.compressor is not None:
        plain = cipher.compressor.compress(plain, cipher.compressor.dictionary_for(parts[3]))
    sealed: bytes = cipher.encrypt(plain, where)
    return sealed


def test_a_token_serves_one_request(store: Store) -> None:
    """An equal request may come again; another one never, also not at its second try."""
    use = store.subject.use_token
    times = {"forget_after": LATER, "at": NOON}

    assert use(b"t" * 32, b"1" * 32, **times)
    assert use(b"t" * 32, b"1" * 32, **times)
    assert not use(b"t" * 32, b"2" * 32, **times)
    assert not use(b"t" * 32, b"2" * 32, **times)
    assert use(b"u" * 32, b"2" * 32, **times)


def test_a_document_is_read_only_as_it_was_stored(store: Store) -> None:
    """An unknown digest, and that of another recipient, is none."""
    piece = an_evidence(b"<BasisStatement/>", "BASIS")
    record(store, ground=a_basis(), evidence=(piece,))

    assert store.subject.document(BANK, piece.digest) == b"<BasisStatement/>"
    assert store.subject.document(BANK, bytes(32)) is None
