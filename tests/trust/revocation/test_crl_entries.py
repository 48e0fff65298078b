"""The entries of a CRL in memory are exactly the entries of the file, for any number."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from makul.trust.base.findings import RevocationStatus
from makul.trust.pki.trust_store import PathStatus
from makul.trust.revocation.crl import SERIAL_BYTES, CrlEntry, Entries, Statement
from makul.trust.revocation.status import CertificateQuery, assertions_of_crls, status_now
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder
from makul_testing.pki.crls import crl_of, entry, many, under

LONG = 50_000
"""The number of entries of a long CRL."""


@pytest.mark.parametrize("where", ["first", "middle", "last", "absent"])
def test_long_crl_revokes_only_its_entries(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, where: str
) -> None:
    """An entry in the CRL of a whole nation counts at any position, and its neighbours are not
    revoked.
    """
    serials = list(many(LONG))
    serial = citizen.certificate.serial_number
    if where != "absent":
        serials.insert({"first": 0, "middle": LONG // 2, "last": LONG}[where], serial)
    revoked = PathStatus.TRUSTED if where == "absent" else PathStatus.REVOKED

    assert under(tmp_path, root, ca, citizen, crl_of(ca, map(entry, serials))) is revoked


def build_entries(*serials: int) -> Entries:
    return Entries(CrlEntry(serial=serial, revoked_at=NOW - DAY) for serial in serials)


def test_only_entries_of_the_file_are_found() -> None:
    """Only entries of the file are found: no prefix, no neighbour, no other sign or width."""
    widest = 2 ** (8 * SERIAL_BYTES - 1) - 1
    inside = {1, 0x0100, 2**159 - 1, 2**160 - 1, widest, -1, 0}
    entries = build_entries(*inside, 1)

    assert len(entries) == len(inside)
    assert all(entries.of(number) is not None for number in inside)
    outside = {number + step for number in inside - {widest} for step in (-1, 1)} - inside
    assert not any(entries.of(number) for number in outside | {0x01, 0x0100 << 8, 2} - inside)
    assert build_entries().of(1) is None


ENTRIES = [
    CrlEntry(serial=7, revoked_at=NOW),
    CrlEntry(serial=7, revoked_at=NOW - DAY, reason="keyCompromise", invalid_since=NOW - 9 * DAY),
    CrlEntry(serial=7, revoked_at=datetime(1951, 1, 1, tzinfo=UTC), reason="certificateHold"),
    CrlEntry(serial=7, revoked_at=datetime(9999, 12, 31, tzinfo=UTC), reason="removeFromCRL"),
    CrlEntry(serial=7, revoked_at=NOW, reason="aACompromise", invalid_since=NOW + DAY),
]


@pytest.mark.parametrize("one", ENTRIES)
def test_an_entry_is_returned_unchanged(one: CrlEntry) -> None:
    neighbours = [CrlEntry(serial=serial, revoked_at=NOW) for serial in (6, 8)]

    assert Entries([*neighbours, one]).of(7) == one


def test_worst_entry_of_a_serial_number_counts() -> None:
    """If a serial number has several entries, the one that revokes most counts."""
    assert Entries(ENTRIES).of(7) == ENTRIES[2]


def test_too_wide_serial_number_is_undetermined() -> None:
    """RFC 5280, 4.1.2.2: a serial number that is too wide for the table is neither listed nor
    absent.
    """
    too_wide = 2 ** (8 * SERIAL_BYTES - 1)
    statement = Statement(
        this_update=NOW, next_update=NOW + DAY, revoked=build_entries(1), digest=b"a digest"
    )
    query = CertificateQuery(fingerprint=b"a certificate", serial=too_wide, not_after=NOW + DAY)

    with pytest.raises(OverflowError):
        build_entries(too_wide)
    found = status_now(query, assertions_of_crls([statement], query), at=NOW)
    assert found.end is RevocationStatus.UNKNOWN
