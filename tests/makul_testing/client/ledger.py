"""A receipt and its proof in a ledger, as a recipient has them. All of it is invented."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from makul.ledger.merkle import inclusion_proof
from makul.ledger.signed_note import (
    COSIGNATURE_V1,
)
from makul.trust.tlog.note_keys import Cosigner, new_key_file
from makul_client.models.reasons import Language
from makul_client.models.response import Inclusion, Receipt
from makul_client.profile import Profile
from makul_client.receipts.verifier import ReceiptVerifier
from makul_client.transparency.verifier import LedgerVerifier
from makul_testing.client.world import NOW, operator, write_profile
from makul_testing.servers.fake_service import ReceivedRequest
from makul_testing.tlog.published import PublishedLog, leaves

PROMISE = timedelta(seconds=60)
SOON, LATE = NOW + PROMISE, NOW + PROMISE + timedelta(microseconds=1)
INDEX = 7


@dataclass
class World:
    """A ledger with the receipt's leaf, two witnesses, and a profile that names them all."""

    folder: Path
    log: PublishedLog
    witnesses: tuple[Cosigner, ...]
    hashes: list[bytes]
    request_id: UUID
    document: bytes

    @classmethod
    def new(cls, folder: Path) -> "World":
        log = PublishedLog(folder / "published", folder / "log.key")
        names = ("witness.example/w1", "witness.example/w2")
        for number, name in enumerate(names):
            new_key_file(folder / f"w{number}.key", name, COSIGNATURE_V1)
        hashes = leaves(20)
        world = cls(
            folder=folder,
            log=log,
            witnesses=tuple(Cosigner.load(folder / f"w{number}.key") for number in range(2)),
            hashes=hashes,
            request_id=uuid4(),
            document=b"",
        )
        world.document = world.receipt(world.request_id, hashes[INDEX])
        return world

    def receipt(self, request_id: UUID, leaf: bytes) -> bytes:
        child = f'<GetReceipt xmlns="urn:makul:recipient:1"><requestId>{request_id}</requestId>'
        envelope = "http://schemas.xmlsoap.org/soap/envelope/"
        request = ReceivedRequest(
            f'<e:Envelope xmlns:e="{envelope}"><e:Body>{child}</GetReceipt></e:Body>'
            "</e:Envelope>".encode()
        )
        facts: dict[str, Any] = {
            "id": str(uuid4()),
            "outcome": "MATCHED",
            "codes": (),
            "person": None,
            "at": NOW,
            "agreement": "TEST-2026/001",
            "leaf": leaf,
        }
        return operator().receipt(request, **facts)

    def checkpoint(self, hashes: Sequence[bytes], witnesses: int = 2) -> bytes:
        note = self.log.note(hashes)
        for witness in self.witnesses[:witnesses]:
            note = witness.cosign(note, at=NOW)
        return note

    def inclusion(
        self, size: int = 20, *, hashes: Sequence[bytes] | None = None, witnesses: int = 2
    ) -> Inclusion:
        tree = list(hashes if hashes is not None else self.hashes)[:size]
        return Inclusion(
            index=INDEX,
            size=len(tree),
            path=inclusion_proof(INDEX, tree),
            checkpoint=self.checkpoint(tree, witnesses),
        )

    def profile(self, url: str = "http://127.0.0.1:9/", **changes: str) -> Path:
        keys = ", ".join(f'"{each.vkey}"' for each in self.witnesses)
        rows = {"key": f'"{self.log.signer.vkey}"', "witnesses": f"[{keys}]"} | changes
        table = "\n".join(f"{name} = {value}" for name, value in rows.items())
        return write_profile(self.folder, url, extra=f"[ledger]\n{table}\n")

    def verifier(self, **changes: str) -> LedgerVerifier:
        profile = Profile.load(self.profile(**changes))
        assert profile.ledger is not None
        return LedgerVerifier(profile.ledger, language=Language.EN)

    def verified(self) -> Receipt:
        profile = Profile.load(self.profile())
        return ReceiptVerifier(profile.operator).verify_kept(self.document, at=NOW)
