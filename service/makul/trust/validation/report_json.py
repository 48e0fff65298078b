"""Render the report as JSON with its fields in a fixed order (docs/auditors.md lists them).

Each verified document has a report. Except for digests and times, reports repeat the same texts. So
the report is joined from texts that are encoded once each, while a JSON encoder would process all
of it again. A test compares every text with the output of the `json` module.
"""

import json
from datetime import UTC, datetime
from functools import lru_cache

from makul.trust.base.findings import PathFinding, RevocationFinding, TimestampFinding
from makul.trust.validation.report import VERSION, CheckResult, Report, Times

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode

_NO_PATH = '"certificates":[],"revocation":[]'


def render(report: Report) -> bytes:
    """Return the report as JSON in UTF-8."""
    sub = report.sub_indication
    return (
        f'{{"version":{VERSION}'
        f',"indication":"{report.indication.value}"'
        f',"subIndication":{_text(sub.value if sub is not None else None)}'
        f',"reason":{_text(report.code.value if report.code is not None else None)}'
        f',"why":{_text(report.why)}'
        f',"field":{_text(report.field)}'
        f',"status":"{report.status.value}"'
        f',"profile":{_text(report.profile)}'
        f',"certificate":{_hex(report.certificate)}'
        f',"signatureMethod":{_text(report.signature_method)}'
        f',"times":{_times(report.times)}'
        f',"checks":[{",".join([_check(result) for result in report.checks])}]'
        f',"evidence":{{"document":"{report.document.hex()}"'
        f",{_path(report.path)}"
        f',"timestamps":[{",".join([_timestamp(each) for each in report.timestamps])}]}}}}'
    ).encode()


def _times(times: Times) -> str:
    proof, judged = times.existence, _instant(times.judged_at)
    proved, best = "null", judged
    if proof is not None:
        best = _instant(proof.time)
        proved = f'{{"time":{best},"source":"{proof.source.value}"}}'
    return (
        f'{{"judgedAt":{judged}'
        f',"claimedSigningTime":{_instant(times.claimed)}'
        f',"proofOfExistence":{proved}'
        f',"bestSignatureTime":{best}}}'
    )


@lru_cache(maxsize=256)
def _check(result: CheckResult) -> str:
    parts = f'{{"check":{_text(result.check)},"clause":{_text(result.clause)}'
    parts += f',"verdict":"{result.verdict.value}"'
    if result.code is not None:
        parts += f',"reason":"{result.code.value}"'
    if result.sub is not None:
        parts += f',"subIndication":"{result.sub.value}"'
    if result.why is not None:
        parts += f',"why":{_text(result.why)}'
    return parts + "}"


def _path(finding: PathFinding | None) -> str:
    if finding is None:
        return _NO_PATH
    certificates = ",".join([f'"{each.hex()}"' for each in finding.path])
    revocation = ",".join([_revocation(each) for each in finding.revocation])
    return f'"certificates":[{certificates}],"revocation":[{revocation}]'


@lru_cache(maxsize=1024)
def _revocation(finding: RevocationFinding) -> str:
    """Return the JSON of one revocation finding.

    The text is cached: the finding on a CA's certificate is the same for all certificates that the
    CA issued.
    """
    return (
        f'{{"certificate":"{finding.certificate.hex()}"'
        f',"end":"{finding.end.value}"'
        f',"source":{_text(finding.source)}'
        f',"digest":{_hex(finding.digest)}'
        f',"thisUpdate":{_instant(finding.this_update)}'
        f',"nextUpdate":{_instant(finding.next_update)}'
        f',"revokedAt":{_instant(finding.revoked_at)}'
        f',"crlReason":{_text(finding.reason)}}}'
    )


def _timestamp(finding: TimestampFinding) -> str:
    return (
        f'{{"digest":"{finding.digest.hex()}"'
        f',"time":{_instant(finding.time)}'
        f',"reason":{_text(finding.code.value if finding.code is not None else None)}'
        f',"why":{_text(finding.why)}'
        f",{_path(finding.path)}}}"
    )


def _text(value: str | None) -> str:
    return "null" if value is None else _ENCODE(value)


def _instant(at: datetime | None) -> str:
    return "null" if at is None else f'"{at.astimezone(UTC).isoformat()}"'


def _hex(octets: bytes | None) -> str:
    return "null" if octets is None else f'"{octets.hex()}"'
