"""The closed catalogue of reasons: one code, one meaning, one clause.

The texts of the reasons, in Kyrgyz, Russian and English, are in `texts/codes.toml`.
"""

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum

from makul.domain.causes import Cause


class Retry(StrEnum):
    """The way in which a caller may retry."""

    NO = "N"
    AFTER_FIXING = "F"
    """Ask again under a new id, once the cause is removed."""
    LATER = "L"
    """Ask again later with the same id, which stays open."""


class Side(StrEnum):
    """The party that can remove the cause."""

    RECIPIENT = "R"
    CITIZEN = "C"
    OPERATOR = "O"
    NOBODY = "-"
    """Nothing can be corrected: the answer is no."""


class Code(StrEnum):
    """The closed list of reasons. The catalogue below gives the meaning of each."""

    REQ_01 = "REQ-01"
    REQ_02 = "REQ-02"
    REQ_03 = "REQ-03"
    REQ_04 = "REQ-04"
    REQ_05 = "REQ-05"
    REQ_06 = "REQ-06"
    REQ_07 = "REQ-07"
    REQ_08 = "REQ-08"
    REQ_09 = "REQ-09"
    SIG_01 = "SIG-01"
    SIG_02 = "SIG-02"
    SIG_03 = "SIG-03"
    SIG_04 = "SIG-04"
    SIG_05 = "SIG-05"
    SIG_06 = "SIG-06"
    SIG_07 = "SIG-07"
    SIG_08 = "SIG-08"
    SIG_09 = "SIG-09"
    SIG_10 = "SIG-10"
    RCP_01 = "RCP-01"
    RCP_02 = "RCP-02"
    RCP_03 = "RCP-03"
    RCP_04 = "RCP-04"
    RCP_05 = "RCP-05"
    AGR_01 = "AGR-01"
    AGR_02 = "AGR-02"
    AGR_03 = "AGR-03"
    AGR_04 = "AGR-04"
    AGR_05 = "AGR-05"
    AGR_06 = "AGR-06"
    AGR_07 = "AGR-07"
    CNS_01 = "CNS-01"
    CNS_02 = "CNS-02"
    CNS_03 = "CNS-03"
    CNS_04 = "CNS-04"
    CNS_05 = "CNS-05"
    CNS_06 = "CNS-06"
    CNS_07 = "CNS-07"
    CNS_08 = "CNS-08"
    CNS_09 = "CNS-09"
    CNS_10 = "CNS-10"
    CNS_11 = "CNS-11"
    CNS_12 = "CNS-12"
    CNS_13 = "CNS-13"
    CNS_14 = "CNS-14"
    CNS_15 = "CNS-15"
    CNS_16 = "CNS-16"
    LAW_01 = "LAW-01"
    LAW_02 = "LAW-02"
    LAW_03 = "LAW-03"
    LAW_04 = "LAW-04"
    LAW_05 = "LAW-05"
    LAW_06 = "LAW-06"
    LAW_07 = "LAW-07"
    LAW_08 = "LAW-08"
    LAW_09 = "LAW-09"
    MAT_01 = "MAT-01"
    MAT_02 = "MAT-02"
    MAT_03 = "MAT-03"
    MAT_04 = "MAT-04"
    MAT_05 = "MAT-05"
    MAT_06 = "MAT-06"
    REL_01 = "REL-01"
    REL_02 = "REL-02"
    OVR_01 = "OVR-01"
    OVR_02 = "OVR-02"
    OVR_03 = "OVR-03"
    OVR_04 = "OVR-04"
    OVR_05 = "OVR-05"
    OVR_06 = "OVR-06"
    SUB_01 = "SUB-01"
    SUB_02 = "SUB-02"
    SUB_03 = "SUB-03"
    OPS_01 = "OPS-01"
    OPS_02 = "OPS-02"
    OPS_03 = "OPS-03"
    OPS_99 = "OPS-99"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """The clause of a code, the party that can remove its cause, and the way to retry."""

    clause: str
    retry: Retry
    side: Side


# Columns: code, clause, retry, side. REQ-* and OPS-* follow from cl. 8 to 10 (the technical
# solution and its request-response mode). SIG-* follow from cl. 4 (a signature under the law on
# electronic signatures).
_TABLE = """
REQ-01 10 F R    REQ-02 8 F R     REQ-03 10 F R    REQ-04 10 N R    REQ-05 10 L O
REQ-06 8 L R     REQ-07 8 F R     REQ-08 7 F R     REQ-09 10 N R
SIG-01 4 F R     SIG-02 4 F R     SIG-03 4 F R     SIG-04 4 F R     SIG-05 4 F R
SIG-06 4 N R     SIG-07 4 L O     SIG-08 4 F R     SIG-09 4 F R     SIG-10 4 F R
RCP-01 3 N R     RCP-02 7 N R     RCP-03 12 N R    RCP-04 7 F R     RCP-05 16 F R
AGR-01 7 N R     AGR-02 12 N R    AGR-03 7 F R     AGR-04 7 F R     AGR-05 7 F R     AGR-06 7 L R
AGR-07 3 F R
CNS-01 4 F R     CNS-02 4 F C     CNS-03 4 F C     CNS-04 4 F C     CNS-05 4 N C     CNS-06 4 N R
CNS-07 4 F R     CNS-08 4 F R     CNS-09 4 F R     CNS-10 4 F R     CNS-11 4 F C     CNS-12 4 F R
CNS-13 4 F R     CNS-14 4 F R     CNS-15 4 F R     CNS-16 4 F R
LAW-01 5 F R     LAW-02 5 N R     LAW-03 5.1 F R   LAW-04 5.3 F R   LAW-05 5 F R     LAW-06 5 F R
LAW-07 5 F R     LAW-08 5 N R     LAW-09 5 F R
MAT-01 10 N -    MAT-02 10 F R    MAT-03 10 F R    MAT-04 10 F R    MAT-05 4 N C     MAT-06 10 L R
REL-01 10 N O    REL-02 14 N O
OVR-01 11 F R    OVR-02 11 F R    OVR-03 11 F R    OVR-04 11 F R    OVR-05 12 F R    OVR-06 11 N R
SUB-01 11 F R    SUB-02 11 F C    SUB-03 4 F C
OPS-01 9 L O     OPS-02 10 L O    OPS-03 10 L O    OPS-99 10 L O
"""


def _read_table() -> dict[Code, CatalogueEntry]:
    cells = iter(_TABLE.split())
    return {
        Code(code): CatalogueEntry(clause, Retry(retry), Side(side))
        for code, clause, retry, side in zip(cells, cells, cells, cells, strict=True)
    }


CATALOGUE = _read_table()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """The reason for a decision.

    `because` names the cause inside a document: a consent whose signature fails is CNS-02 because
    SIG-*. `field` is the name of the element or attribute concerned, never its value. `retry_after`
    is in seconds.
    """

    code: Code
    because: Code | None = None
    field: str | None = None
    retry_after: int | None = None
    cause: Cause | None = dataclass_field(default=None, compare=False)
    """The exact cause, only for the text. No program may decide by it."""

    @property
    def clause(self) -> str:
        """The clause of the Procedure that this reason implements."""
        return CATALOGUE[self.code].clause

    @property
    def side(self) -> Side:
        """The party that can remove the cause.

        It is the party of `because` if that cause passes by itself.
        """
        return CATALOGUE[self.text_code].side

    @property
    def retry(self) -> Retry:
        """The way to retry: later if the cause passes by itself, otherwise as the code says."""
        return CATALOGUE[self.text_code].retry

    @property
    def text_code(self) -> Code:
        """The code whose text applies.

        That of `because` if it passes by itself, otherwise `code`.
        """
        if self.because is not None and CATALOGUE[self.because].retry is Retry.LATER:
            return self.because
        return self.code

    def __bool__(self) -> bool:
        raise TypeError("compare a reason's code; it has no truth of its own")


def leaves_open(reasons: tuple[Reason, ...]) -> bool:
    """Return whether a decision with these reasons leaves the request id open.

    One reason with retry L is enough.
    """
    return any(reason.retry is Retry.LATER for reason in reasons)
