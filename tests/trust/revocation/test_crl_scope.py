"""The scope of CRLs: which certificates one covers, and that no doubt is ever "not revoked"."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from makul.trust.pki.trust_store import PathStatus, TrustStore
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Profile, StoreFiles, name_of
from makul_testing.pki.crls import (
    UNHEARD_OF,
    Extension,
    crl_of,
    directories,
    entry,
    serial_of,
    status,
    under,
)


def idp(**fields: Any) -> x509.IssuingDistributionPoint:
    silent = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(silent | fields))


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
def test_unsupported_crl_gives_no_answer(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, extension: Extension
) -> None:
    """RFC 5280, 5.2: a partial or unsupported CRL gives no answer, and an older CRL does not
    replace it.
    """
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
def test_partitioned_crl_covers_its_scope(
    tmp_path: Path,
    root: Authority,
    ca: Authority,
    scope: x509.IssuingDistributionPoint,
    *,
    covered: bool,
) -> None:
    """RFC 5280, 6.3.3, b, 2: a partial CRL covers certificates in its scope and no others."""
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
def test_distribution_point_for_some_reasons_is_not_enough(
    tmp_path: Path,
    root: Authority,
    ca: Authority,
    reasons: frozenset[x509.ReasonFlags] | None,
) -> None:
    """RFC 5280, 6.3.3, d, 4: a distribution point for some reasons leaves the others unknown."""
    point = x509.DistributionPoint(PLACE, None, reasons, None)
    citizen = ca.issue(Profile(extra=[(x509.CRLDistributionPoints([point]), False)]))
    crl = crl_of(ca, [], (idp(full_name=PLACE), True))

    expected = PathStatus.REVOCATION_UNKNOWN if reasons else PathStatus.TRUSTED
    assert under(tmp_path, root, ca, citizen, crl) is expected


def test_a_part_of_a_cas_list_does_not_clear_a_ca(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """A list of users does not cover the CA above them, and a list of CAs does."""
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
def test_harmless_extension_is_accepted(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, extension: Extension
) -> None:
    """RFC 5280, 5.2: a non-critical extension that does not change the scope is accepted."""
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
def test_unreadable_entry_makes_the_crl_unusable(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, extension: Extension
) -> None:
    """RFC 5280, 5.3: one unreadable entry makes the CRL unusable for all certificates."""
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
    """RFC 5280, 5.3.1: a removal belongs in a delta CRL, so every entry revokes."""
    crl = crl_of(ca, [entry(serial_of(citizen), extension, at=NOW + DAY)])

    assert under(tmp_path, root, ca, citizen, crl) is PathStatus.REVOKED


def test_own_list_does_not_cover_another_crl_issuer(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """RFC 5280, 6.3.3, b, 1: if another CA makes the CRLs, the issuer's own list says nothing."""
    point = x509.DistributionPoint(None, None, None, [x509.DirectoryName(name_of("Another CA"))])
    elsewhere = ca.issue(Profile(extra=[(x509.CRLDistributionPoints([point]), False)]))
    usual = ca.issue(Profile(extra=[(x509.CRLDistributionPoints([POINT]), False)]))

    assert under(tmp_path / "a", root, ca, elsewhere, crl_of(ca)) is PathStatus.REVOCATION_UNKNOWN
    assert under(tmp_path / "b", root, ca, usual, crl_of(ca)) is PathStatus.TRUSTED
