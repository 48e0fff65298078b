"""Why a signature is not accepted, on its way from the check that found it to the verdict."""

from makul.domain.reasons import Code
from makul.trust.findings import SubIndication


class SignatureFailure(Exception):  # noqa: N818 - a finding about a signature, not a broken machine
    """A signature, or the XML around it, is not accepted.

    `why` is written by us, word for word: it holds nothing of what was received. `sub` is what the
    validation report concludes, where the place that found it knows better than its check.
    """

    def __init__(self, code: Code, why: str, sub: SubIndication | None = None) -> None:
        super().__init__(f"{code.value}: {why}")
        self.code = code
        self.why = why
        self.sub = sub
