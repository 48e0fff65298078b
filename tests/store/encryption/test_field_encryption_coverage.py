"""The file without the keys reveals nothing about people, and a moved field cannot be decrypted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from makul.app.ports import Committed, Official, StoreUnavailableError
from makul.domain.disclosures import Outcome
from makul.store import Store, StoreKeys, open_store
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError, field_associated_data
from makul_testing.builders.entries import a_failed_match, a_metered_release
from makul_testing.builders.notifications import a_notification
from makul_testing.builders.records import (
    AZAMAT,
    BANK,
    GULNARA,
    NOON,
    a_caller,
    a_consent,
    a_key,
    a_person,
    an_evidence,
    whole,
)
from makul_testing.raw_sql import raw

DOCUMENT = b"<Consent>I, Toktogulov Azamat, agree</Consent>"
DIGEST = bytes(range(32))
SALT = bytes(range(100, 132))

SECRETS = {
    "PIN": AZAMAT.digits.encode(),
    "another PIN": GULNARA.digits.encode(),
    "surname": "Токтогулов".encode(),
    "surname, Latin": b"Toktogulov",
    "given name": "Азамат".encode(),
    "address": "Манас проспектиси".encode(),
    "document number": b"ID7654321",
    "face": b"a synthetic face",
    "employee": b"teller-42",
    "case": b"CASE-9",
    "official": "Бекова".encode(),
    "official's identifier": b"OFF-77",
    "reason of a look": "арыз боюнча".encode(),
    "consent": b"agree</Consent>",
    "receipt": b"<Receipt>",
    "request digest": DIGEST,
    "leaf's salt": SALT,
}


@pytest.fixture(name="place")
def _place(path: Path) -> Path:
    """Return a location in a file, because these tests are about files."""
    return path


@pytest.fixture
def busy(store: Store, path: Path) -> Path:
    """Build a store in which every kind of record about people was written."""
    store.registry.put_persons([a_person(), a_person(GULNARA)], at=NOON)
    official = Official(
        recipient=BANK, identifier="OFF-77", name="Бекова А.", fingerprint=b"o" * 32
    )
    store.registry.add_official(official, at=NOON)
    store.registry.person_for_operator(AZAMAT, reason="арыз боюнча", at=NOON)
    evidence = an_evidence(DOCUMENT)
    ground = a_consent(DOCUMENT, allowed=5)
    release = a_metered_release(
        ground, a_notification(), key=a_key(digest=DIGEST), evidence=(evidence,)
    )
    salted = replace(release.leaf, salt=SALT)
    assert store.recorder.record(replace(release, leaf=salted)) == Committed()
    assert store.recorder.record(a_failed_match(subject=GULNARA)) == Committed()
    return path


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_the_files_hold_nothing_of_people_in_the_clear(busy: Path, secret: bytes) -> None:
    """The database and write-ahead log have PINs only as blind indexes, and all else encrypted."""
    files = sorted(busy.parent.glob(busy.name + "*"))
    assert busy.with_name(busy.name + "-wal") in files

    for file in files:
        assert secret not in file.read_bytes(), file.name


def test_only_its_owner_reads_the_files(busy: Path) -> None:
    """The mode is 0600; SQLite gives its log and index the database's own mode."""
    modes = {file.name: file.stat().st_mode & 0o777 for file in busy.parent.glob("makul.db*")}

    assert set(modes) == {"makul.db", "makul.db-wal", "makul.db-shm", "makul.db.lock"}
    assert set(modes.values()) == {0o600}


def test_other_keys_do_not_decrypt_the_store(path: Path, keys: StoreKeys) -> None:
    """No person would be found and no failure counted with another index key."""
    others = StoreKeys.generate()
    for wrong in (
        others,
        StoreKeys(current_id=keys.current_id, masters=keys.masters, index=others.index),
        StoreKeys(current_id=others.current_id, masters=others.masters, index=keys.index),
    ):
        with pytest.raises(StoreUnavailableError):
            open_store(path, wrong, who="operator")


def test_after_a_rotation_old_and_new_fields_are_decrypted(busy: Path, keys: StoreKeys) -> None:
    """The new master key encrypts from now on, and the old one still decrypts its fields."""
    rotated = open_store(busy, keys.prepared().activated(), who="operator")
    rotated.registry.put_persons([a_person(locked=True)], at=NOON)

    changed, unchanged = whole(rotated.register), whole(rotated.register, GULNARA)

    assert (changed, unchanged) == (a_person(locked=True, version=2), a_person(GULNARA))
    rotated.close()
    former = open_store(busy, keys, who="operator")
    with pytest.raises(FieldDecryptionError):
        former.register.person(AZAMAT)
    former.close()


def both_persons(store: Store) -> None:
    store.register.person(AZAMAT)
    store.register.person(GULNARA)


def every_answer(store: Store) -> None:
    for row in store.registry.disclosures(recipient=None, since=None, limit=9):
        digest = DIGEST if row.outcome is Outcome.RELEASED else b"d" * 32
        store.recorder.replay(a_key(row.request_id, digest), a_caller(), at=NOON)


def some_consent(store: Store) -> None:
    store.register.consent_status(BANK, UUID(int=0))


def some_official(store: Store) -> None:
    store.register.official(BANK, bytes(32))


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("UPDATE person SET sealed = (SELECT max(sealed) FROM person)", both_persons),
        ("UPDATE person SET version = version + 1", both_persons),
        ("UPDATE person SET sealed = substr(sealed, 1, length(sealed) - 1)", both_persons),
        ("UPDATE person SET sealed = x''", both_persons),
        ("UPDATE request_key SET answer = (SELECT max(answer) FROM request_key)", every_answer),
        ("UPDATE ground_use SET ground_id = zeroblob(16)", some_consent),
        ("UPDATE official SET fingerprint = zeroblob(32)", some_official),
    ],
)
def test_a_moved_or_altered_field_fails_closed(
    store: Store, busy: Path, sql: str, read: Callable[[Store], None]
) -> None:
    """Associated data bind a field to table, column and record; a moved field is an error."""
    with raw(busy) as connection:
        connection.execute(sql)

    with pytest.raises(FieldDecryptionError):
        read(store)


# --- the sealer itself ------------------------------------------------------------------------

HERE = field_associated_data("person", "sealed", b"1", b"2")


@pytest.mark.parametrize(
    "elsewhere",
    [
        field_associated_data("person", "sealed", b"12"),
        field_associated_data("person", "sealed", b"2", b"1"),
        field_associated_data("person", "sealed1", b"2"),
        field_associated_data("person", "answer", b"1", b"2"),
        field_associated_data("official", "sealed", b"1", b"2"),
        b"",
    ],
)
def test_a_field_is_decrypted_only_in_its_location(keys: StoreKeys, elsewhere: bytes) -> None:
    """The parts of a location are separated by their lengths, not by their content."""
    cipher = FieldCipher(keys)
    sealed = cipher.encrypt(b"plain", HERE)

    assert cipher.decrypt(sealed, HERE) == b"plain"
    with pytest.raises(FieldDecryptionError):
        cipher.decrypt(sealed, elsewhere)


def test_every_flipped_byte_and_every_cut_is_noticed(keys: StoreKeys) -> None:
    """Format, key id, wrapped key, ciphertext and tag: only the whole is decrypted."""
    cipher = FieldCipher(keys)
    sealed = cipher.encrypt(b"plain", HERE)

    for at in range(len(sealed)):
        flipped = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(FieldDecryptionError):
            cipher.decrypt(flipped, HERE)
        with pytest.raises(FieldDecryptionError):
            cipher.decrypt(sealed[:at], HERE)


def test_equal_values_have_different_ciphertexts(keys: StoreKeys) -> None:
    """Each field has its own data key, so equal values are not visible as equal."""
    cipher = FieldCipher(keys)

    assert len({cipher.encrypt(b"plain", HERE) for _ in range(50)}) == 50


def test_blind_indexes_differ_by_kind_value_and_key(keys: StoreKeys) -> None:
    """An index of one kind is useless as another, and cannot be computed without the key."""
    cipher, other = FieldCipher(keys), FieldCipher(StoreKeys.generate())
    indexes = {
        cipher.index("pin", "1"),
        cipher.index("pin", "2"),
        cipher.index("employee", "1"),
        cipher.index("pin", "1", "2"),
        other.index("pin", "1"),
    }

    assert len(indexes) == 5
    assert cipher.index("pin", "1") == cipher.index("pin", "1")


def test_keys_are_never_printed(keys: StoreKeys) -> None:
    """docs/architecture.md, invariant 7 applies to keys first."""
    text = repr(keys) + str(keys) + repr(FieldCipher(keys))

    for key in (*keys.masters.values(), keys.index):
        assert repr(key) not in text
        assert key.hex() not in text
