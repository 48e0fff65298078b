"""Recipients: the kinds of parties that may request data (Procedure, cl. 3)."""

from dataclasses import dataclass
from enum import StrEnum

from makul.domain.identifiers import MemberCode


class RecipientKind(StrEnum):
    """Every kind that cl. 3 names, and no other."""

    STATE_BODY = "STATE_BODY"
    LAW_ENFORCEMENT = "LAW_ENFORCEMENT"
    SPECIAL_STATUS_BODY = "SPECIAL_STATUS_BODY"
    LOCAL_SELF_GOVERNMENT = "LOCAL_SELF_GOVERNMENT"
    BANK = "BANK"
    NON_BANK_FINANCIAL = "NON_BANK_FINANCIAL"
    PAYMENT_SYSTEM_OPERATOR = "PAYMENT_SYSTEM_OPERATOR"
    PAYMENT_ORGANISATION = "PAYMENT_ORGANISATION"
    MOBILE_OPERATOR = "MOBILE_OPERATOR"
    CERTIFICATION_CENTRE = "CERTIFICATION_CENTRE"
    GAMING = "GAMING"
    INSURANCE = "INSURANCE"
    STATE_NOTARY = "STATE_NOTARY"
    PRIVATE_NOTARY = "PRIVATE_NOTARY"

    @property
    def clause(self) -> str:
        """The sub-clause that makes this kind a recipient: `3a` … `3e`."""
        return _CLAUSE[self]


_K = RecipientKind

STATE_BODIES = frozenset({_K.STATE_BODY, _K.LAW_ENFORCEMENT, _K.SPECIAL_STATUS_BODY})
"""Bodies of state power (cl. 3 a and b)."""

PUBLIC_BODIES = STATE_BODIES | {_K.LOCAL_SELF_GOVERNMENT}
"""Bodies of state power and of local self-government (cl. 3 a to c), as cl. 5.3 names them."""

NOTARIES = frozenset({_K.STATE_NOTARY, _K.PRIVATE_NOTARY})
"""The natural persons of cl. 3 e."""

BOUND_BY_COMPETENCE = PUBLIC_BODIES | NOTARIES
"""The kinds that are recipients only *within their competence* (cl. 3 a to c and e)."""

_CLAUSE = dict.fromkeys(_K, "3d") | {
    _K.STATE_BODY: "3a",
    _K.LAW_ENFORCEMENT: "3a",
    _K.SPECIAL_STATUS_BODY: "3b",
    _K.LOCAL_SELF_GOVERNMENT: "3c",
    _K.STATE_NOTARY: "3e",
    _K.PRIVATE_NOTARY: "3e",
}


class RecipientState(StrEnum):
    """The state of a recipient; only an `ACTIVE` recipient is given anything."""

    ACTIVE = "ACTIVE"
    ON_HOLD = "ON_HOLD"
    """The operator stopped the recipient for a while; the hold can be released."""
    CUT_OFF = "CUT_OFF"
    """The authorised body stopped the recipient completely (cl. 12)."""
    REMOVED = "REMOVED"
    """The operator took the recipient off the register: it counts as unknown (RCP-01).

    Its row stays, because past decisions, months and cases name it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A party that may request data, as the operator registered it."""

    code: MemberCode
    kind: RecipientKind
    name: str
    state: RecipientState

    @property
    def is_registered(self) -> bool:
        """Whether the recipient is on the register. One that was removed counts as unknown."""
        return self.state is not RecipientState.REMOVED
