"""Signature timestamps: what proves that a signature existed, and what does not."""

import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc3161_client
from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.base.findings import TimestampFinding
from makul.trust.pki.trust_store import TrustStore
from makul.trust.timestamps import MAX_TOKEN_BYTES, judge
from makul.trust.xades.signing import add_timestamp
from makul_sandbox.data.timestamp_authority import POLICY, StampingAuthority
from makul_testing.builders.xades import Forge
from makul_testing.external.requirements import needs
from makul_testing.pki.authorities import (
    DAY,
    NOW,
    Authority,
    Holder,
    Key,
    Profile,
    StoreFiles,
    key_usage,
    name_of,
    new_rsa_key,
    pem_of,
)
from makul_testing.pki.crls import crl_of, directories, entry, serial_of

OCTETS = b"a SignatureValue in canonical form"
STAMPED = NOW - 10 * DAY
SECOND = timedelta(seconds=1)
PURPOSE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])


def profile(**changes: Any) -> Profile:
    return Profile(
        **{
            "subject": name_of("A TSA"),
            "usage": key_usage("digital_signature"),
            "extra": [(PURPOSE, True)],
        }
        | changes
    )


def tsa_of(holder: Holder, **changes: Any) -> StampingAuthority:
    return StampingAuthority(**{"key": holder.key, "certificate": holder.certificate} | changes)


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.root("A Root of TSAs")


@pytest.fixture(scope="module")
def holder(root: Authority) -> Holder:
    return root.issue(profile())


@pytest.fixture(scope="module")
def tsas(root: Authority, tmp_path_factory: pytest.TempPathFactory) -> TrustStore:
    return store_of(tmp_path_factory.mktemp("tsa"), root)


def store_of(path: Path, root: Authority, *crls: bytes) -> TrustStore:
    files = StoreFiles(path).write(anchors=[root], intermediates=[], crls=crls or [root.crl()])
    return TrustStore(directories(files))


def judge_token(token: bytes, tsas: TrustStore, **changes: Any) -> TimestampFinding:
    return judge(token, OCTETS, tsas, **{"at": NOW} | changes)


@pytest.mark.parametrize("key", [None, new_rsa_key()], ids=["P-256", "RSA"])
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_valid_token_proves_its_time(
    root: Authority, tsas: TrustStore, key: Key | None, digest: str
) -> None:
    """RFC 3161: the proof has genTime and its accuracy, the TSA's path, and the token's digest."""
    holder = root.issue(profile(), key=key)
    token = tsa_of(holder, digest=digest).stamp(OCTETS, at=STAMPED)

    found = judge_token(token, tsas, policies=frozenset({POLICY}))

    assert found.code is None, found.why
    assert found.time == STAMPED + SECOND
    assert found.digest == sha256(token).digest()
    assert found.path is not None
    assert found.path.path == (holder.fingerprint, root.holder.fingerprint)


def test_flipped_bit_proves_nothing(holder: Holder, tsas: TrustStore) -> None:
    """A token with one changed bit never proves another time, and never verifies by another key."""
    token = tsa_of(holder).stamp(OCTETS, at=STAMPED)

    for index in range(len(token)):
        flipped = token[:index] + bytes([token[index] ^ 1]) + token[index + 1 :]
        found = judge_token(flipped, tsas)
        assert found.code is not None or found.time == STAMPED + SECOND, index


def _set(name: str, value: Any) -> Any:
    def amend(info: Any) -> None:
        info[name] = value

    return amend


def _without(name: str) -> Any:
    return lambda attributes: attributes.remove(
        next(each for each in attributes if each["type"] == name)
    )


def _replaced(name: str, value: Any) -> Any:
    def amend(attributes: list[dict[str, Any]]) -> None:
        next(each for each in attributes if each["type"] == name)["values"] = [value]

    return amend


UNHEARD_OF = {"extn_id": "1.2.3.4", "critical": True, "extn_value": b"\5\0"}
WRONG = {
    "another version": ({"amend_info": _set("version", 2)}, Code.SIG_02),
    "critical extension": ({"amend_info": _set("extensions", [UNHEARD_OF])}, Code.SIG_02),
    "from the future": (
        {"amend_info": _set("gen_time", NOW + timedelta(minutes=6))},
        Code.SIG_02,
    ),
    "another signature": (
        {
            "amend_info": _set(
                "message_imprint",
                {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)},
            )
        },
        Code.SIG_02,
    ),
    "SHA-1": ({"digest": "sha1"}, Code.SIG_04),
    "SHA-1 imprint": (
        {
            "amend_info": _set(
                "message_imprint",
                {"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": bytes(20)},
            )
        },
        Code.SIG_04,
    ),
    "no certificate": ({"with_certificate": False}, Code.SIG_02),
    "no binding": ({"amend_attributes": _without("signing_certificate_v2")}, Code.SIG_02),
    "no digest": ({"amend_attributes": _without("message_digest")}, Code.SIG_02),
    "another digest": (
        {"amend_attributes": _replaced("message_digest", bytes(32))},
        Code.SIG_02,
    ),
    "another content": ({"amend_attributes": _replaced("content_type", "data")}, Code.SIG_02),
    "bound to another": (
        {
            "amend_attributes": _replaced(
                "signing_certificate_v2",
                tsp.SigningCertificateV2({"certs": [{"cert_hash": bytes(32)}]}),
            )
        },
        Code.SIG_02,
    ),
}


@pytest.mark.parametrize(("changes", "code"), WRONG.values(), ids=WRONG)
def test_irregular_token_proves_nothing(
    holder: Holder, tsas: TrustStore, changes: dict[str, Any], code: Code
) -> None:
    """RFC 3161, 2.4.2; RFC 5816, 2.2.1; RFC 5652, 11: a token that breaks a rule proves nothing."""
    assert judge_token(tsa_of(holder, **changes).stamp(OCTETS, at=STAMPED), tsas).code is code


def test_token_signed_by_another_key_is_refused(
    root: Authority, holder: Holder, tsas: TrustStore
) -> None:
    """The named certificate is the TSA's, but the signing key is not."""
    other = root.issue(profile())
    token = tsa_of(holder, key=other.key).stamp(OCTETS, at=STAMPED)

    assert judge_token(token, tsas).code is Code.SIG_02


def test_token_of_another_policy_is_refused(holder: Holder, tsas: TrustStore) -> None:
    """If the operator names policies, no other policy counts, and neither does an untrusted TSA."""
    token = tsa_of(holder).stamp(OCTETS, at=STAMPED)

    assert judge_token(token, tsas, policies=frozenset({"1.2.3"})).code is Code.SIG_09


@pytest.mark.parametrize("junk", [b"", b"0", b"\0" * 100, bytes(MAX_TOKEN_BYTES + 1)])
def test_garbage_is_refused(tsas: TrustStore, junk: bytes) -> None:
    assert judge_token(junk, tsas).code is Code.SIG_02


def test_trailing_octets_and_two_signers_are_refused(holder: Holder, tsas: TrustStore) -> None:
    """A token has one signer, and no bytes after its end."""
    token = tsa_of(holder).stamp(OCTETS, at=STAMPED)
    twice: Any = cms.ContentInfo.load(token)
    twice["content"]["signer_infos"].append(twice["content"]["signer_infos"][0].copy())

    assert judge_token(token + b"\0", tsas).code is Code.SIG_02
    assert judge_token(twice.dump(force=True), tsas).code is Code.SIG_02


CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
STAMPING = ExtendedKeyUsageOID.TIME_STAMPING


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": []},
        {"extra": [(PURPOSE, False)]},
        {"extra": [(x509.ExtendedKeyUsage([STAMPING, CLIENT]), True)]},
        {"extra": [(x509.ExtendedKeyUsage([CLIENT]), True)]},
        {"usage": key_usage("key_encipherment")},
        {"ca": True},
    ],
    ids=["no purpose", "not critical", "two purposes", "another", "no signatures", "a CA"],
)
def test_certificates_for_other_purposes_are_refused(
    root: Authority, tsas: TrustStore, changes: dict[str, Any]
) -> None:
    """RFC 3161, 2.3: the key must be only for time-stamping, in a critical extension."""
    holder = root.issue(profile(**changes))

    assert judge_token(tsa_of(holder).stamp(OCTETS, at=STAMPED), tsas).code is Code.SIG_10


def test_path_of_the_tsa_is_judged(tmp_path: Path, root: Authority) -> None:
    """The TSA's own path is judged at the stated time, in a store of TSAs."""
    stranger = Authority.root("A Stranger").issue(profile())
    expired = root.issue(profile(not_after=NOW - DAY))
    heard = root.crl(this_update=NOW - 3 * DAY, next_update=NOW - 2 * DAY)
    tsas = store_of(tmp_path, root, heard, root.crl())

    assert judge_token(tsa_of(stranger).stamp(OCTETS, at=STAMPED), tsas).code is Code.SIG_09
    assert judge_token(tsa_of(expired).stamp(OCTETS, at=STAMPED), tsas).code is None
    assert judge_token(tsa_of(expired).stamp(OCTETS, at=NOW), tsas).code is Code.SIG_05


@pytest.mark.parametrize(
    ("reason", "at", "code"),
    [
        ("superseded", STAMPED + DAY, None),
        ("cessation_of_operation", STAMPED + DAY, None),
        ("superseded", STAMPED, Code.SIG_06),
        ("key_compromise", STAMPED + DAY, Code.SIG_06),
        ("ca_compromise", STAMPED + DAY, Code.SIG_06),
        (None, STAMPED + DAY, Code.SIG_06),
    ],
)
def test_revoked_tsa_is_judged_by_the_reason(
    tmp_path: Path, reason: str | None, at: datetime, code: Code | None
) -> None:
    """RFC 3161, 4: tokens outlive a harmless revocation, and no token of a lost key counts."""
    root = Authority.root("A Root of TSAs")
    holder = root.issue(profile())
    stated = [(x509.CRLReason(x509.ReasonFlags[reason]), False)] if reason else []
    tsas = store_of(tmp_path, root, crl_of(root, [entry(serial_of(holder), *stated, at=at)]))

    assert judge_token(tsa_of(holder).stamp(OCTETS, at=STAMPED), tsas).code is code


def test_stale_revocation_data_prove_nothing(
    tmp_path: Path, root: Authority, holder: Holder
) -> None:
    """SIG-07: an unknown revocation status proves nothing."""
    tsas = store_of(tmp_path, root, root.crl(next_update=NOW - SECOND))

    assert judge_token(tsa_of(holder).stamp(OCTETS, at=STAMPED), tsas).code is Code.SIG_07


@needs("openssl")
def test_openssl_agrees(tmp_path: Path, root: Authority, holder: Holder) -> None:
    """`openssl ts -verify`, an independent verifier, accepts and refuses the same tokens."""
    (tmp_path / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "octets").write_bytes(OCTETS)
    good = tsa_of(holder).stamp(OCTETS, at=STAMPED)
    bad = replace(tsa_of(holder), key=root.issue(profile()).key).stamp(OCTETS, at=STAMPED)

    def verifies(token: bytes) -> bool:
        (tmp_path / "token").write_bytes(token)
        command = ["openssl", "ts", "-verify", "-data", "octets", "-in", "token", "-token_in"]
        command += ["-CAfile", "root.pem", "-attime", str(int(NOW.timestamp()))]
        return (
            subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
        )

    assert verifies(good)
    assert not verifies(bad)


def _client_verifies(token: bytes, root: Authority) -> bool:
    """Let `rfc3161-client` verify the token as the response in which it came."""
    granted = tsp.PKIStatusInfo({"status": "granted"})
    content = cms.ContentInfo.load(token)
    response: Any = tsp.TimeStampResp({"status": granted, "time_stamp_token": content})
    verifier = rfc3161_client.VerifierBuilder(roots=[root.certificate]).build()
    try:
        return verifier.verify_message(
            rfc3161_client.decode_timestamp_response(response.dump()), OCTETS
        )
    except rfc3161_client.VerificationError:
        return False


def test_the_client_agrees(root: Authority, holder: Holder, tsas: TrustStore) -> None:
    """`rfc3161-client`, another independent verifier, accepts only the good token."""
    tokens = {
        "good": tsa_of(holder).stamp(OCTETS, at=STAMPED),
        "another's": tsa_of(Authority.root("A Stranger").issue(profile())).stamp(
            OCTETS, at=STAMPED
        ),
        "another key": tsa_of(holder, key=root.issue(profile()).key).stamp(OCTETS, at=STAMPED),
        "not critical": tsa_of(root.issue(profile(extra=[(PURPOSE, False)]))).stamp(
            OCTETS, at=STAMPED
        ),
        "other octets": tsa_of(holder).stamp(b"others", at=STAMPED),
        "expired by then": tsa_of(root.issue(profile(not_after=STAMPED - DAY))).stamp(
            OCTETS, at=STAMPED
        ),
    }

    theirs = {name: _client_verifies(token, root) for name, token in tokens.items()}
    ours = {name: judge_token(token, tsas).code is None for name, token in tokens.items()}

    assert theirs == ours == {name: name == "good" for name in tokens}


@needs("openssl")
def test_token_made_by_openssl_is_read(tmp_path: Path, holder: Holder, tsas: TrustStore) -> None:
    """All but the path is good in a token of `openssl ts -reply`, which reads the clock."""
    found = judge_token(_by_openssl(tmp_path, holder), tsas, at=datetime.now(NOW.tzinfo))

    assert found.path is not None, found.why


def _by_openssl(path: Path, holder: Holder) -> bytes:
    (path / "tsa.pem").write_bytes(holder.certificate.public_bytes(Encoding.PEM))
    (path / "tsa.key").write_bytes(pem_of(holder.key))
    (path / "serial").write_text("01\n")
    (path / "octets").write_bytes(OCTETS)
    (path / "ts.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\n"
        "signer_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\nordering=no\n"
        "tsa_name=no\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n"
    )
    query = ["openssl", "ts", "-query", "-data", "octets", "-sha256", "-cert", "-out", "q"]
    reply = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-section", "t", "-queryfile", "q"]
    for command in (query, [*reply, "-token_out", "-out", "token"]):
        subprocess.run(command, cwd=path, capture_output=True, check=True)
    return (path / "token").read_bytes()


def test_document_with_a_timestamp_is_accepted(
    world, documents, holder: Holder, tsas: TrustStore
) -> None:
    """ETSI EN 319 132-1, 5.3: a signed document stays valid with a timestamp, and the
    token fits.
    """
    tokens = []

    def source(octets: bytes) -> bytes:
        tokens.append((octets, tsa_of(holder).stamp(octets, at=NOW)))
        return tokens[-1][1]

    dated = add_timestamp(Forge(holder=world.citizen).signed(), source)

    ((octets, token),) = tokens
    assert octets.startswith(b"<")
    assert b"SignatureValue" in octets
    assert b64encode(token) in dated
    assert judge(token, octets, tsas, at=NOW).code is None
    assert documents.verify(dated, at=NOW).proof.status is ProofStatus.PASSED


def test_the_module_registers_the_types_of_a_token_itself() -> None:
    """RFC 3161, 2.4.2: the module must not depend on another one that imports `asn1crypto.tsp`."""
    script = (
        "import makul.trust.timestamps; from asn1crypto.cms import ContentType;"
        " print(ContentType('1.2.840.113549.1.9.16.1.4').native)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert result.stdout == "tst_info\n"
