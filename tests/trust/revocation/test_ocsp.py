"""OCSP responses: who may sign them, how long they count, and how they combine with CRLs."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from makul.domain.reasons import Code
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.trust_material import TrustStoreError
from makul.trust.pki.trust_store import PathStatus, TrustStore
from makul.trust.revocation.ocsp import WITHOUT_NEXT_UPDATE
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Profile
from makul_testing.pki.crls import (
    UNHEARD_OF,
    crl_of,
    directories,
    entry,
    files_of,
    serial_of,
    status,
)
from makul_testing.pki.ocsp import GOOD, REVOKED, UNKNOWN, responder_of, response_of

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NO_CHECK = (x509.OCSPNoCheck(), False)


class Under:
    """A store with these responses and CRLs, which judges one holder."""

    def __init__(self, path: Path, root: Authority, ca: Authority) -> None:
        self.path, self.root, self.ca, self.count = path, root, ca, 0

    def store(self, *responses: bytes, crls: tuple[bytes, ...] = ()) -> TrustStore:
        self.count += 1
        place = self.path / str(self.count)
        files = files_of(place, self.root, [self.ca], *crls)
        (place / "ocsp").mkdir()
        for number, response in enumerate(responses):
            (place / "ocsp" / f"{number}.ors").write_bytes(response)
        return TrustStore(replace(directories(files), ocsp=place / "ocsp"))

    def __call__(self, holder: Holder, *responses: bytes, **more: Any) -> PathStatus:
        return status(self.store(*responses, **more), holder)


@pytest.fixture
def under(tmp_path: Path, root: Authority, ca: Authority) -> Under:
    return Under(tmp_path, root, ca)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (GOOD, PathStatus.TRUSTED),
        (REVOKED, PathStatus.REVOKED),
        (UNKNOWN, PathStatus.REVOCATION_UNKNOWN),
    ],
)
def test_unknown_status_is_never_good(
    under: Under, ca: Authority, citizen: Holder, end: ocsp.OCSPCertStatus, expected: PathStatus
) -> None:
    """RFC 6960, 2.2: a status is good, revoked or unknown, and unknown is never good."""
    assert under(citizen, response_of(ca, citizen, status=end)) is expected


@pytest.mark.parametrize("id_hash", [None, hashes.SHA256()], ids=["SHA-1", "SHA-256"])
@pytest.mark.parametrize("by_name", [True, False])
def test_issuers_and_responders_are_matched(
    under: Under,
    ca: Authority,
    citizen: Holder,
    id_hash: hashes.HashAlgorithm | None,
    *,
    by_name: bool,
) -> None:
    """RFC 6960, 4.1.1 and 4.2.1: either hash names the issuer, and name or key the responder."""
    response = response_of(ca, citizen, id_hash=id_hash, by_name=by_name)

    assert under(citizen, response) is PathStatus.TRUSTED
    assert under(ca.issue(), response) is PathStatus.REVOCATION_UNKNOWN


def test_only_authorised_responders_answer(
    under: Under, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """RFC 6960, 4.2.2.2: the CA may answer, or a responder that this CA certified for it."""
    stranger = Authority.root("A Stranger").subordinate("A CA")
    unknown = PathStatus.REVOCATION_UNKNOWN
    for response, expected in (
        (response_of(ca, citizen, by=responder_of(ca, NO_CHECK)), PathStatus.TRUSTED),
        (response_of(ca, citizen, by=responder_of(ca, NO_CHECK, purpose=False)), unknown),
        (response_of(ca, citizen, by=responder_of(root, NO_CHECK)), unknown),
        (response_of(ca, citizen, by=responder_of(stranger, NO_CHECK)), unknown),
        (response_of(ca, citizen, by=root.holder), unknown),
        (response_of(ca, citizen, by=citizen), unknown),
        (response_of(stranger, citizen), unknown),
        (response_of(ca, citizen, issuer=stranger.certificate), unknown),
        (_flipped(response_of(ca, citizen)), unknown),
    ):
        assert under(citizen, response) is expected


def test_responder_without_nocheck_needs_a_crl(
    under: Under, ca: Authority, citizen: Holder
) -> None:
    """RFC 6960, 4.2.2.2.1: without `nocheck` the CA's CRL must clear the responder."""
    responder = responder_of(ca)
    other = ca.issue()
    point = x509.IssuingDistributionPoint(
        [x509.UniformResourceIdentifier("http://ca.example/1.crl")],
        None,
        False,
        False,
        None,
        False,
        False,
    )
    response = response_of(ca, citizen, by=responder, this_update=NOW - SECOND)
    clear, listed = crl_of(ca), crl_of(ca, [entry(serial_of(responder))])
    stale = crl_of(ca, next_update=NOW - SECOND)

    assert under(citizen, response) is PathStatus.REVOCATION_UNKNOWN
    assert under(citizen, response, crls=(stale,)) is PathStatus.REVOCATION_UNKNOWN
    assert under(citizen, response, crls=(clear,)) is PathStatus.TRUSTED
    assert under(citizen, response, crls=(listed,)) is PathStatus.TRUSTED, "by the CRL itself"
    revoking = response_of(ca, citizen, by=responder, status=REVOKED)
    assert under(citizen, revoking) is PathStatus.REVOKED
    assert under(other, revoking, crls=(clear,)) is PathStatus.TRUSTED
    assert under(citizen, response, crls=(crl_of(ca, [], (point, True)),)) is (
        PathStatus.REVOCATION_UNKNOWN
    )


def test_responder_out_of_term_is_ignored(under: Under, ca: Authority, citizen: Holder) -> None:
    """A responder answers only within its own term, and its answers end with it."""
    ended = ca.issue(
        Profile(
            not_after=NOW - HOUR,
            extra=[
                (x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.9")]), False),
                NO_CHECK,
            ],
        )
    )
    afterwards = response_of(ca, citizen, by=ended, this_update=NOW - SECOND)
    before = response_of(ca, citizen, by=ended, this_update=NOW - 2 * HOUR)

    assert under(citizen, afterwards) is PathStatus.REVOCATION_UNKNOWN
    assert under(citizen, before) is PathStatus.REVOCATION_UNKNOWN


def test_answer_has_a_term(under: Under, ca: Authority, citizen: Holder) -> None:
    """RFC 6960, 4.2.2.1: an answer counts from thisUpdate to nextUpdate, or for a stated time."""
    bounded = under.store(response_of(ca, citizen, this_update=NOW, next_update=NOW + HOUR))
    open_ended = under.store(response_of(ca, citizen, this_update=NOW, next_update=None))

    for store, ends in ((bounded, NOW + HOUR), (open_ended, NOW + WITHOUT_NEXT_UPDATE)):
        for at, good in (
            (NOW - SECOND, False),
            (NOW, True),
            (ends - SECOND, True),
            (ends, False),
        ):
            found = status(store, citizen, at=at)
            assert found is (PathStatus.TRUSTED if good else PathStatus.REVOCATION_UNKNOWN)


def test_unknown_critical_extension_gives_no_status(
    under: Under, ca: Authority, citizen: Holder
) -> None:
    """RFC 6960, 4.4: an answer with an unknown critical extension gives no status."""
    assert under(citizen, response_of(ca, citizen, (UNHEARD_OF, False))) is PathStatus.TRUSTED
    response = response_of(ca, citizen, (UNHEARD_OF, True))
    assert under(citizen, response) is PathStatus.REVOCATION_UNKNOWN


def test_weak_signature_is_refused(under: Under, root: Authority, tmp_path: Path) -> None:
    """A signature with SHA-224 is refused, although SHA-1 may name an issuer."""
    citizen = under.ca.issue()
    response = response_of(under.ca, citizen, hash_algorithm=hashes.SHA224())

    assert under(citizen, response) is PathStatus.REVOCATION_UNKNOWN


@pytest.mark.parametrize("what", ["refusal", "junk"])
def test_unusable_file_is_reported(under: Under, what: str) -> None:
    """The operator's message names the file, and nothing is trusted meanwhile."""
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    junk = {"refusal": refusal.public_bytes(Encoding.DER), "junk": b"?"}

    with pytest.raises(TrustStoreError, match=r"0\.ors: cannot be used"):
        under.store(junk[what])


def test_ocsp_and_crl_are_combined(under: Under, ca: Authority, citizen: Holder) -> None:
    """The newer statement counts, and a permanent revocation by either counts."""
    newer = response_of(ca, citizen, this_update=NOW - SECOND)
    listed = (crl_of(ca, [entry(serial_of(citizen))]),)
    held = (
        crl_of(
            ca,
            [
                entry(
                    serial_of(citizen),
                    (x509.CRLReason(x509.ReasonFlags.certificate_hold), False),
                )
            ],
        ),
    )
    revoking = response_of(ca, citizen, status=REVOKED, this_update=NOW - SECOND)

    assert under(citizen, newer, crls=listed) is PathStatus.REVOKED
    assert under(citizen, newer, crls=held) is PathStatus.TRUSTED
    assert under(citizen, revoking, crls=(crl_of(ca),)) is PathStatus.REVOKED


def test_verdict_ends_with_the_responders_status(
    under: Under, ca: Authority, citizen: Holder
) -> None:
    """A verdict ends with everything behind it, also with the CRL that covered the responder."""
    responder = responder_of(ca)
    response = response_of(
        ca, citizen, by=responder, this_update=NOW - SECOND, next_update=NOW + 9 * DAY
    )
    store = under.store(response, crls=(crl_of(ca, next_update=NOW + HOUR),))

    assert status(store, citizen) is PathStatus.TRUSTED
    assert status(store, citizen, at=NOW + HOUR) is PathStatus.REVOCATION_UNKNOWN


def test_ocsp_revocation_is_judged_for_the_past(
    under: Under, ca: Authority, citizen: Holder
) -> None:
    """A revocation by OCSP is judged for a past moment like one by a CRL."""
    signed = NOW - 10 * DAY
    compromised = x509.ReasonFlags.key_compromise
    later = response_of(ca, citizen, status=REVOKED, revoked_at=signed + DAY, reason=compromised)
    store = under.store(later)

    found = store.judge(read_certificate(citizen.der), at=NOW, existed_at=signed)
    assert (found.code, found.revocation[0].source) == (None, "OCSP")
    assert found.revocation[0].reason == "keyCompromise"
    found = store.judge(read_certificate(citizen.der), at=NOW, existed_at=signed + DAY)
    assert found.code is Code.SIG_06


def _flipped(response: bytes) -> bytes:
    """Return the response with another signature, which is its last field."""
    return response[:-1] + bytes([response[-1] ^ 1])


@pytest.mark.parametrize(
    "known",
    [b"\x06\x05\x2b\x0e\x03\x02\x1a", b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"],
    ids=["the CertID's SHA-1", "ECDSA with SHA-256"],
)
def test_unknown_algorithm_is_refused_at_load(
    under: Under, ca: Authority, citizen: Holder, known: bytes
) -> None:
    """The response is refused when it is loaded; a finding of the fuzzer, which stopped the
    service.
    """
    response = response_of(ca, citizen)
    assert known in response

    with pytest.raises(TrustStoreError, match="algorithm"):
        under.store(response.replace(known, known[:-1] + b"\x7f"))
