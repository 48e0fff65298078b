"""Offline verification of an evidence file, without a database and without settings."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from makul.admin.error_handling import as_operator_error
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.admin.month_verification import load_signer_fingerprints, load_signers_from_settings
from makul.app.ports import DocumentError
from makul.config.settings import Settings, load_settings
from makul.documents.cases import (
    ReadDecision,
    ReadLeaf,
    read_act,
    read_case,
    read_decision,
    read_receipt_leaf,
)
from makul.domain.cases import (
    CASE_FILE,
    CHECKPOINT_FILE,
    Case,
    CaseContent,
    decision_file,
    receipt_file,
    request_file,
)
from makul.language.translation import translate
from makul.ledger.checkpoint import Checkpoint, parse_checkpoint_unsafe
from makul.ledger.leaf import commit
from makul.ledger.leaf_statement import read_act as read_act_statement
from makul.ledger.leaf_statement import read_statement
from makul.ledger.merkle import verify_inclusion
from makul.net.files import open_regular
from makul.trust.base.errors import SignatureFailure
from makul.trust.containers.asice_validity import ContainerAnchors, prove_signer
from makul.trust.containers.asice_verification import VerifiedContainer, verify_container
from makul.trust.containers.findings import ContainerFailure
from makul.trust.keys.receipt_certificates import receipt_certificates
from makul.trust.tlog.note_keys import NoteVerifier, public_part
from makul.trust.wsse.request_proof import prove_stored_message
from makul.trust.xades.operator_signature import verify_operator_signature

MAX_HEAD_BYTES: Final = 1024 * 1024
MAX_DESCRIPTION_BYTES: Final = 4 * 1024 * 1024
MAX_RECEIPT_BYTES: Final = 256 * 1024
"""The maximum size of a signed document, as in docs/recipients.md."""
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
MAX_NOTE_BYTES: Final = 64 * 1024

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KINDS: Final = (
    (CaseContent.DECISION, re.compile(rf"decisions/({_UUID})/decision\.xml")),
    (CaseContent.REQUEST, re.compile(rf"decisions/({_UUID})/request\.xml")),
    (CaseContent.RECEIPT, re.compile(rf"decisions/({_UUID})/receipt\.xml")),
    (CaseContent.REPORT, re.compile(rf"decisions/({_UUID})/report-[0-9]+\.json")),
    (CaseContent.DOCUMENT, re.compile(r"documents/([0-9a-f]{64})\.[a-z]{3}")),
    (CaseContent.TRUST, re.compile(r"trust/([0-9a-f]{64})\.[a-z]{3}")),
    (CaseContent.AGREEMENT, re.compile(r"agreements/[^/]+/[0-9a-f]{16}-[A-Z_]+-[0-9a-f]{16}\.xml")),
    (CaseContent.ACT, re.compile(r"acts/([0-9]+)\.xml")),
    (CaseContent.STATEMENT, re.compile(r"months/[0-9]{4}-[0-9]{2}/[a-z0-9-]+\.xml")),
    (CaseContent.CHECKPOINT, re.compile(r"checkpoint\.txt")),
    (CaseContent.TIMELINE, re.compile(r"timeline\.(?:xml|html)")),
)
_WITH_DECISION: Final = frozenset({CaseContent.REQUEST, CaseContent.RECEIPT})
_BY_DIGEST: Final = frozenset({CaseContent.DOCUMENT, CaseContent.TRUST})


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTrust:
    """What the reader trusts: certificates of the operator, or authorities, and the log's key."""

    signers: Collection[bytes] | None = None
    """SHA-256 of the operator's certificates; None to judge by `anchors`."""
    receipt_signers: Collection[bytes] | None = None
    """Those of the certificates that may have signed receipts; None for `signers`.

    A compromised key may be among them: the leaf of a receipt is in the ledger.
    """
    anchors: ContainerAnchors | None = None
    log_key: str | None = None
    """The verifier key of the log that the reader got from elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuestion:
    """An evidence file, and what the reader names to verify it by."""

    file: Path
    certificates: Sequence[Path]
    anchors: Path | None
    tsa_anchors: Path | None
    log_key: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCase:
    """What the verification of an evidence file found. All of it was verified."""

    case: Case
    signer: bytes
    """SHA-256 of the certificate that signed the file."""
    signing_time: datetime
    """The time that the signer claims."""
    proven_time: datetime | None
    """Since when the signature exists, by a timestamp that was judged; None if none was."""
    has_own_log_key: bool
    """Whether the checkpoint was verified by the reader's own key of the log."""
    files: int


def trust_of_settings(settings: Settings) -> CaseTrust:
    """Return the trust of an installation in its own files."""
    receipts = settings.receipts
    with as_operator_error():
        return CaseTrust(
            signers=frozenset(load_signers_from_settings(settings)),
            receipt_signers=frozenset(
                each.fingerprint
                for each in receipt_certificates(
                    receipts.certificate, following=receipts.next, retired=receipts.retired
                )
            ),
        )


def trust_of_question(question: CaseQuestion, config: Path) -> CaseTrust:
    """Return what the reader trusts: named files, or else the settings.

    Raises `OperatorError` and `OperatorUnavailableError`.
    """
    log_key = None
    if question.log_key is not None:
        with as_operator_error():
            log_key = NoteVerifier.load(question.log_key).vkey
    if (question.anchors is None) is not (question.tsa_anchors is None):
        raise OperatorUnavailableError(translate("give --anchors and --tsa-anchors together"))
    anchors = None
    if question.anchors is not None and question.tsa_anchors is not None:
        anchors = ContainerAnchors(signers=question.anchors, timestamps=question.tsa_anchors)
    if anchors is not None and not question.certificates:
        return CaseTrust(anchors=anchors, log_key=log_key)
    if not question.certificates and config.exists():
        with as_operator_error():
            settings = load_settings(config)
            if log_key is None and settings.ledger is not None:
                own = settings.ledger
                log_key = NoteVerifier.load(public_part(own.key), own.origin).vkey
        return replace(trust_of_settings(settings), log_key=log_key)
    signers = load_signer_fingerprints(config, question.certificates)
    return CaseTrust(signers=signers, anchors=anchors, log_key=log_key)


class _RefusedCaseError(Exception):
    """A file of the case contradicts another. The message names the finding and the file."""

    def __init__(self, finding: str, name: str) -> None:
        super().__init__(f"{finding} ({name})")


def verify_case(
    file: Path, trust: CaseTrust, *, at: datetime, report: Callable[[int], None] = lambda _: None
) -> VerifiedCase:
    """Return what an evidence file says, after all of it was verified.

    `report` receives the number of files after each file. Raises `OperatorError` for a file that is
    refused, and `FileError` and `OperatorUnavailableError` for what cannot be read.
    """
    with open_regular(file) as opened, as_operator_error():
        try:
            container = verify_container(opened, trust.signers)
            proven = None
            if trust.anchors is not None:
                proven = prove_signer(container.signature, trust.anchors, at=at)
            return _verify_content(container, trust, proven, report)
        except (ContainerFailure, _RefusedCaseError) as failure:
            raise OperatorError(
                translate("{file}: refused: {finding}", file=file, finding=failure)
            ) from None


def _verify_content(
    container: VerifiedContainer,
    trust: CaseTrust,
    proven: datetime | None,
    report: Callable[[int], None],
) -> VerifiedCase:
    try:
        case = read_case(container.read_whole(CASE_FILE, MAX_HEAD_BYTES))
    except DocumentError:
        raise _RefusedCaseError("HEAD_MALFORMED", CASE_FILE) from None
    signature = container.signature
    own = {signature.certificate.fingerprint}
    signers = trust.receipt_signers or trust.signers or own
    reader = _CaseReader(container, case, signers, _checkpoint(container, case, trust))
    found: Counter[CaseContent] = Counter()
    for name in container.files:
        if name != CASE_FILE:
            found[reader.verify_file(name)] += 1
        report(1)
    stated = {each.kind: each.files for each in case.contents}
    if dict(found) != stated or found[CaseContent.DECISION] != case.included:
        raise _RefusedCaseError("CONTENTS_DIFFER", CASE_FILE)
    return VerifiedCase(
        case=case,
        signer=signature.certificate.fingerprint,
        signing_time=signature.signing_time,
        proven_time=proven,
        has_own_log_key=trust.log_key is not None,
        files=len(container.files),
    )


def _checkpoint(container: VerifiedContainer, case: Case, trust: CaseTrust) -> Checkpoint:
    """Return the verified checkpoint on which all proofs rest."""
    note = container.read_whole(CHECKPOINT_FILE, MAX_NOTE_BYTES)
    try:
        verifier = NoteVerifier.parse(trust.log_key or case.log_key)
        checkpoint = parse_checkpoint_unsafe(verifier.verify(note))
    except ValueError:
        raise _RefusedCaseError("CHECKPOINT_INVALID", CHECKPOINT_FILE) from None
    if checkpoint.origin != verifier.key.name or checkpoint.size != case.tree_size:
        raise _RefusedCaseError("CHECKPOINT_INVALID", CHECKPOINT_FILE)
    return checkpoint


@dataclass(frozen=True, slots=True)
class _CaseReader:
    """Verifies the files of a case against one another, each once and in any order."""

    container: VerifiedContainer
    case: Case
    signers: Collection[bytes]
    checkpoint: Checkpoint

    def verify_file(self, name: str) -> CaseContent:
        """Verify a file and return its kind. Raises `_RefusedCaseError` and `ContainerFailure`."""
        kind, key = _kind_of(name)
        try:
            if kind is CaseContent.DECISION:
                self._verify_decision(name, UUID(key))
            elif kind is CaseContent.ACT:
                self._verify_act(name, int(key))
            elif kind in _BY_DIGEST:
                self._verify_digest(name, key)
            elif kind in _WITH_DECISION and decision_file(UUID(key)) in self.container.files:
                pass  # read with its decision
            else:
                for _ in self.container.read(name):
                    pass
        except DocumentError:
            raise _RefusedCaseError("DESCRIPTION_MALFORMED", name) from None
        except (ValueError, TypeError, LookupError):
            raise _RefusedCaseError("STATEMENT_MALFORMED", name) from None
        return kind

    def _verify_digest(self, name: str, key: str) -> None:
        digest = sha256()
        for block in self.container.read(name):
            digest.update(block)
        if digest.hexdigest() != key:
            raise _RefusedCaseError("DIGEST_DIFFERS", name)

    def _verify_decision(self, name: str, disclosure_id: UUID) -> None:
        decision = read_decision(self.container.read_whole(name, MAX_DESCRIPTION_BYTES))
        if decision.disclosure_id != disclosure_id:
            raise _RefusedCaseError("FACTS_DIFFER", name)
        leaf = self._verify_leaf(decision.leaf, name)
        facts = read_statement(decision.leaf.statement)
        if any(facts.get(key) != value for key, value in self._facts(decision)):
            raise _RefusedCaseError("FACTS_DIFFER", name)
        self._verify_documents(decision, facts, name)
        self._verify_receipt(receipt_file(disclosure_id), leaf)
        self._verify_request(request_file(disclosure_id), facts)

    def _facts(self, decision: ReadDecision) -> Iterator[tuple[str, object]]:
        """Yield the facts of a description as the statement of its leaf must have them."""
        ground = decision.ground
        yield "disclosureId", str(decision.disclosure_id)
        yield "decidedAt", decision.decided_at.isoformat()
        yield "requestId", str(decision.request_id)
        yield "requestDigest", decision.request_digest.hex()
        yield "recipient", self.case.recipient
        yield "operation", decision.operation
        yield "outcome", decision.outcome
        yield "released", sorted(decision.attributes)
        yield "purpose", decision.purpose
        yield "agreement", decision.agreement_number
        yield (
            "ground",
            None if ground is None else [ground[0], str(ground[1]), ground[2].hex()],
        )

    def _verify_documents(
        self, decision: ReadDecision, facts: Mapping[str, Any], name: str
    ) -> None:
        """Require the documents and reports that the statement names, and no others."""
        stated = {digest: report for _, digest, report in facts.get("evidence", ())}
        ground = decision.ground
        named = set(stated) | ({ground[2].hex()} if ground is not None else set())
        listed = {each.digest.hex() for each in decision.documents}
        # The first format of statements names no evidence, only the ground.
        if "evidence" in facts and listed != named:
            raise _RefusedCaseError("DOCUMENTS_DIFFER", name)
        for each in decision.documents:
            key = each.digest.hex()
            if each.file is not None:
                self._require_document(each.file, key, name)
            if each.report is not None and key in stated:
                content = self.container.read_whole(each.report, MAX_DESCRIPTION_BYTES)
                if sha256(content).hexdigest() != stated[key]:
                    raise _RefusedCaseError("REPORT_DIFFERS", each.report)

    def _require_document(self, file: str, key: str, name: str) -> None:
        """Require a file that is named by this digest; its content is compared with its name."""
        if file not in self.container.files or _kind_of(file) != (CaseContent.DOCUMENT, key):
            raise _RefusedCaseError("DOCUMENTS_DIFFER", name)

    def _verify_receipt(self, name: str, leaf: bytes) -> None:
        document = self.container.read_whole(name, MAX_RECEIPT_BYTES)
        try:
            operator, stated = read_receipt_leaf(verify_operator_signature(document, self.signers))
        except SignatureFailure:
            raise _RefusedCaseError("RECEIPT_SIGNATURE", name) from None
        if (operator, stated) != (self.case.operator, leaf):
            raise _RefusedCaseError("RECEIPT_DIFFERS", name)

    def _verify_request(self, name: str, facts: Mapping[str, Any]) -> None:
        """Require that the certificate of the decision signed the request of the decision."""
        if name not in self.container.files:
            return  # an earlier decision, or a channel without signatures
        try:
            proven = prove_stored_message(self.container.read_whole(name, MAX_REQUEST_BYTES))
        except SignatureFailure:
            raise _RefusedCaseError("REQUEST_SIGNATURE", name) from None
        stated = (facts.get("certificate"), facts["requestDigest"])
        if stated != (proven.fingerprint.hex(), proven.request_digest.hex()):
            raise _RefusedCaseError("REQUEST_DIFFERS", name)

    def _verify_act(self, name: str, number: int) -> None:
        act = read_act(self.container.read_whole(name, MAX_DESCRIPTION_BYTES))
        self._verify_leaf(act.leaf, name)
        facts = read_act_statement(act.leaf.statement)
        stated = (facts["number"], facts["who"], facts["kind"], facts["target"])
        if stated != (number, act.who, act.kind, act.target) or act.number != number:
            raise _RefusedCaseError("FACTS_DIFFER", name)
        if facts["at"] != _micros(act.at):
            raise _RefusedCaseError("FACTS_DIFFER", name)

    def _verify_leaf(self, leaf: ReadLeaf, name: str) -> bytes:
        """Return the leaf hash after its proof was verified."""
        tree = self.checkpoint
        leaf_hash = commit(leaf.salt, leaf.statement)
        is_in_tree = leaf.tree_size == tree.size and verify_inclusion(
            leaf_hash, index=leaf.index, size=tree.size, proof=leaf.proof, root=tree.root
        )
        if not is_in_tree:
            raise _RefusedCaseError("PROOF_INVALID", name)
        return leaf_hash


def _micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _kind_of(name: str) -> tuple[CaseContent, str]:
    """Return the kind of a file by its name, and the digest, id or number in the name."""
    for kind, pattern in _KINDS:
        match = pattern.fullmatch(name)
        if match is not None:
            return kind, match[1] if match.groups() else ""
    raise _RefusedCaseError("UNKNOWN_FILE", name)
