"""The algorithm policy is a table with dates, which is applied at the best signature time."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from makul.domain.reasons import Code
from makul.trust.base import algorithms
from makul.trust.base.algorithms import POLICY, Term, require_in_force, term_of_key
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import Indication, SubIndication
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import Profile as CertificateQuery
from makul.trust.validation.documents import XadesVerifier
from makul_testing.builders.xades import Forge, instant
from makul_testing.pki.authorities import DAY, NOW, Authority, StoreFiles, new_key, new_rsa_key
from makul_testing.pki.crls import directories

MOMENT = timedelta(microseconds=1)
ENDING = [term for term in POLICY if term.until is not None and not term.obsolete]
OBSOLETE = [term for term in POLICY if term.obsolete]


@pytest.mark.parametrize("term", ENDING, ids=lambda term: term.name)
def test_term_of_an_algorithm_is_half_open(term: Term) -> None:
    """ETSI EN 319 102-1, 5.2.8.4.3: an algorithm is accepted from its first instant until before
    its last.
    """
    assert term.until is not None
    assert [
        term.holds(at) for at in (term.since - MOMENT, term.since, term.until - MOMENT, term.until)
    ] == [False, True, True, False]


@pytest.mark.parametrize("term", OBSOLETE, ids=lambda term: term.name)
def test_obsolete_algorithms_are_never_accepted(term: Term) -> None:
    """SHA-1, MD5, DSA and short RSA are in the table only to explain a failure."""
    assert term.until is not None
    assert not term.holds(term.since)
    assert not term.holds(term.until - MOMENT)


def test_every_row_names_its_source() -> None:
    """Each date of the policy cites a published source."""
    assert all(term.source and term.name for term in POLICY)
    assert len({term.name for term in POLICY}) == len(POLICY)


@pytest.mark.parametrize(
    ("bits", "term"),
    [(1024, algorithms.SHORT_RSA), (2048, algorithms.RSA_2048), (3072, algorithms.RSA_3072)],
)
def test_rsa_ends_by_its_size(bits: int, term: Term) -> None:
    """ETSI TS 119 312, 6.2.2.1, and NIST SP 800-57 Part 1, table 2, give the end of each
    RSA size.
    """
    assert term_of_key(new_rsa_key(bits).public_key()) is term


def test_unlisted_keys_are_refused() -> None:
    """A curve that is not listed has no row, and DSA has a row that states its end."""
    assert term_of_key(ec.generate_private_key(ec.SECP256K1()).public_key()) is None
    assert term_of_key(dsa.generate_private_key(2048).public_key()) is algorithms.DSA
    assert term_of_key(b"a secret") is None


def test_rsa_2048_counts_until_the_end_of_2030() -> None:
    """RSA of 2048 bits counts until the last moment of 2030, and not from the first of 2031."""
    key = new_rsa_key().public_key()
    end = algorithms.RSA_2048.until
    assert end is not None
    method, digests = SignatureMethod.RSA_SHA256, [DigestAlgorithm.SHA256]

    require_in_force(key, method, digests, at=end - MOMENT)
    with pytest.raises(SignatureFailure) as failed:
        require_in_force(key, method, digests, at=end)

    assert failed.value.code is Code.SIG_04
    assert failed.value.sub is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    require_in_force(new_key().public_key(), SignatureMethod.ECDSA_SHA256, digests, at=end)


def test_ended_algorithm_needs_proof_of_existence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An algorithm that ended later needs proof that the signature existed before its end."""
    ended = Term(name="P-256", since=NOW - 900 * DAY, until=NOW - DAY, source="a test")
    monkeypatch.setitem(algorithms._CURVES, ec.SECP256R1.name, ended)
    root = Authority.root("A Root")
    then = NOW - 10 * DAY
    early = root.crl(this_update=then - DAY, next_update=then + DAY)
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[early, root.crl()])
    verifier = XadesVerifier(TrustStore(directories(files)))
    document = Forge(holder=root.issue(), signing_time=instant(then)).signed()

    found = {
        existed_at: verifier.validate(
            document, CertificateQuery(name="generic"), at=NOW, existed_at=existed_at
        ).report
        for existed_at in (None, NOW - DAY, then)
    }

    assert found[then].indication is Indication.PASSED
    for existed_at in (None, NOW - DAY):
        assert found[existed_at].code is Code.SIG_04
        assert found[existed_at].sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
