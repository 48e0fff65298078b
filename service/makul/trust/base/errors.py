"""Define failures, which carry why a signature is not accepted from a check to the verdict."""

from makul.domain.causes import Cause
from makul.domain.reasons import Code, Reason
from makul.trust.base.findings import SubIndication


class SignatureFailure(Exception):  # noqa: N818 - a finding about a signature, not a broken machine
    """A signature, or the XML around it, is not accepted.

    `why` is a text of ours, word for word, with nothing of what was received. `sub` is the
    conclusion for the validation report; it is set if the code that found the failure knows better
    than its check. `field` names the element. `cause` explains to people what is expected of it.
    """

    def __init__(
        self,
        code: Code,
        why: str,
        sub: SubIndication | None = None,
        *,
        field: str | None = None,
        cause: Cause | None = None,
    ) -> None:
        super().__init__(f"{code.value}: {why}")
        self.code = code
        self.why = why
        self.sub = sub
        self.field = field
        self.cause = cause

    @property
    def reason(self) -> Reason:
        """The reason with which a message is refused."""
        return Reason(code=self.code, field=self.field, cause=self.cause)

    def within(self, field: str, cause: Cause | None = None) -> "SignatureFailure":
        """Return a copy of the failure that names this element and cause if it has none itself."""
        return SignatureFailure(
            self.code,
            self.why,
            self.sub,
            field=self.field or field,
            cause=self.cause or cause,
        )


class UnusableObjectError(ValueError):
    """A certificate, CRL or OCSP response of ours cannot be used. The message says why."""


def outside_profile(
    code: Code, why: str, *, field: str | None = None, cause: Cause | None = None
) -> SignatureFailure:
    """Build the failure of a signature that may be good but is not accepted here.

    ETSI EN 319 102-1, 5.1.3, table 6: SIG_CONSTRAINTS_FAILURE means that attributes of the
    signature do not match the validation constraints. It is INDETERMINATE, because another policy
    might accept the signature. FORMAT_FAILURE, which is TOTAL-FAILED, is only for what the base
    standards themselves do not allow.
    """
    return SignatureFailure(
        code, why, SubIndication.SIG_CONSTRAINTS_FAILURE, field=field, cause=cause
    )
