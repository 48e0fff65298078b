"""Verify documents with one enveloped signature, XAdES-B or higher (docs/recipients.md).

Consents, consent revocations and basis statements arrive as their exact bytes. They are parsed once
and pass the checks of `validation.checks` in order. The result is parsed again from the very bytes
that were signed. Every verdict has a report that shows how it was reached.

From a signature of a higher level only the signature timestamps are read (XAdES-T). Other unsigned
properties, such as revocation values and archive timestamps, are not trusted: trusted data are in
the operator's own directories.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from makul.app.ports import VerifiedDocument
from makul.domain.disclosures import DocumentSigner, Proof
from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import PathFinding, TimestampFinding
from makul.trust.pki.certificates import PinRule, SigningCertificate
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation import checks
from makul.trust.validation.pipeline import CheckPipeline, ValidationCheck
from makul.trust.validation.proof_of_existence import (
    TimestampJudge,
    distrust_all,
    earliest,
    judge_by,
)
from makul.trust.validation.report import CheckVerdict, Report, Times
from makul.trust.validation.report_json import render
from makul.trust.xades.structure import Shape

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The requirements for a document in addition to a good signature."""

    name: str
    plain: bool = False
    """True if plain XML Signature, without the qualifying properties of XAdES, is sufficient."""
    bind: checks.Binder | None = None
    unbound: str = ""
    """The reason why there is no `bind`, for the report."""


ON_REQUEST = Profile(
    name="request", unbound=mark("left to the rules on the ground (SIG-08), which know the request")
)
"""The profile of the service. The service gets the certificate's owner from the verifier, and the
rules on the ground decide whether that is the right signer."""


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """A report and, only if its indication is TOTAL-PASSED, the signed root and the certificate."""

    report: Report
    root: "Element | None" = None
    certificate: SigningCertificate | None = None


class XadesVerifier:
    """The adapter for `ports.DocumentVerifier`, for certificates that lead to a store's anchors."""

    def __init__(
        self,
        store: TrustStore,
        *,
        pin_rule: PinRule | None = None,
        tsa: TrustStore | None = None,
        tsa_policies: frozenset[str] = frozenset(),
    ) -> None:
        """Create a verifier that trusts the anchors of `store`.

        `tsa` contains the anchors of time-stamping authorities; without it no timestamp proves
        anything. `tsa_policies` are the timestamp policies that count; if empty, any policy counts.
        """
        self._store = store
        self._pin_rule = pin_rule or PinRule()
        self._timestamps = judge_by(tsa, tsa_policies) if tsa is not None else distrust_all

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        """Verify a document and return the verdict with its report.

        A bad document is a verdict, never an exception.
        """
        validated = self.validate(document, ON_REQUEST, at=at, existed_at=existed_at)
        report, certificate = validated.report, validated.certificate
        signer = None
        if certificate is not None:
            policies = report.path.policies if report.path is not None else frozenset()
            signer = DocumentSigner(
                fingerprint=certificate.fingerprint,
                pin=self._pin_rule.read_pin(certificate, policies=policies),
            )
        reasons = (report.code,) if report.code is not None else ()
        return VerifiedDocument(
            proof=Proof(
                status=report.status,
                reasons=reasons,
                field=report.field,
                cause=report.cause,
                signer=signer,
            ),
            signed=validated.root,
            report=render(report),
        )

    def validate(
        self,
        document: bytes,
        profile: Profile,
        *,
        at: datetime,
        existed_at: datetime | None = None,
    ) -> ValidationResult:
        """Validate a document by a profile and return the report on each check.

        A bad document is a verdict, never an exception.
        """
        course = _Signature(profile, at, existed_at, self._timestamps, self._store)
        try:
            course.run(document)
        except SignatureFailure:
            return ValidationResult(course.report(document))
        return ValidationResult(course.report(document), course.root, course.certificate)


class _Signature:
    """One signature during its validation, and what is known of it so far."""

    def __init__(
        self,
        profile: Profile,
        at: datetime,
        existed_at: datetime | None,
        timestamps: TimestampJudge,
        store: TrustStore,
    ) -> None:
        self._profile = profile
        self._existed_at = existed_at
        self._judge_timestamp = timestamps
        self._store = store
        self._course = CheckPipeline(checks.OWNERS)
        self._times = Times(judged_at=at)
        self._method: str | None = None
        self._path: PathFinding | None = None
        self._timestamps: tuple[TimestampFinding, ...] = ()
        self.certificate: SigningCertificate | None = None
        self.root: Element | None = None

    def run(self, document: bytes) -> None:
        """Run the checks in order. Raises the `SignatureFailure` of the first check that fails."""
        run_check = self._course.run_check
        shape = run_check(checks.format_, document, plain=self._profile.plain)
        certificate = self.certificate = run_check(checks.identification, shape)
        method, signed = run_check(checks.integrity, shape, certificate)
        self._method = method.name
        if signed.properties is not None:
            run_check(checks.certificate_reference, signed.properties, certificate)
        else:
            self._skip_check(
                checks.certificate_reference, mark("plain XML Signature: nothing signed names it")
            )
        self._prove_existence(shape)
        best = self._times.best_signature_time
        run_check(checks.cryptographic_constraints, shape, certificate, method, best=best)
        if signed.properties is not None:
            claimed = run_check(checks.signing_time, signed.properties, best=best)
            self._times = Times(
                judged_at=self._times.judged_at, claimed=claimed, existence=self._times.existence
            )
        else:
            self._skip_check(checks.signing_time, mark("plain XML Signature: no time is claimed"))
        judge = partial(self._judge_path, best=best)
        finding = run_check(checks.path, certificate, judge, best=best)
        run_check(checks.revocation, finding, certificate)
        if self._profile.bind is not None:
            run_check(checks.signer_binding, signed.root, certificate, finding, self._profile.bind)
        else:
            self._skip_check(checks.signer_binding, self._profile.unbound)
        self.root = signed.root

    def _prove_existence(self, shape: Shape) -> None:
        """Determine the best signature time.

        A timestamp that proves nothing is reported and otherwise ignored.
        """
        at, check = self._times.judged_at, checks.existence
        findings = self._timestamps = self._course.run_check(
            check, shape.timestamps, self._judge_timestamp, at=at
        )
        self._times = Times(judged_at=at, existence=earliest(findings, self._existed_at, at=at))
        unproven = next((each for each in findings if each.code is not None), None)
        if unproven is not None:
            unknown = unproven.code is Code.SIG_07
            verdict = CheckVerdict.INDETERMINATE if unknown else CheckVerdict.FAILED
            self._course.note(check.result(verdict, unproven.why, code=unproven.code))
        elif self._times.existence is None:
            self._skip_check(check, mark("none was given: judged for the present"))

    def _judge_path(self, certificate: SigningCertificate, *, best: datetime) -> PathFinding:
        at = self._times.judged_at
        existed_at = best if best < at else None
        finding = self._path = self._store.judge(certificate, at=at, existed_at=existed_at)
        return finding

    def _skip_check(self, check: ValidationCheck[..., Any], why: str) -> None:
        self._course.note(check.result(CheckVerdict.NOT_RUN, why))

    def report(self, document: bytes) -> Report:
        """Return the report. It lists every check, even if one failed and ended the validation."""
        failure = self._course.failure
        return Report(
            code=failure.code if failure is not None else None,
            why=failure.why if failure is not None else None,
            field=failure.field if failure is not None else None,
            cause=failure.cause if failure is not None else None,
            sub_indication=self._course.sub,
            profile=self._profile.name,
            checks=self._course.results(checks.CHECKS),
            times=self._times,
            document=sha256(document).digest(),
            certificate=self.certificate.fingerprint if self.certificate is not None else None,
            signature_method=self._method,
            path=self._path,
            timestamps=self._timestamps,
        )
