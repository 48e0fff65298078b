"""Revocation by CRLs: what one may say, whose it must be, and that no doubt is ever a "no"."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from makul.trust.findings import CertificateEnd
from makul.trust.knowledge import Asked, judge_now, said_by_crls
from makul.trust.material import TrustStoreError
from makul.trust.paths import PathStatus, TrustStore
from makul.trust.revocation import SERIAL_BYTES, Entries, Entry, Statement
from support.crls import (
    UNHEARD_OF,
    Extension,
    crl_of,
    directories,
    entry,
    files_of,
    many,
    serial_of,
    status,
    under,
)
from support.pki import (
    DAY,
    NOW,
    Authority,
    Holder,
    Profile,
    StoreFiles,
    key_usage,
    name_of,
    new_key,
    new_rsa_key,
)

LONG = 50_000
"""Entries of a long CRL."""


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.root("A Root")


@pytest.fixture(scope="module")
def ca(root: Authority) -> Authority:
    return root.subordinate("A CA")


@pytest.fixture(scope="module")
def citizen(ca: Authority) -> Holder:
    return ca.issue()


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["first", "middle", "last", "absent"])
def test_long_crl(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, where: str
) -> None:
    """A nation's CRL: an entry counts wherever it stands, and nobody is revoked by neighbours."""
    serials = list(many(LONG))
    serial = citizen.certificate.serial_number
    if where != "absent":
        serials.insert({"first": 0, "middle": LONG // 2, "last": LONG}[where], serial)
    revoked = PathStatus.TRUSTED if where == "absent" else PathStatus.REVOKED

    assert under(tmp_path, root, ca, citizen, crl_of(ca, map(entry, serials))) is revoked


def revoked(*serials: int) -> Entries:
    return Entries(Entry(serial=serial, revoked_at=NOW - DAY) for serial in serials)


def test_entries() -> None:
    """Exactly those put in are in: no prefix, no neighbour, no other sign or width."""
    widest = 2 ** (8 * SERIAL_BYTES - 1) - 1
    inside = {1, 0x0100, 2**159 - 1, 2**160 - 1, widest, -1, 0}
    entries = revoked(*inside, 1)

    assert len(entries) == len(inside)
    assert all(entries.of(number) is not None for number in inside)
    outside = {number + step for number in inside - {widest} for step in (-1, 1)} - inside
    assert not any(entries.of(number) for number in outside | {0x01, 0x0100 << 8, 2} - inside)
    assert revoked().of(1) is None


ENTRIES = [
    Entry(serial=7, revoked_at=NOW),
    Entry(serial=7, revoked_at=NOW - DAY, reason="keyCompromise", invalid_since=NOW - 9 * DAY),
    Entry(serial=7, revoked_at=datetime(1951, 1, 1, tzinfo=UTC), reason="certificateHold"),
    Entry(serial=7, revoked_at=datetime(9999, 12, 31, tzinfo=UTC), reason="removeFromCRL"),
    Entry(serial=7, revoked_at=NOW, reason="aACompromise", invalid_since=NOW + DAY),
]


@pytest.mark.parametrize("one", ENTRIES)
def test_an_entry_comes_back_as_it_went_in(one: Entry) -> None:
    neighbours = [Entry(serial=serial, revoked_at=NOW) for serial in (6, 8)]

    assert Entries([*neighbours, one]).of(7) == one


def test_several_entries_of_one_serial_number() -> None:
    """Which of them is meant cannot be told: the one that harms the most counts."""
    assert Entries(ENTRIES).of(7) == ENTRIES[2]


def test_serials_too_wide() -> None:
    """RFC 5280, 4.1.2.2: a serial number that no table can hold is neither in nor out."""
    too_wide = 2 ** (8 * SERIAL_BYTES - 1)
    statement = Statement(
        this_update=NOW, next_update=NOW + DAY, revoked=revoked(1), digest=b"a digest"
    )
    asked = Asked(fingerprint=b"a certificate", serial=too_wide, not_after=NOW + DAY)

    with pytest.raises(OverflowError):
        revoked(too_wide)
    found = judge_now(asked, said_by_crls([statement], asked), at=NOW)
    assert found.end is CertificateEnd.UNKNOWN


# --- whose it is ----------------------------------------------------------------------------------


def test_same_name_and_another_key(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """RFC 5280, 6.3.3, f: an issuer is a name and a key; a namesake neither clears nor revokes."""
    namesake = root.subordinate("A CA")
    clears, revokes = crl_of(namesake), crl_of(namesake, [entry(serial_of(citizen))])

    for number, (crls, expected) in enumerate(
        [
            ([clears], PathStatus.REVOCATION_UNKNOWN),
            ([clears, crl_of(ca)], PathStatus.TRUSTED),
            ([revokes, crl_of(ca)], PathStatus.TRUSTED),
            ([clears, crl_of(ca, [entry(serial_of(citizen))])], PathStatus.REVOKED),
        ]
    ):
        files = files_of(tmp_path / str(number), root, [namesake, ca], *crls)
        assert status(TrustStore(directories(files)), citizen) is expected


def test_same_key_and_another_name(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """The same the other way round: a CRL of the CA's key under another CA's name."""
    other = root.subordinate("Another CA", key=ca.holder.key)
    files = files_of(tmp_path, root, [other, ca], crl_of(other))

    assert status(TrustStore(directories(files)), citizen) is PathStatus.REVOCATION_UNKNOWN


def test_renewed_certificate_of_the_same_ca(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """Certificates of one name and one key are one CA: its CRL counts for both."""
    renewed = root.subordinate("A CA", key=ca.holder.key)

    for number, cas in enumerate([[ca, renewed], [renewed, ca], [renewed]]):
        clear = files_of(tmp_path / f"a{number}", root, cas, crl_of(ca))
        revoked = crl_of(ca, [entry(serial_of(citizen))])
        listed = files_of(tmp_path / f"b{number}", root, cas, revoked)
        assert status(TrustStore(directories(clear)), citizen) is PathStatus.TRUSTED
        assert status(TrustStore(directories(listed)), citizen) is PathStatus.REVOKED


def test_issuer_without_crl_sign(tmp_path: Path, root: Authority) -> None:
    """RFC 5280, 6.3.3, f: a CA whose key usage lacks cRLSign makes no CRLs."""
    usage = key_usage("key_cert_sign")
    ca = Authority(root.issue(Profile(subject=name_of("A CA"), usage=usage, ca=True)))

    assert under(tmp_path, root, ca, ca.issue(), crl_of(ca)) is PathStatus.REVOCATION_UNKNOWN


@pytest.mark.parametrize("how", ["another key", "flipped bit", "added entry"])
@pytest.mark.parametrize("beside", [True, False], ids=["beside a good one", "alone"])
def test_broken_signature(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, how: str, *, beside: bool
) -> None:
    """A CRL whose signature does not verify states nothing, for good or ill, be it the newest."""
    newer = NOW - timedelta(minutes=1)
    revoking = crl_of(ca, [entry(serial_of(citizen))], this_update=newer)
    broken = {
        "another key": crl_of(ca, [entry(serial_of(citizen))], this_update=newer, key=new_key()),
        "flipped bit": revoking[:-1] + bytes([revoking[-1] ^ 1]),
        "added entry": _with_signature_of(revoking, crl_of(ca, this_update=newer)),
    }[how]
    crls = [broken, crl_of(ca)] if beside else [broken]
    expected = PathStatus.TRUSTED if beside else PathStatus.REVOCATION_UNKNOWN

    assert under(tmp_path, root, ca, citizen, *crls) is expected


def test_two_algorithms(tmp_path: Path, root: Authority) -> None:
    """RFC 5280, 5.1.1.2: the algorithm named outside the signature is named inside, too."""
    crl = _with_outer_algorithm(root.crl(), "sha512_ecdsa")

    with pytest.raises(TrustStoreError, match=r"0\.crl: .*do not match"):
        TrustStore(directories(_only(tmp_path, root, crl)))


def test_algorithms(tmp_path: Path) -> None:
    """ETSI TS 119 312, 5 to 7: PKCS #1 v1.5 and PSS with SHA-2 count, SHA-1 and SHA-224 do not."""
    root = Authority.root("An RSA Root", key=new_rsa_key())
    citizen = root.issue()
    sha1 = _signed_with_sha1(root, root.crl())
    sha256 = hashes.SHA256()
    pss = padding.PSS(padding.MGF1(sha256), sha256.digest_size)
    found = [
        status(TrustStore(directories(_only(tmp_path / str(number), root, crl))), citizen)
        for number, crl in enumerate(
            [
                crl_of(root, hash_algorithm=hashes.SHA512()),
                crl_of(root, rsa_padding=pss),
                crl_of(root, hash_algorithm=hashes.SHA224()),
                sha1,
            ]
        )
    ]

    assert found == [PathStatus.TRUSTED] * 2 + [PathStatus.REVOCATION_UNKNOWN] * 2


# --- what it says ---------------------------------------------------------------------------------


def idp(**said: Any) -> x509.IssuingDistributionPoint:
    silent = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(silent | said))


PLACE = [x509.UniformResourceIdentifier("http://ca.example/1.crl")]
POINT = x509.DistributionPoint(PLACE, None, None, None)
CANNOT_TELL: dict[str, Extension] = {
    "unknown critical": (UNHEARD_OF, True),
    "attributes only": (idp(only_contains_attribute_certs=True), True),
    "some reasons": (
        idp(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})),
        True,
    ),
    "indirect": (idp(indirect_crl=True), True),
    "a place named relatively": (
        idp(relative_name=x509.RelativeDistinguishedName(name_of("A Place").rdns[0])),
        True,
    ),
    "not critical, yet partial": (idp(only_contains_ca_certs=True), False),
    "delta": (x509.DeltaCRLIndicator(1), True),
    "has deltas": (x509.FreshestCRL([POINT]), False),
}


@pytest.mark.parametrize("extension", CANNOT_TELL.values(), ids=CANNOT_TELL)
def test_crl_that_cannot_tell(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, extension: Extension
) -> None:
    """RFC 5280, 5.2: a partial CRL, or one not understood, cannot tell; nor may an older one."""
    unclear = crl_of(ca, [], extension)
    older = crl_of(ca, this_update=NOW - DAY)

    assert under(tmp_path / "a", root, ca, citizen, unclear) is PathStatus.REVOCATION_UNKNOWN
    assert under(tmp_path / "b", root, ca, citizen, unclear, older) is PathStatus.REVOCATION_UNKNOWN


ELSEWHERE = [x509.UniformResourceIdentifier("http://ca.example/2.crl")]
SCOPES = {
    "users": (idp(only_contains_user_certs=True), True),
    "CAs": (idp(only_contains_ca_certs=True), False),
    "its place": (idp(full_name=[*ELSEWHERE, *PLACE], only_contains_user_certs=True), True),
    "another place": (idp(full_name=ELSEWHERE), False),
    "a directory": (idp(full_name=[x509.DirectoryName(name_of("A Directory"))]), False),
}


@pytest.mark.parametrize(("scope", "covered"), SCOPES.values(), ids=SCOPES)
def test_scope_of_a_partitioned_crl(
    tmp_path: Path,
    root: Authority,
    ca: Authority,
    scope: x509.IssuingDistributionPoint,
    *,
    covered: bool,
) -> None:
    """RFC 5280, 6.3.3, b, 2: a part speaks for those in its scope; for others it is not there."""
    citizen = ca.issue(Profile(extra=[(x509.CRLDistributionPoints([POINT]), False)]))
    clear, listed = (
        crl_of(ca, entries, (scope, True)) for entries in ([], [entry(serial_of(citizen))])
    )
    older = crl_of(ca, this_update=NOW - DAY)
    unknown = PathStatus.REVOCATION_UNKNOWN

    found = under(tmp_path / "a", root, ca, citizen, clear)
    assert found is (PathStatus.TRUSTED if covered else unknown)
    found = under(tmp_path / "b", root, ca, citizen, listed, older)
    assert found is (PathStatus.REVOKED if covered else PathStatus.TRUSTED)


@pytest.mark.parametrize("reasons", [None, frozenset({x509.ReasonFlags.superseded})])
def test_place_for_some_reasons(
    tmp_path: Path,
    root: Authority,
    ca: Authority,
    reasons: frozenset[x509.ReasonFlags] | None,
) -> None:
    """RFC 5280, 6.3.3, d, 4: a point for some reasons leaves the others unknown."""
    point = x509.DistributionPoint(PLACE, None, reasons, None)
    citizen = ca.issue(Profile(extra=[(x509.CRLDistributionPoints([point]), False)]))
    crl = crl_of(ca, [], (idp(full_name=PLACE), True))

    expected = PathStatus.REVOCATION_UNKNOWN if reasons else PathStatus.TRUSTED
    assert under(tmp_path, root, ca, citizen, crl) is expected


def test_a_part_of_a_cas_list_does_not_clear_a_ca(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """A list of users alone says nothing of the CA above them, and one of CAs alone does."""
    expected = {
        "only_contains_user_certs": PathStatus.REVOCATION_UNKNOWN,
        "only_contains_ca_certs": PathStatus.TRUSTED,
    }
    for only, status_due in expected.items():
        partial = crl_of(root, [], (idp(**{only: True}), True))
        files = StoreFiles(tmp_path / only).write(
            anchors=[root], intermediates=[ca], crls=[partial, crl_of(ca)]
        )
        assert status(TrustStore(directories(files)), ca.issue()) is status_due


@pytest.mark.parametrize(
    "extension",
    [
        (UNHEARD_OF, False),
        (x509.CRLNumber(7), True),
        (x509.AuthorityInformationAccess([]), False),
        (x509.IssuerAlternativeName(PLACE), True),
    ],
    ids=["unknown", "number", "access", "other name"],
)
def test_harmless_extension(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, extension: Extension
) -> None:
    """RFC 5280, 5.2: what is not critical, or changes nothing of a CRL's scope, stops nobody."""
    clear = crl_of(ca, [], extension)
    listed = crl_of(ca, [entry(serial_of(citizen))], extension)

    assert under(tmp_path / "a", root, ca, citizen, clear) is PathStatus.TRUSTED
    assert under(tmp_path / "b", root, ca, citizen, listed) is PathStatus.REVOKED


@pytest.mark.parametrize(
    "extension",
    [
        (UNHEARD_OF, True),
        (x509.CertificateIssuer([x509.DirectoryName(name_of("Another CA"))]), True),
        (x509.CertificateIssuer([x509.DirectoryName(name_of("Another CA"))]), False),
    ],
    ids=["unknown critical", "another issuer", "another issuer, not critical"],
)
def test_entry_that_cannot_be_read(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, extension: Extension
) -> None:
    """RFC 5280, 5.3: one entry not understood bars the CRL for everybody, wherever it stands."""
    strange = entry(7, extension)

    for number, entries in enumerate([[strange], [entry(5), strange], [strange, entry(5)]]):
        found = under(tmp_path / str(number), root, ca, citizen, crl_of(ca, entries))
        assert found is PathStatus.REVOCATION_UNKNOWN


@pytest.mark.parametrize(
    "extension",
    [
        (x509.CRLReason(x509.ReasonFlags.certificate_hold), False),
        (x509.CRLReason(x509.ReasonFlags.remove_from_crl), False),
        (x509.CRLReason(x509.ReasonFlags.key_compromise), True),
        (x509.InvalidityDate(NOW + DAY), False),
        (UNHEARD_OF, False),
    ],
    ids=["hold", "removal", "critical reason", "invalid from tomorrow", "unknown"],
)
def test_every_entry_revokes(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, extension: Extension
) -> None:
    """An entry is an entry: a removal belongs in a delta CRL (RFC 5280, 5.3.1)."""
    crl = crl_of(ca, [entry(serial_of(citizen), extension, at=NOW + DAY)])

    assert under(tmp_path, root, ca, citizen, crl) is PathStatus.REVOKED


def test_certificate_with_another_crl_issuer(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """RFC 5280, 6.3.3, b, 1: whose CRLs another makes is in no list of its own CA."""
    point = x509.DistributionPoint(None, None, None, [x509.DirectoryName(name_of("Another CA"))])
    elsewhere = ca.issue(Profile(extra=[(x509.CRLDistributionPoints([point]), False)]))
    usual = ca.issue(Profile(extra=[(x509.CRLDistributionPoints([POINT]), False)]))

    assert under(tmp_path / "a", root, ca, elsewhere, crl_of(ca)) is PathStatus.REVOCATION_UNKNOWN
    assert under(tmp_path / "b", root, ca, usual, crl_of(ca)) is PathStatus.TRUSTED


def test_the_anchor_itself(tmp_path: Path, root: Authority) -> None:
    """Whoever presents an anchor's name and key has shown no certificate that anybody issued."""
    namesake = root.issue(Profile(subject=root.certificate.subject))
    same_key = root.issue(Profile(subject=root.certificate.subject), key=root.holder.key)
    store = TrustStore(directories(files_of(tmp_path, root, [])))

    for holder in (root.holder, same_key):
        assert status(store, holder) is PathStatus.UNKNOWN_ISSUER
    assert status(store, namesake) is PathStatus.TRUSTED


# --- helpers --------------------------------------------------------------------------------------


def _only(path: Path, root: Authority, crl: bytes) -> StoreFiles:
    return StoreFiles(path).write(anchors=[root], crls=[crl])


def _with_signature_of(content: bytes, signature: bytes) -> bytes:
    raw: Any = asn1_crl.CertificateList.load(content)
    raw["signature"] = asn1_crl.CertificateList.load(signature)["signature"].native
    return raw.dump(force=True)


def _with_outer_algorithm(content: bytes, algorithm: str) -> bytes:
    raw: Any = asn1_crl.CertificateList.load(content)
    raw["signature_algorithm"] = {"algorithm": algorithm}
    return raw.dump(force=True)


def _signed_with_sha1(ca: Authority, content: bytes) -> bytes:
    raw: Any = asn1_crl.CertificateList.load(content)
    algorithm = {"algorithm": "sha1_rsa", "parameters": asn1_x509.Null()}
    raw["tbs_cert_list"]["signature"] = algorithm
    raw["signature_algorithm"] = algorithm
    octets = raw["tbs_cert_list"].dump(force=True)
    raw["signature"] = ca.holder.key.sign(octets, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    return raw.dump(force=True)
