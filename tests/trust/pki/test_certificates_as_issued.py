"""Certificates as real authorities issue them each get a verdict and cause no error.

Some names break their string type, some keys are foreign, and some serial numbers are too long.
"""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import pem
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.net.certificate_der import load_certificate, load_crl, signed_part
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import Use, read_certificate
from makul.trust.pki.trust_material import TrustStoreError
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import XadesVerifier
from makul.trust.wsse.verification import WsseVerifier
from makul_testing import altered_records as altered
from makul_testing.altered_records import retagged, with_key_algorithm, with_serial
from makul_testing.builders.wsse import Message
from makul_testing.builders.wsse import code_of as message_code
from makul_testing.builders.xades import Forge
from makul_testing.paths import VECTORS
from makul_testing.pki.authorities import (
    NOW,
    PIN,
    Authority,
    Profile,
    StoreFiles,
    name_of,
    new_rsa_key,
)
from makul_testing.pki.crls import directories

VECTORS = VECTORS / "trust" / "foreign"

PRINTABLE, TELETEX, IA5 = 0x13, 0x14, 0x16
NAME = "Bank & Co_info@bank.kg"
STRINGS = [
    pytest.param(retagged(NAME, PRINTABLE), NAME, id="printable"),
    pytest.param(retagged(NAME, IA5), NAME, id="ia5"),
    pytest.param(
        retagged(NAME, TELETEX, became=NAME.replace("&", "\xe9").encode("latin-1")),
        NAME.replace("&", "\xe9"),
        id="latin-1 in teletex",
    ),
    pytest.param(
        retagged(NAME, PRINTABLE, became="Мамыр Ба_@x1.kg".encode()[:22]),
        None,
        id="utf-8 in printable",
    ),
]


def subject_named(name: str = NAME) -> Profile:
    return Profile(subject=name_of(name, f"PNOKG-{PIN}"))


@pytest.mark.parametrize(("change", "name"), STRINGS)
def test_a_citizen_whose_name_breaks_its_string_type_is_judged(
    documents: XadesVerifier,
    messages: WsseVerifier,
    world,
    change: altered.Change,
    name: str | None,
) -> None:
    """X.680, 41.4: other software reads such a name, so the signature is judged like any other."""
    holder = altered.issue_altered(world.ca, change, world.ca.issue(subject_named()))

    proof = documents.verify(Forge(holder=holder).signed(), at=NOW).proof

    assert (proof.status, proof.reasons) == (ProofStatus.PASSED, ())
    assert proof.signer is not None
    assert proof.signer.pin is not None
    assert proof.signer.pin.digits == PIN
    assert proof.signer.fingerprint == read_certificate(holder.der).fingerprint
    messages.verify(Message(holder=holder).signed(), at=NOW)
    (shown,) = holder.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert name is None or shown.value == name


@pytest.mark.parametrize(("change", "name"), STRINGS)
def test_an_authority_whose_name_breaks_its_string_type_is_judged(
    tmp_path: Path, change: altered.Change, name: str | None
) -> None:
    """The authority's certificate, its CRL and the certificates under it all have the name."""
    del name
    root = Authority.root("A Root")
    ca = root.subordinate(NAME)
    citizen = ca.issue()
    der = altered.certificate(ca.holder.der, root.holder.key, change)
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[root.crl()])
    (files.intermediates / "ca.crt").write_bytes(der)
    (files.crls / "ca.crl").write_bytes(altered.crl(ca.crl(), ca.holder.key, change))
    holder = altered.issue_altered(ca, change, citizen)
    verifier = XadesVerifier(TrustStore(directories(files)))

    passed = verifier.verify(Forge(holder=holder).signed(), at=NOW).proof
    ca.revoke(citizen)
    (files.crls / "ca.crl").write_bytes(altered.crl(ca.crl(), ca.holder.key, change))
    revoked = XadesVerifier(TrustStore(directories(files))).verify(
        Forge(holder=holder).signed(), at=NOW
    )

    assert (passed.status, passed.reasons) == (ProofStatus.PASSED, ())
    assert revoked.proof.reasons == (Code.SIG_06,)


def test_a_crl_of_an_imitation_with_such_a_name_states_nothing(tmp_path: Path) -> None:
    """RFC 5280, 6.3.3, g: the signature over the received bytes decides who issued a CRL."""
    change = retagged(NAME, PRINTABLE)
    root = Authority.root("A Root")
    ca, other = root.subordinate(NAME), root.subordinate(NAME)
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[root.crl()])
    (files.intermediates / "ca.crt").write_bytes(
        altered.certificate(ca.holder.der, root.holder.key, change)
    )
    (files.crls / "ca.crl").write_bytes(altered.crl(ca.crl(), other.holder.key, change))
    holder = altered.issue_altered(ca, change)

    proof = XadesVerifier(TrustStore(directories(files))).verify(
        Forge(holder=holder).signed(), at=NOW
    )

    assert proof.proof.reasons == (Code.SIG_07,)


def test_readable_certificate_is_not_copied(world) -> None:
    """A certificate that `cryptography` reads keeps its own bytes."""
    der = world.citizen.der

    assert load_certificate(der).public_bytes(Encoding.DER) == der
    assert load_certificate(der).fingerprint(hashes.SHA256()) == world.citizen.fingerprint
    assert signed_part(der) == load_certificate(der).tbs_certificate_bytes
    assert load_crl(world.ca.crl()).issuer == world.ca.certificate.subject


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 10, 40, 200, 300])
def test_bytes_that_are_no_certificate_are_refused(world, cut: int) -> None:
    """Only DER is copied and corrected."""
    good = world.ca.issue(subject_named())
    odd = altered.issue_altered(world.ca, retagged(NAME, PRINTABLE), good).der

    for octets in (odd[:cut], odd + b"\0", odd[: cut + 1] + b"\xff\xff" + odd[cut + 3 :]):
        with suppress(SignatureFailure):
            assert read_certificate(octets).der == octets


# --- keys of foreign algorithms ---------------------------------------------------------------

GOST_2001 = "1.2.643.2.2.19.4"
ED25519_LIKE = "1.2.643.7.1.1.1"


def pem_of(name: str) -> bytes:
    _, _, der = pem.unarmor((VECTORS / name).read_bytes())
    return der


def test_a_real_gost_certificate_is_refused_by_its_algorithm() -> None:
    """SIG-04: the file is a certificate, but its algorithm is not accepted."""
    with pytest.raises(SignatureFailure) as caught:
        read_certificate(pem_of("gost-2012.pem"))

    assert caught.value.code is Code.SIG_04
    assert "algorithm" in caught.value.why


def test_a_real_certificate_with_a_wrong_printable_string_is_read() -> None:
    """Certificates as large authorities write them are read like any other."""
    certificate = read_certificate(pem_of("printable-string.pem"))

    assert NAME in certificate.x509.subject.rfc4514_string()
    assert certificate.x509.not_valid_after_utc > datetime(2029, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("algorithm", [GOST_2001[:-2] + ".9", ED25519_LIKE])
def test_a_key_of_an_unsupported_algorithm_is_refused(
    documents: XadesVerifier, messages: WsseVerifier, world, algorithm: str
) -> None:
    """SIG-04 for documents and messages, and never an error of the service."""
    good = world.ca.issue()
    der = altered.certificate(good.der, world.ca.holder.key, with_key_algorithm(algorithm))
    holder = altered.AlteredHolder(good.key, good.certificate, good.issuers, der)

    verified = documents.verify(Forge(holder=holder).signed(), at=NOW)

    assert verified.proof.reasons == (Code.SIG_04,), verified.report
    assert b"CRYPTO_CONSTRAINTS_FAILURE" in verified.report
    assert message_code(messages, Message(holder=holder).signed()) is Code.SIG_04


# --- serial numbers (RFC 5280, 4.1.2.2) -------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (1, None),
        (2**159 - 1, None),
        (2**160 - 1, None),
        (2**160, Code.SIG_10),
        (2**168, Code.SIG_10),
        (2**2000, Code.SIG_10),
        (0, Code.SIG_10),
        (-1, Code.SIG_10),
        (-(2**159), Code.SIG_10),
    ],
    ids=lambda value: value.bit_length() if isinstance(value, int) else str(value),
)
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_serial_number_beyond_20_octets_is_refused(
    documents: XadesVerifier, messages: WsseVerifier, world, number: int, code: Code | None
) -> None:
    """SIG-10: no CRL can list a longer serial number, so the request is refused and not "try
    later".
    """
    holder = altered.issue_altered(world.ca, with_serial(number))

    verified = documents.verify(Forge(holder=holder).signed(), at=NOW)

    assert verified.proof.reasons == (() if code is None else (code,)), verified.report
    if code is None:
        messages.verify(Message(holder=holder).signed(), at=NOW)
    else:
        assert verified.proof.status is ProofStatus.FAILED
        assert b"CHAIN_CONSTRAINTS_FAILURE" in verified.report
        assert message_code(messages, Message(holder=holder).signed()) is code


def test_an_intermediate_with_a_long_serial_number_is_not_loaded(tmp_path: Path) -> None:
    """Certificates under it could never be trusted, so the operator gets an error at once."""
    root = Authority.root("A Root")
    ca = root.subordinate("A CA")
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[root.crl(), ca.crl()])
    (files.intermediates / "ca.crt").write_bytes(
        altered.certificate(ca.holder.der, root.holder.key, with_serial(2**161))
    )

    with pytest.raises(TrustStoreError, match=r"ca\.crt.*20 octets"):
        TrustStore(directories(files))


# --- look-alikes of an authority --------------------------------------------------------------


def test_an_imitation_with_another_kind_of_key_is_untrusted(
    documents: XadesVerifier, messages, world
) -> None:
    """SIG-09: the certificate imitates the authority, so the strength of its key does not
    matter.
    """
    imitation = Authority.root("Test Root").subordinate("Test Citizens CA", key=new_rsa_key())
    holder = imitation.issue()

    verified = documents.verify(Forge(holder=holder).signed(), at=NOW)

    assert verified.proof.reasons == (Code.SIG_09,), verified.report
    assert message_code(messages, Message(holder=holder).signed()) is Code.SIG_09


def test_an_imitation_that_signs_with_sha1_is_untrusted(documents: XadesVerifier) -> None:
    """SIG-09 as well: the weak signature is not that of the real authority."""
    key = new_rsa_key()
    imitation = Authority.root("Test Root", key=key).subordinate("Test Citizens CA", key=key)

    proof = documents.verify(Forge(holder=imitation.issue_with_sha1()).signed(), at=NOW).proof

    assert proof.reasons == (Code.SIG_09,)


def test_the_authority_itself_with_sha1_is_too_weak(tmp_path: Path) -> None:
    """SIG-04: the path is the authority's, and its algorithm is weak (ETSI TS 119 312)."""
    root = Authority.root("A Root")
    ca = root.subordinate("A CA", key=new_rsa_key())
    files = StoreFiles(tmp_path).write(
        anchors=[root], intermediates=[ca], crls=[root.crl(), ca.crl()]
    )
    store = TrustStore(directories(files))
    holder = ca.issue_with_sha1()

    proof = XadesVerifier(store).verify(Forge(holder=holder).signed(), at=NOW).proof

    assert proof.reasons == (Code.SIG_04,)
    with pytest.raises(SignatureFailure):
        store.require(read_certificate(holder.der), Use.DOCUMENT, at=NOW)
