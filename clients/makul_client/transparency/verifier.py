"""The verification that a receipt's decision is in the operator's log, and that all see one log.

A receipt contains the hash of its leaf. The proof leads from it to the root of a checkpoint. The
log signed the checkpoint. Witnesses, who follow the log independently of the operator, cosigned it.
So the operator can neither omit the decision later nor show it only to this recipient.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from makul_client.errors import LedgerError, LedgerFlaw, ProfileError
from makul_client.models.months import CheckpointProof
from makul_client.models.reasons import Language
from makul_client.models.response import Inclusion, Receipt
from makul_client.translation import translate
from makul_client.transparency.checkpoint_history import History, Link
from makul_client.transparency.log_source import open_log
from makul_client.transparency.merkle import root_from_path
from makul_client.transparency.settings import Ledger
from makul_client.transparency.signed_note import (
    LOG,
    WITNESS,
    BadNoteError,
    Checkpoint,
    Note,
    VerifierKey,
    cosigners,
    parse_checkpoint_unsafe,
    parse_note,
)


class ReceiptState(StrEnum):
    """The state of a receipt in the log. A flaw is raised instead."""

    PROVED = "PROVED"
    PENDING = "PENDING"
    """The receipt is not proved yet, and the operator's promise has not run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The result of verifying a receipt's proof."""

    state: ReceiptState
    index: int | None = None
    size: int | None = None
    cosigned_by: tuple[str, ...] = ()
    """The profile's witnesses that cosigned the checkpoint, by name and key id."""
    link: Link = Link.UNKNOWN
    """The relation of the checkpoint to the checkpoints seen earlier."""


class LedgerVerifier:
    """The verifier that trusts the log and the witnesses that the profile names.

    Raises `ProfileError` if their keys cannot be used.
    """

    def __init__(self, ledger: Ledger, *, language: Language) -> None:
        self._promise = timedelta(seconds=ledger.max_merge_delay)
        self._quorum = ledger.quorum
        self._language = language
        self._places: dict[int, bytes] = {}
        try:
            self._log = VerifierKey.parse(ledger.key, LOG)
            self._witnesses = tuple(VerifierKey.parse(each, WITNESS) for each in ledger.witnesses)
        except BadNoteError as error:
            raise ProfileError(translate("[ledger] key, witnesses: {cause}", cause=error)) from None
        self._history = History(
            self._log,
            file=ledger.state,
            fetch=open_log(ledger.log) if ledger.log is not None else None,
        )

    def prove(self, receipt: Receipt, inclusion: Inclusion | None, *, at: datetime) -> Proof:
        """Return the state of a receipt in the log at this moment. Its signature must be verified.

        Raises `LedgerError` at any time for a proof that is wrong. Raises it for a missing proof,
        or for too few witnesses, only after the operator's promise has run out.
        """
        due = receipt.decided_at + self._promise < at
        if inclusion is None:
            if due:
                raise self._flaw(LedgerFlaw.OVERDUE)
            return Proof(state=ReceiptState.PENDING)
        note, checkpoint = self._checkpoint(inclusion.checkpoint)
        if checkpoint.size != inclusion.size:
            raise self._flaw(LedgerFlaw.CHECKPOINT)
        leads_to = root_from_path(
            receipt.leaf_hash,
            index=inclusion.index,
            size=inclusion.size,
            path=inclusion.path,
        )
        if leads_to != checkpoint.root:
            raise self._flaw(LedgerFlaw.PATH)
        if self._places.setdefault(inclusion.index, receipt.document) != receipt.document:
            raise self._flaw(LedgerFlaw.SHARED)
        link, vouching = self._vouch(note, checkpoint, inclusion.checkpoint, due=due)
        return Proof(
            state=ReceiptState.PROVED if len(vouching) >= self._quorum else ReceiptState.PENDING,
            index=inclusion.index,
            size=inclusion.size,
            cosigned_by=vouching,
            link=link,
        )

    def verify_checkpoint(
        self, document: bytes, *, made_at: datetime, at: datetime
    ) -> CheckpointProof:
        """Verify a checkpoint that the operator names, and compare it with those seen earlier.

        `made_at` is when the operator named it. Witnesses may be missing until the operator's
        promise has run out. Raises `LedgerError`.
        """
        note, checkpoint = self._checkpoint(document)
        due = made_at + self._promise < at
        link, vouching = self._vouch(note, checkpoint, document, due=due)
        return CheckpointProof(size=checkpoint.size, cosigned_by=vouching, link=link)

    def _vouch(
        self, note: Note, checkpoint: Checkpoint, document: bytes, *, due: bool
    ) -> tuple[Link, tuple[str, ...]]:
        """Return the relation to earlier checkpoints, and the witnesses that cosigned this one."""
        link = self._history.link(checkpoint, document)
        if link is Link.FORKED:
            raise self._flaw(LedgerFlaw.FORKED)
        vouching = tuple(sorted(cosigners(note, self._witnesses)))
        if len(vouching) < self._quorum and due:
            raise self._flaw(LedgerFlaw.QUORUM)
        return link, vouching

    def _checkpoint(self, document: bytes) -> tuple[Note, Checkpoint]:
        """Return a checkpoint if it is of this log."""
        try:
            note = parse_note(document)
            self._log.signed(note)
            checkpoint = parse_checkpoint_unsafe(note)
        except BadNoteError:
            raise self._flaw(LedgerFlaw.CHECKPOINT) from None
        if checkpoint.origin != self._log.name:
            raise self._flaw(LedgerFlaw.CHECKPOINT)
        return note, checkpoint

    def _flaw(self, flaw: LedgerFlaw) -> LedgerError:
        return LedgerError(flaw, language=self._language)
