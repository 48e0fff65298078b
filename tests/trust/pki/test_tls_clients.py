"""Certificates of TLS clients are judged here, even if the front has already accepted them."""

from datetime import timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from makul.app.ports import RejectedError
from makul.domain.reasons import Code
from makul.trust.pki.tls_clients import TlsClientJudge
from makul.trust.pki.trust_store import TrustStore
from makul_testing.pki.authorities import (
    NOW,
    Authority,
    Holder,
    Profile,
    key_usage,
    name_of,
    new_rsa_key,
)

MINUTE = timedelta(minutes=1)
BANK = name_of("Bank")
SIGNING = key_usage("digital_signature")


@pytest.fixture
def judge(store: TrustStore) -> TlsClientJudge:
    return TlsClientJudge(store)


def code_of(judge: TlsClientJudge, der: bytes) -> Code:
    with pytest.raises(RejectedError) as caught:
        judge.judge(der, at=NOW)
    (reason,) = caught.value.reasons
    return reason.code


@pytest.mark.parametrize("extended", [None, [ExtendedKeyUsageOID.CLIENT_AUTH]])
def test_certificate_for_tls_clients_is_accepted(
    judge: TlsClientJudge, world, extended: list | None
) -> None:
    """RFC 5280, 4.2.1.12: the extended key usage is absent or names TLS clients."""
    holder = world.ca.issue(Profile(subject=BANK, usage=SIGNING, extended=extended or []))

    assert judge.judge(holder.der, at=NOW) == holder.fingerprint


def test_defects_are_refused(judge: TlsClientJudge, world) -> None:
    """A defect of term, strength, path or use has its own reason."""

    def code(profile: Profile, **key: object) -> Code:
        return code_of(judge, world.ca.issue(profile, **key).der)

    assert code(Profile(subject=BANK, usage=SIGNING, not_after=NOW - MINUTE)) is Code.SIG_05
    assert code(Profile(subject=BANK, usage=SIGNING, not_before=NOW + MINUTE)) is Code.SIG_05
    assert code(Profile(subject=BANK, usage=SIGNING), key=new_rsa_key(1024)) is Code.SIG_04
    assert code(Profile(subject=BANK, usage=key_usage("content_commitment"))) is Code.SIG_10
    for foreign in (
        [ExtendedKeyUsageOID.SERVER_AUTH],
        [ExtendedKeyUsageOID.EMAIL_PROTECTION],
        [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING],
    ):
        assert code(Profile(subject=BANK, usage=SIGNING, extended=foreign)) is Code.SIG_10


def test_certificate_of_another_authority_is_refused(judge: TlsClientJudge) -> None:
    """SIG-09: another authority issued the certificate."""
    stranger: Holder = Authority.root("Another Root").issue(Profile(subject=BANK, usage=SIGNING))

    assert code_of(judge, stranger.der) is Code.SIG_09


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x00", b"\x30\x82\xff\xff", bytes(9000)])
def test_garbage_is_refused(judge: TlsClientJudge, der: bytes) -> None:
    """SIG-02: a stranger's bytes only ever raise a rejection."""
    assert code_of(judge, der) is Code.SIG_02


def test_internal_error_is_a_refusal(
    judge: TlsClientJudge, world, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/architecture.md, invariant 7: a defect of the program rejects, and quotes nothing."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("quoted")

    monkeypatch.setattr(TrustStore, "require", broken)

    with pytest.raises(RejectedError) as caught:
        judge.judge(world.bank.der, at=NOW)
    assert "quoted" not in str(caught.value.__cause__)
