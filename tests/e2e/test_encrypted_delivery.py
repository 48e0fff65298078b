"""Encrypted delivery over HTTP, from the operator's commands to the reference client
(cl. 7, 10).
"""

import base64
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from lxml import etree

from makul.composition.adapters import build_adapters
from makul.composition.channels import build_channel
from makul.composition.readiness import build_readiness
from makul.composition.service import recipient_port
from makul.documents import deliveries
from makul.domain.agreements import AgreementState, Delivery
from makul.domain.reasons import Code
from makul.soap.wsgi_app import build_application
from makul.trust.xmlenc import XmlEncryptor
from makul_client import (
    Client,
    ConsentDocument,
    Context,
    Demographic,
    EncryptionError,
    EncryptionFlaw,
    Probe,
    Profile,
    ReceiptError,
    ReceiptFlaw,
    RefusedError,
    UndeterminedError,
)
from makul_client.models.response import PersonData
from makul_client.profile import DecryptionSettings, Patience
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import OPERATOR, WALLET
from makul_sandbox.output.files import Addresses, write_files, write_service
from makul_sandbox.world.documents import SandboxDocument
from makul_testing.builders.agreements import agree
from makul_testing.external.requirements import needs
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)

R = {"r": "urn:makul:recipient:1"}


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


@dataclass(frozen=True, slots=True)
class EncryptedDeliveryService:
    """A service over HTTP, and the wallet's profile for it."""

    installation: InProcessService
    directory: Path
    profile: Profile

    def data(
        self, name: str = "wallet-00-data", *, request_id: UUID | None = None, **changes: object
    ) -> PersonData:
        """Return GetPersonData in the intended use of a document; a test may change the profile."""
        document = self.installation.document(name)
        probe_fields = about(self.installation.person_of(document), of=document.presented_by)
        with Client(replace(self.profile, **changes)) as client:  # type: ignore[arg-type]
            return client.get_person_data(
                Probe(
                    demographic=Demographic(
                        pin=probe_fields["pin"], document_number=probe_fields["document_number"]
                    )
                ),
                sorted(document.attributes),
                ground=ConsentDocument(document.document),
                context=Context(request_id=request_id or uuid4()),
            )

    def agree(self, delivery: Delivery) -> None:
        at = self.installation.clock()
        draft = WALLET.agreed(self.installation.world.made_at)
        terms = replace(draft, delivery=delivery, state=AgreementState.IN_FORCE)
        agree(self.installation.store.registry, terms, at=at)

    def withdraw(self, credential: Credential) -> None:
        self.installation.store.registry.withdraw_encryption_certificate(
            WALLET.code, credential.fingerprint, reason="key lost", at=self.installation.clock()
        )

    def register(self, credential: Credential) -> None:
        self.installation.store.registry.add_encryption_certificate(
            WALLET.code, credential.fingerprint, credential.der, at=self.installation.clock()
        )


@contextmanager
def run_encrypted_delivery_service(
    directory: Path, record_database: RecordDatabase
) -> Iterator[EncryptedDeliveryService]:
    (directory / "installation").mkdir()
    installation = build_installation(directory / "installation", database=record_database)
    server = make_server("127.0.0.1", 0, installation.applications["wsse"], handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        addresses = Addresses(
            host="127.0.0.1", port=server.server_port, xroad_port=1, mtls_port=2, oversight_port=3
        )
        write_service(installation.world, directory, addresses)
        write_files(installation.world, directory, addresses, {})
        profile = Profile.load(directory / "parties" / "wallet" / "profile.toml")
        yield EncryptedDeliveryService(
            installation, directory, replace(profile, patience=Patience(attempts=1))
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        installation.close()


@pytest.fixture(scope="module")
def shared_service(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[EncryptedDeliveryService]:
    """Run a service whose registrations no test changes."""
    with run_encrypted_delivery_service(tmp_path_factory.mktemp("service"), record_database) as it:
        yield it


@pytest.fixture
def own(tmp_path: Path, record_database: RecordDatabase) -> Iterator[EncryptedDeliveryService]:
    """Run a service whose registrations a test may change."""
    with run_encrypted_delivery_service(tmp_path, record_database) as it:
        yield it


def ask(installation: InProcessService, document: SandboxDocument, **changes: object) -> bytes:
    fields = about(installation.person_of(document), of=document.presented_by, document=document)
    return person_request(**(fields | changes))


def encrypted_data_in(answer: etree._Element) -> bytes:
    return base64.b64decode(answer.findtext("r:sealed", namespaces=R) or "")


def test_nothing_of_the_person_is_in_the_answer(installation: InProcessService) -> None:
    """SEALED by agreement: no `person`, one EncryptedData, and no unencrypted value."""
    document = installation.document("wallet-00-data")

    answer = installation.ask(ask(installation, document), by="wallet")

    assert answer.outcome == "RELEASED"
    assert answer.released == set()
    sealed = encrypted_data_in(answer.child)
    assert etree.fromstring(sealed).tag == "{http://www.w3.org/2001/04/xmlenc#}EncryptedData"
    assert installation.person_of(document).pin.digits.encode() not in answer.body
    assert b"surname" not in sealed


def test_a_yes_or_no_is_not_encrypted(installation: InProcessService) -> None:
    """VerifyPerson gives no data, so it needs no encryption certificate."""
    answer = installation.ask(
        ask(installation, installation.document("wallet-00-yes-no")), by="wallet"
    )

    assert answer.outcome == "MATCHED"


def test_only_agreed_deliveries_are_encrypted(installation: InProcessService) -> None:
    """The bank's agreement is TYPED: its answer is unencrypted."""
    answer = installation.ask(ask(installation, installation.document("bank-00-data")))

    assert answer.released
    assert encrypted_data_in(answer.child) == b""


@needs("xmlsec1")
def test_the_xmlsec1_program_decrypts_an_answer(
    installation: InProcessService, tmp_path: Path
) -> None:
    """docs/recipients.md shows this for other stacks."""
    answer = installation.ask(
        ask(installation, installation.document("wallet-00-data")), by="wallet"
    )
    (tmp_path / "sealed.xml").write_bytes(encrypted_data_in(answer.child))
    (tmp_path / "sealing.key.pem").write_bytes(installation.world.encryption["wallet"].key_pem)

    opened = subprocess.run(
        ["xmlsec1", "--decrypt", "--privkey-pem", "sealing.key.pem", "sealed.xml"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    delivery = etree.fromstring(opened.stdout)
    assert delivery.tag == "{urn:makul:delivery:1}Delivery"
    assert delivery.find("r:person/r:surname", R) is not None


def test_the_client_decrypts_verifies_and_reads(shared_service: EncryptedDeliveryService) -> None:
    """The values are those of the register, and the receipt proves them."""
    result = shared_service.data()

    assert result.decision.outcome == "RELEASED"
    assert result.person.surname is not None
    assert result.decision.receipt.payload_digest is not None
    released = {name for name, _ in result.person.given()}
    assert released == set(result.decision.receipt.released)


def test_an_answer_without_its_key_is_withheld(shared_service: EncryptedDeliveryService) -> None:
    """There are no data, and the error says what to do."""
    home = shared_service.directory / "parties" / "bank"
    other = DecryptionSettings(key=home / "message.key.pem", certificate=home / "message.cert.pem")

    with pytest.raises(EncryptionError) as without:
        shared_service.data(sealing=None)
    with pytest.raises(EncryptionError) as wrong:
        shared_service.data(sealing=other)

    assert without.value.flaw is EncryptionFlaw.NO_KEY
    assert wrong.value.flaw is EncryptionFlaw.RECIPIENT


def test_unencrypted_data_are_refused_unless_the_profile_permits_them(
    own: EncryptedDeliveryService,
) -> None:
    """An agreement that was changed without the recipient's knowledge is noticed."""
    own.agree(Delivery.TYPED)
    sealing = own.profile.sealing
    assert sealing is not None

    with pytest.raises(EncryptionError) as refused:
        own.data()

    assert refused.value.flaw is EncryptionFlaw.MISSING
    assert own.data(sealing=replace(sealing, or_typed=True)).person.surname is not None


def test_the_same_id_gets_the_same_ciphertext(own: EncryptedDeliveryService) -> None:
    """The stored answer is the ciphertext; after the certificate's withdrawal it is withheld."""
    request_id = uuid4()
    first, second = (own.data(request_id=request_id) for _ in range(2))
    assert first.decision.receipt.document == second.decision.receipt.document

    own.withdraw(own.installation.world.encryption["wallet"])

    with pytest.raises(RefusedError) as refused:
        own.data(request_id=request_id)
    assert (refused.value.code, refused.value.field) == ("RCP-04", "sealed")


def test_a_new_certificate_replaces_a_withdrawn_one(own: EncryptedDeliveryService) -> None:
    """The answer for the withdrawn one stays withheld; new ones are for the new one."""
    request_id = uuid4()
    own.data(request_id=request_id)
    own.withdraw(own.installation.world.encryption["wallet"])
    own.register(_another(own))

    with pytest.raises(RefusedError) as refused:
        own.data(request_id=request_id)
    with pytest.raises(EncryptionError) as encrypted_to_another_key:
        own.data()

    assert refused.value.code == "RCP-04"
    assert encrypted_to_another_key.value.flaw is EncryptionFlaw.RECIPIENT


def test_answers_for_a_superseded_certificate_are_repeated(own: EncryptedDeliveryService) -> None:
    """A regular change of keys loses no answer in transit."""
    request_id = uuid4()
    first = own.data(request_id=request_id)
    own.register(_another(own))

    assert own.data(request_id=request_id).person == first.person


def test_an_unencrypted_answer_is_not_repeated_under_an_encrypted_agreement(
    own: EncryptedDeliveryService,
) -> None:
    """REQ-04: the id stays closed; a new request gets encrypted data."""
    own.agree(Delivery.TYPED)
    request_id = uuid4()
    own.data(request_id=request_id, sealing=None)
    own.agree(Delivery.SEALED)

    with pytest.raises(RefusedError) as refused:
        own.data(request_id=request_id)

    assert refused.value.code == "REQ-04"
    assert own.data().person.surname is not None


def test_nothing_is_judged_without_a_certificate(own: EncryptedDeliveryService) -> None:
    """RCP-04 comes before the ground and the person: no use is counted, no match revealed."""
    own.withdraw(own.installation.world.encryption["wallet"])
    document = own.installation.document("wallet-01-data")

    wrong_document = own.installation.ask(
        ask(own.installation, document, document_number="ID9999999"), by="wallet"
    )

    with pytest.raises(RefusedError) as refused:
        own.data("wallet-01-data")
    assert refused.value.code == "RCP-04"
    assert wrong_document.codes == ["RCP-04"]


def test_a_revoked_certificate_gets_nothing(own: EncryptedDeliveryService) -> None:
    """RCP-04 because SIG-06: the certificate is judged at the time of encryption."""
    hierarchy = own.installation.world.hierarchy
    certificate = own.installation.world.encryption["wallet"].certificate
    crl = own.installation.settings.trust.crls / "organisations.crl.pem"
    crl.write_bytes(hierarchy.organisations.crl([certificate]))
    fresh = _reopened(own)

    answer = fresh.ask(ask(fresh, fresh.document("wallet-00-data")), by="wallet")

    assert answer.outcome == "REFUSED"
    assert answer.child.findtext("r:reason/{*}because", namespaces=R) == "SIG-06"


def test_stale_revocation_data_give_nothing_and_leave_the_id_open(
    own: EncryptedDeliveryService,
) -> None:
    """UNDETERMINED because SIG-07: unknown is not yes, and the request may be repeated."""
    sealer = own.installation.parts.encryptor
    request_id = uuid4()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(sealer), "judge", lambda *_, **__: Code.SIG_07)
        with pytest.raises(UndeterminedError) as unknown:
            own.data(request_id=request_id)

    assert (unknown.value.code, unknown.value.because) == ("RCP-04", "SIG-07")
    assert own.data(request_id=request_id).person.surname is not None


def _another(service: EncryptedDeliveryService) -> Credential:
    return service.installation.world.hierarchy.encryption(
        member_code=WALLET.code, common_name=WALLET.name
    )


def _reopened(service: EncryptedDeliveryService) -> InProcessService:
    """Return the same service with its trust loaded again."""
    installation = service.installation
    parts = build_adapters(installation.settings, installation.store, installation.clock)
    port = recipient_port(parts, operator=OPERATOR, environment="SANDBOX")
    application = build_application(
        port,
        build_channel(installation.settings.listeners["wsse"], parts),
        public_url="http://127.0.0.1/v1/recipient",
        clock=installation.clock,
        ready=build_readiness(parts, OPERATOR),
    )
    return replace(installation, parts=parts, applications={"wsse": application})


@pytest.mark.parametrize(
    "change",
    [{"recipient": "COM/60000001"}, {"request_id": uuid4()}, {"disclosure_id": uuid4()}],
)
def test_a_delivery_for_another_party_is_withheld(
    shared_service: EncryptedDeliveryService,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
) -> None:
    """It is well signed and well encrypted to the wallet, but names another party."""
    render = deliveries.render_delivery
    monkeypatch.setattr(
        deliveries, "render_delivery", lambda delivery: render(replace(delivery, **change))
    )

    with pytest.raises(EncryptionError) as refused:
        shared_service.data()

    assert refused.value.flaw is EncryptionFlaw.ANSWER


def test_unsigned_content_is_withheld(
    shared_service: EncryptedDeliveryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can encrypt to a certificate, but the signature shows a changed value inside."""
    encrypt = XmlEncryptor.encrypt

    def forge(self: XmlEncryptor, document: bytes, certificate: bytes) -> bytes:
        return encrypt(self, document.replace(b"<p:address>", b"<p:address>No. 1, "), certificate)

    monkeypatch.setattr(XmlEncryptor, "encrypt", forge)

    with pytest.raises(EncryptionError) as refused:
        shared_service.data()

    assert refused.value.flaw is EncryptionFlaw.SIGNATURE


def test_data_that_differ_from_the_receipt_are_withheld(
    shared_service: EncryptedDeliveryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are signed by the operator, but differ from its receipt."""
    render = deliveries.render_delivery
    monkeypatch.setattr(
        deliveries,
        "render_delivery",
        lambda delivery: render(delivery).replace(b"<p:address>", b"<p:address>No. 1, "),
    )

    with pytest.raises(ReceiptError) as refused:
        shared_service.data()

    assert refused.value.flaw is ReceiptFlaw.PAYLOAD
