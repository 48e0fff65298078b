"""Revocation by CRLs: which CA must sign one, and that no doubt is ever "not revoked"."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from makul.trust.pki.trust_material import TrustStoreError
from makul.trust.pki.trust_store import PathStatus, TrustStore
from makul_testing.pki.authorities import (
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
from makul_testing.pki.crls import crl_of, directories, entry, files_of, serial_of, status, under


def test_crl_by_another_key_of_the_same_name_is_ignored(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """RFC 5280, 6.3.3, f: an issuer is a name and a key; a CA with the same name affects
    nothing.
    """
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


def test_crl_of_another_name_with_the_same_key_is_ignored(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """A CRL by the CA's key under another CA's name affects nothing either."""
    other = root.subordinate("Another CA", key=ca.holder.key)
    files = files_of(tmp_path, root, [other, ca], crl_of(other))

    assert status(TrustStore(directories(files)), citizen) is PathStatus.REVOCATION_UNKNOWN


def test_crl_counts_for_a_renewed_certificate_of_the_ca(
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


def test_issuer_without_crl_sign_makes_no_crls(tmp_path: Path, root: Authority) -> None:
    """RFC 5280, 6.3.3, f: a CA whose key usage lacks cRLSign makes no CRLs."""
    usage = key_usage("key_cert_sign")
    ca = Authority(root.issue(Profile(subject=name_of("A CA"), usage=usage, ca=True)))

    assert under(tmp_path, root, ca, ca.issue(), crl_of(ca)) is PathStatus.REVOCATION_UNKNOWN


@pytest.mark.parametrize("how", ["another key", "flipped bit", "added entry"])
@pytest.mark.parametrize("beside", [True, False], ids=["beside a good one", "alone"])
def test_crl_with_a_broken_signature_is_ignored(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, how: str, *, beside: bool
) -> None:
    """A CRL whose signature does not verify states nothing, even if it is the newest."""
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


def test_both_algorithm_fields_must_agree(tmp_path: Path, root: Authority) -> None:
    """RFC 5280, 5.1.1.2: the algorithm named outside the signature is named inside, too."""
    crl = _with_outer_algorithm(root.crl(), "sha512_ecdsa")

    with pytest.raises(TrustStoreError, match=r"0\.crl: .*do not match"):
        TrustStore(directories(_only(tmp_path, root, crl)))


def test_weak_algorithms_are_refused(tmp_path: Path) -> None:
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


def test_the_anchor_itself_is_no_end_entity(tmp_path: Path, root: Authority) -> None:
    """A peer that presents an anchor's name and key has shown no issued certificate."""
    namesake = root.issue(Profile(subject=root.certificate.subject))
    same_key = root.issue(Profile(subject=root.certificate.subject), key=root.holder.key)
    store = TrustStore(directories(files_of(tmp_path, root, [])))

    for holder in (root.holder, same_key):
        assert status(store, holder) is PathStatus.UNKNOWN_ISSUER
    assert status(store, namesake) is PathStatus.TRUSTED


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
