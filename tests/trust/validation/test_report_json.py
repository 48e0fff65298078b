"""The report's JSON, which is joined from parts, equals the output of the `json` module."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from makul.domain.reasons import Code
from makul.trust.base.findings import (
    PathFinding,
    RevocationFinding,
    RevocationStatus,
    SubIndication,
    TimestampFinding,
)
from makul.trust.validation.documents import XadesVerifier
from makul.trust.validation.report import (
    CheckResult,
    CheckVerdict,
    Existence,
    ExistenceSource,
    Report,
    Times,
)
from makul.trust.validation.report_json import render
from makul_testing.builders.xades import Forge
from makul_testing.pki.authorities import NOW

BISHKEK = timezone(timedelta(hours=6))
AWKWARD = 'quotes " and \\ and \n, "Кадыр" and \u2028'
MOMENTS = (NOW, datetime(2026, 3, 1, 1, 2, 3, 400_000, BISHKEK), datetime(1970, 1, 1, tzinfo=UTC))
REVOCATION = (
    RevocationFinding(certificate=b"\x01" * 32, end=RevocationStatus.UNKNOWN),
    RevocationFinding(
        certificate=b"\xff" * 32,
        end=RevocationStatus.REVOKED,
        source="CRL",
        digest=b"\x02" * 32,
        this_update=MOMENTS[0],
        next_update=MOMENTS[1],
        revoked_at=MOMENTS[2],
        reason="keyCompromise",
    ),
)
PATHS = (
    None,
    PathFinding(code=None, why="trusted", judged_for=NOW),
    PathFinding(
        code=Code.SIG_06,
        why="revoked",
        judged_for=NOW,
        path=(b"\xff" * 32, b"\x00" * 32),
        revocation=REVOCATION,
    ),
)
STAMPS = tuple(
    TimestampFinding(code=code, why=AWKWARD, digest=b"\x07" * 32, time=time, path=path)
    for code, time, path in zip((None, Code.SIG_07, Code.SIG_02), (*MOMENTS[:2], None), PATHS,
                                strict=True)
)  # fmt: skip
CHECKS = (
    CheckResult("format", "5.2.2", CheckVerdict.PASSED),
    CheckResult("path", "5.2.6", CheckVerdict.FAILED, Code.SIG_09, AWKWARD,
                SubIndication.NO_CERTIFICATE_CHAIN_FOUND),
    CheckResult("revocation", "5.2.5", CheckVerdict.INDETERMINATE, Code.SIG_07),
    CheckResult("signer-binding", "local", CheckVerdict.NOT_RUN, why="an earlier check failed"),
)  # fmt: skip


def reports() -> Iterator[Report]:
    """Build reports in which each optional part is present and absent."""
    outcomes = (
        (None, None, None),
        (Code.SIG_09, AWKWARD, SubIndication.NO_CERTIFICATE_CHAIN_FOUND),
        (Code.SIG_07, "", SubIndication.TRY_LATER),
        (Code.SIG_02, "why", SubIndication.HASH_FAILURE),
    )
    proofs = (
        None,
        Existence(MOMENTS[1], ExistenceSource.TIMESTAMP),
        Existence(MOMENTS[2], ExistenceSource.HELD),
    )
    known = ((None, None), (b"\xab" * 32, "RSA_SHA256"))
    for outcome, proof, claimed, path, (certificate, method) in itertools.product(
        outcomes, proofs, (None, *MOMENTS), PATHS, known
    ):
        code, why, sub = outcome
        yield Report(
            code=code,
            why=why,
            field=None if why is None else "SigningTime",
            cause=None,
            sub_indication=sub,
            profile="request" if proof is None else AWKWARD,
            checks=CHECKS if code is not None else CHECKS[:1],
            times=Times(judged_at=NOW, claimed=claimed, existence=proof),
            document=b"\x0f" * 32,
            certificate=certificate,
            signature_method=method,
            path=path,
            timestamps=() if claimed is None else STAMPS,
        )


def plain(report: Report) -> dict[str, Any]:
    """Return the report's fields as docs/auditors.md lists them."""
    times = report.times
    proof = times.existence
    return {
        "version": 1,
        "indication": report.indication.value,
        "subIndication": report.sub_indication,
        "reason": report.code,
        "why": report.why,
        "field": report.field,
        "status": report.status.value,
        "profile": report.profile,
        "certificate": text_of(report.certificate),
        "signatureMethod": report.signature_method,
        "times": {
            "judgedAt": text_of(times.judged_at),
            "claimedSigningTime": text_of(times.claimed),
            "proofOfExistence": proof and {"time": text_of(proof.time), "source": proof.source},
            "bestSignatureTime": text_of(times.best_signature_time),
        },
        "checks": [
            {"check": each.check, "clause": each.clause, "verdict": each.verdict}
            | ({"reason": each.code} if each.code is not None else {})
            | ({"subIndication": each.sub} if each.sub is not None else {})
            | ({"why": each.why} if each.why is not None else {})
            for each in report.checks
        ],
        "evidence": {
            "document": report.document.hex(),
            **plain_path(report.path),
            "timestamps": [
                {
                    "digest": each.digest.hex(),
                    "time": text_of(each.time),
                    "reason": each.code,
                    "why": each.why,
                    **plain_path(each.path),
                }
                for each in report.timestamps
            ],
        },
    }


def plain_path(finding: PathFinding | None) -> dict[str, Any]:
    return {
        "certificates": [each.hex() for each in finding.path] if finding is not None else [],
        "revocation": [
            {
                "certificate": each.certificate.hex(),
                "end": each.end,
                "source": each.source,
                "digest": text_of(each.digest),
                "thisUpdate": text_of(each.this_update),
                "nextUpdate": text_of(each.next_update),
                "revokedAt": text_of(each.revoked_at),
                "crlReason": each.reason,
            }
            for each in (finding.revocation if finding is not None else ())
        ],
    }


def text_of(value: datetime | bytes | None) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.hex() if value is not None else None


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def test_joined_report_equals_the_json_module() -> None:
    """The bytes are equal for every combination of optional parts."""
    compared = 0
    for report in reports():
        assert render(report) == dumped(plain(report))
        compared += 1
    assert compared == 4 * 3 * 4 * 3 * 2


def test_report_of_a_document_has_that_form(documents: XadesVerifier, world: Any) -> None:
    """The stored evidence can be read as JSON, and only this code writes it."""
    good = Forge(holder=world.citizen).signed()

    for document in (good, good[:-1], good.replace(b"Consent", b"Dissent")):
        report = documents.verify(document, at=NOW).report
        assert dumped(json.loads(report)) == report
