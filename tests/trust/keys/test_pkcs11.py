"""The operator's key in a token signs like a key in a file, and fails closed."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from makul.app.ports import SignerUnavailableError
from makul.domain.disclosures import ProofStatus
from makul.language.translation import Language, use_language
from makul.trust.keys import pkcs11 as tokens
from makul.trust.keys.files import KeyFileError
from makul.trust.keys.pkcs11 import TokenSigner
from makul.trust.validation.documents import XadesVerifier
from makul.trust.xades.operator_signature import verify_operator_signature
from makul.trust.xades.receipt_signer import XadesReceiptSigner
from makul_testing.external.requirements import needs
from makul_testing.external.softhsm import SoftToken, make_token
from makul_testing.pki.authorities import NOW, Holder, new_key, new_rsa_key

pytestmark = needs("softhsm2-util")

RECEIPT = b'<Receipt xmlns="urn:makul:receipt:1" Id="r-018f"><receiptId>018f</receiptId></Receipt>'
KEYS: dict[str, Callable[[], object]] = {
    "P-256": new_key,
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": new_rsa_key,
}


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    token = make_token(tmp_path / "hsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(token.config))
    monkeypatch.setattr(tokens, "PAUSE_SECONDS", 0.0)
    return token


@pytest.fixture
def open_signer(token: SoftToken) -> Iterator[Callable[..., TokenSigner]]:
    """Build signers that release the module after the test, because a process has one instance of
    it.
    """
    signers: list[TokenSigner] = []

    def open_one(holder: Holder, **place: object) -> TokenSigner:
        signers.append(TokenSigner(token.place(**place), holder.certificate))
        return signers[-1]

    yield open_one
    for signer in signers:
        signer.close()


@pytest.fixture
def operator(token: SoftToken, world) -> Holder:
    holder = world.ca.issue(key=new_key())
    token.store(holder.key)
    return holder


@pytest.mark.parametrize("kind", KEYS)
def test_signs_as_a_key_in_a_file_does(
    kind: str, token: SoftToken, world, documents: XadesVerifier, open_signer
) -> None:
    """The receipt verifies and is still canonical for every accepted kind of key."""
    operator = world.ca.issue(key=KEYS[kind]())
    token.store(operator.key)

    signed = XadesReceiptSigner(open_signer(operator), operator.certificate).sign(RECEIPT, at=NOW)

    verified = documents.verify(signed, at=NOW)
    assert verified.proof.status is ProofStatus.PASSED, verified.report
    assert etree.tostring(etree.fromstring(signed), method="c14n", exclusive=True) == signed


def test_a_monthly_statement_is_signed_like_a_receipt(operator: Holder, open_signer) -> None:
    """The pinned certificate verifies it: nothing in the document shows where the key is."""
    statement = b'<MonthlyStatement xmlns="urn:makul:month:1" Id="s-1"></MonthlyStatement>'

    signed = XadesReceiptSigner(open_signer(operator), operator.certificate).sign(statement, at=NOW)

    known = {operator.certificate.fingerprint(hashes.SHA256())}
    root = verify_operator_signature(signed, known)
    assert etree.tostring(root, method="c14n", exclusive=True) == statement


def test_key_is_found_by_id_and_by_slot(operator: Holder, open_signer) -> None:
    signer = open_signer(operator, key_label=None, key_id=b"\x01")
    assert signer.ready()

    slot = signer._session.token.slot.slot_id
    signer.close()
    assert open_signer(operator, token_label=None, slot=slot).ready()


def test_threads_share_one_signer(
    operator: Holder, world, documents: XadesVerifier, open_signer
) -> None:
    """Eight threads share one signer: python-pkcs11 releases Python's lock, and the module has no
    lock.
    """
    signer = XadesReceiptSigner(open_signer(operator), operator.certificate)
    signed: list[bytes] = []

    def work() -> None:
        signed.extend(signer.sign(RECEIPT, at=NOW) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(signed) == 400
    for each in signed[::40]:
        assert documents.verify(each, at=NOW).proof.status is ProofStatus.PASSED


def test_nothing_is_entered_before_the_first_signature(operator: Holder, open_signer) -> None:
    """C_Initialize must not be inherited by a fork, so building a signer does not enter
    the module.
    """
    signer = open_signer(operator, module=Path("/nowhere/module.so"))

    assert signer.public_key == operator.certificate.public_key()
    with pytest.raises(SignerUnavailableError, match=r"/nowhere/module\.so"):
        signer.sign(b"x")


def test_a_session_that_the_token_closed_is_opened_again(operator: Holder, open_signer) -> None:
    """A reset of the token causes a warning, and no request fails."""
    signer = open_signer(operator)
    signer.sign(b"x")
    signer._library.finalize()

    assert signer.sign(b"x")


def test_lost_token_works_again_when_it_returns(
    token: SoftToken, operator: Holder, open_signer
) -> None:
    """The signer is unavailable while the token is away, and works again without a restart."""
    signer = open_signer(operator)
    assert signer.ready()

    token.take_out()
    assert not signer.ready()
    with pytest.raises(SignerUnavailableError, match="Is it plugged in"):
        signer.sign(b"x")

    token.put_back()
    assert signer.ready()


def test_lost_token_is_not_tried_at_every_request(
    token: SoftToken, operator: Holder, open_signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network HSM that is down answers slowly, so not every request tries it."""
    monkeypatch.setattr(tokens, "PAUSE_SECONDS", 60.0)
    signer = open_signer(operator, token_label="another")
    with pytest.raises(SignerUnavailableError, match="no token 'another'"):
        signer.sign(b"x")

    with pytest.raises(SignerUnavailableError, match="a moment ago"):
        signer.sign(b"x")


def test_a_wrong_pin_is_tried_once(token: SoftToken, operator: Holder, open_signer) -> None:
    """Tokens lock after a few wrong PINs, so a refused PIN is not tried again, even if it is valid
    now.
    """
    right = token.pin_file.read_text()
    token.pin_file.write_text("111111")
    signer = open_signer(operator)
    with pytest.raises(SignerUnavailableError, match="refused the PIN"):
        signer.sign(b"x")

    token.pin_file.write_text(right)

    with pytest.raises(SignerUnavailableError, match="refused the PIN"):
        signer.sign(b"x")
    assert open_signer(operator).ready()


def test_an_error_is_in_the_language_and_its_log_line_in_english(
    token: SoftToken, operator: Holder, open_signer, caplog: pytest.LogCaptureFixture
) -> None:
    """Lines of a log are compared and searched, so they are the same for every operator."""
    token.pin_file.write_text("111111")
    with (
        use_language(Language.KY),
        pytest.raises(SignerUnavailableError, match="токен ПИН кодду кабыл алган жок"),
    ):
        open_signer(operator).sign(b"x")

    assert "the token refused the PIN (pin incorrect). Mend it, then reload." in caplog.messages


def test_the_pin_file_must_be_readable_only_by_its_owner(
    token: SoftToken, operator: Holder, open_signer
) -> None:
    token.pin_file.chmod(0o640)

    with pytest.raises(SignerUnavailableError, match="chmod 600"):
        open_signer(operator).sign(b"x")


def test_the_pin_comes_from_the_environment(
    operator: Holder, open_signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = open_signer(operator, pin_file=None, pin_env="MAKUL_TEST_PIN")
    with pytest.raises(SignerUnavailableError, match="MAKUL_TEST_PIN"):
        signer.sign(b"x")

    monkeypatch.setenv("MAKUL_TEST_PIN", "246813")
    assert signer.ready()


def test_key_that_does_not_fit_the_certificate_is_refused(
    token: SoftToken, world, open_signer
) -> None:
    """The key is tried with the certificate, so that no unverifiable receipt is sent."""
    token.store(new_key())
    other = world.ca.issue(key=new_key())

    with pytest.raises(SignerUnavailableError, match=r"not that of receipts\.certificate"):
        open_signer(other).sign(b"x")


def test_missing_key_and_ambiguous_key_are_refused(
    token: SoftToken, operator: Holder, open_signer
) -> None:
    with pytest.raises(SignerUnavailableError, match="not exactly one"):
        open_signer(operator, key_label="another").sign(b"x")

    token.store(new_key(), number="02")

    with pytest.raises(SignerUnavailableError, match="not exactly one"):
        open_signer(operator).sign(b"x")


def test_a_token_that_hangs_does_not_hang_every_thread(
    operator: Holder, open_signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.05)
    signer = open_signer(operator)

    with signer._lock, pytest.raises(SignerUnavailableError, match="hangs"):
        signer.sign(b"x")


def test_a_token_location_without_a_pin_is_refused(tmp_path: Path, token: SoftToken) -> None:
    empty = tmp_path / "empty"
    empty.touch(mode=0o600)

    with pytest.raises(KeyFileError, match="first line is empty"):
        token.place(pin_file=empty).pin()
