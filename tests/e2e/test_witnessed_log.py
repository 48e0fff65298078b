"""A decision gets a proof that needs no trust in the operator: ledger, witness and client.

Everything is real except the network: the service with its store, the sequencer, the published
ledger, a separate witness, and the reference client's verification.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from makul.app.ports.ledger import Lease, LedgerBrokenError
from makul.app.sequencer import Sequencer
from makul.ledger.signed_note import COSIGNATURE_V1, ED25519
from makul.store import Store, StoreKeys, create_store
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.cosignatures import Collector, WitnessEndpoint
from makul.trust.tlog.note_keys import (
    CosignatureVerifier,
    Cosigner,
    NoteSigner,
    NoteVerifier,
    new_key_file,
)
from makul.witness.log_source import open_source
from makul.witness.state import WitnessStateDir
from makul.witness.witness import WitnessProgram, WitnessResult
from makul_client.errors import LedgerError, LedgerFlaw
from makul_client.models.reasons import Language
from makul_client.models.response import Inclusion, Receipt
from makul_client.profile import Operator
from makul_client.receipts.verifier import ReceiptVerifier
from makul_client.transparency.settings import Ledger
from makul_client.transparency.verifier import LedgerVerifier, ReceiptState
from makul_sandbox.data.recipients import OPERATOR
from makul_testing.in_process_service import (
    NS,
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)

ORIGIN = "makul-test/GOV/70000001"
PROMISE = timedelta(seconds=60)


@dataclass
class Watched:
    """A service, the sequencer of its ledger, and a witness elsewhere."""

    installation: InProcessService
    directory: Path
    signer: NoteSigner
    witness: WitnessProgram

    def sequencer(self, store: Store, published: Path) -> Sequencer:
        return Sequencer(
            store=store.ledger,
            signer=self.signer,
            checker=NoteVerifier(key=self.signer.key),
            published=LogDirectory(published),
            lease=Lease(holder=uuid4(), length=timedelta(seconds=5)),
            batch=1000,
            clock=self.installation.clock,
        )

    @property
    def collector(self) -> Collector:
        place = WitnessEndpoint(
            verifier=CosignatureVerifier.parse(self.witness.cosigner.vkey),
            file=self.directory / "state" / "checkpoint",
        )
        return Collector(NoteVerifier(key=self.signer.key), [place])

    def decide(self) -> UUID:
        """Make one disclosure; return the id of its request."""
        document = self.installation.document("bank-00-data")
        person = self.installation.person_of(document)
        fields = about(person, of=document.presented_by, document=document)
        assert self.installation.ask(person_request(**fields)).outcome in {"RELEASED", "REFUSED"}
        request_id = fields["request_id"]
        assert isinstance(request_id, UUID)
        return request_id

    def fetched(self, of_request: UUID) -> tuple[Receipt, Inclusion | None]:
        """Send GetReceipt, and read its answer from the wire."""
        child = self.installation.ask(
            f'<r:GetReceipt xmlns:r="urn:makul:recipient:1"><r:requestId>{uuid4()}</r:requestId>'
            f"<r:ofRequest>{of_request}</r:ofRequest></r:GetReceipt>".encode()
        ).child
        document = base64.b64decode(child.findtext("r:receipt", "", NS))
        receipt = self.receipts.verify_kept(document, at=self.installation.clock())
        found = child.find("r:inclusion", NS)
        if found is None:
            return receipt, None
        path = tuple(base64.b64decode(each.text or "") for each in found.findall("r:hash", NS))
        return receipt, Inclusion(
            index=int(found.findtext("r:leafIndex", "", NS)),
            size=int(found.findtext("r:treeSize", "", NS)),
            path=path,
            checkpoint=base64.b64decode(found.findtext("r:checkpoint", "", NS)),
        )

    @property
    def receipts(self) -> ReceiptVerifier:
        return ReceiptVerifier(
            Operator(
                code=OPERATOR,
                name="The operator",
                certificates=(self.directory / "receipts.cert.pem",),
                anchors=(self.directory / "anchors" / "root.pem",),
                intermediates=(self.directory / "intermediates" / "cas.pem",),
            )
        )

    @property
    def recipient(self) -> LedgerVerifier:
        return LedgerVerifier(
            Ledger(
                key=self.signer.vkey,
                witnesses=(self.witness.cosigner.vkey,),
                quorum=1,
                state=self.directory / "seen.json",
                log=str(self.directory / "published"),
            ),
            language=Language.EN,
        )


@pytest.fixture
def watched(tmp_path: Path, record_database: RecordDatabase) -> Iterator[Watched]:
    installation = build_installation(tmp_path, database=record_database)
    new_key_file(tmp_path / "ledger.key", ORIGIN, ED25519)
    new_key_file(tmp_path / "witness.key", "witness.example/w1", COSIGNATURE_V1)
    signer = NoteSigner.load(tmp_path / "ledger.key")
    (tmp_path / "published").mkdir()
    witness = WitnessProgram(
        source=open_source(str(tmp_path / "published")),
        log=NoteVerifier(key=signer.key),
        cosigner=Cosigner.load(tmp_path / "witness.key"),
        state=WitnessStateDir(tmp_path / "state"),
        clock=installation.clock,
    )
    with witness.state.held():
        yield Watched(installation=installation, directory=tmp_path, signer=signer, witness=witness)
    installation.close()


def test_a_receipt_is_proved_to_everybody(watched: Watched) -> None:
    """It is pending, then in the ledger, then cosigned; and again after the ledger has grown."""
    request_id = watched.decide()
    now = watched.installation.clock()
    receipt, inclusion = watched.fetched(request_id)
    assert inclusion is None
    assert watched.recipient.prove(receipt, None, at=now).state is ReceiptState.PENDING
    with pytest.raises(LedgerError) as overdue:
        watched.recipient.prove(receipt, None, at=now + PROMISE + timedelta(seconds=1))
    assert overdue.value.flaw is LedgerFlaw.OVERDUE

    sequencer = watched.sequencer(watched.installation.store, watched.directory / "published")
    sequencer.run_once()
    receipt, inclusion = watched.fetched(request_id)
    assert inclusion is not None
    assert watched.recipient.prove(receipt, inclusion, at=now).state is ReceiptState.PENDING

    assert watched.witness.run_once().result is WitnessResult.COSIGNED
    assert sequencer.keep(watched.collector.collect()) == 1
    receipt, inclusion = watched.fetched(request_id)
    late = now + timedelta(days=365)
    proved = watched.recipient.prove(receipt, inclusion, at=late)
    assert proved.state is ReceiptState.PROVED
    assert len(proved.cosigned_by) == 1

    for _ in range(5):
        later = watched.decide()
    sequencer.run_once()
    assert watched.witness.run_once().result is WitnessResult.COSIGNED
    sequencer.keep(watched.collector.collect())
    for each in (request_id, later):
        receipt, inclusion = watched.fetched(each)
        assert watched.recipient.prove(receipt, inclusion, at=late).state is ReceiptState.PROVED


def test_a_store_from_an_older_copy_is_found_by_a_witness(watched: Watched, tmp_path: Path) -> None:
    """The published files were restored with it, but the cosigned tree is not in it."""
    watched.decide()
    watched.sequencer(watched.installation.store, watched.directory / "published").run_once()
    watched.witness.run_once()
    older = create_store(
        tmp_path / "older.db", StoreKeys.generate(), who="test", at=watched.installation.clock()
    )
    try:
        sequencer = watched.sequencer(older, tmp_path / "put-back")
        with pytest.raises(LedgerBrokenError, match="older copy"):
            sequencer.keep(watched.collector.collect())
    finally:
        older.close()


def test_a_stolen_ledger_key_is_noticed(
    watched: Watched, tmp_path: Path, record_database: RecordDatabase
) -> None:
    """A holder of the ledger key and the database can rebuild the whole ledger (run-book, "Ledger
    key").

    The witness notices it and keeps both trees; earlier proofs stay valid, and forged records are
    not proved.
    """
    known = watched.decide()
    watched.decide()
    sequencer = watched.sequencer(watched.installation.store, watched.directory / "published")
    sequencer.run_once()
    assert watched.witness.run_once().result is WitnessResult.COSIGNED
    sequencer.keep(watched.collector.collect())
    checkpoint = watched.fetched(known)

    (tmp_path / "other").mkdir()
    other = build_installation(tmp_path / "other", database=record_database)
    rebuilt = Watched(
        installation=other,
        directory=tmp_path / "other",
        signer=watched.signer,
        witness=watched.witness,
    )
    _, _, forged = (rebuilt.decide() for _ in range(3))
    for path in sorted((tmp_path / "published").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    rebuilt.sequencer(other.store, tmp_path / "published").run_once()

    found = watched.witness.run_once()
    receipt, inclusion = rebuilt.fetched(forged)
    late = watched.installation.clock() + timedelta(days=365)

    assert found.result is WitnessResult.INCONSISTENT
    assert found.evidence is not None
    assert inclusion is not None
    with pytest.raises(LedgerError):
        rebuilt.recipient.prove(receipt, inclusion, at=late)
    assert watched.recipient.prove(*checkpoint, at=late).state is ReceiptState.PROVED
    other.close()
