"""A decision's reasons in a column are short and read back exactly, also in the former form."""

import json

import pytest

from makul.domain.reasons import Code, Reason
from makul.store.db.codecs import CodecError, codes_from_text, reasons_from_text, reasons_to_text

REASONS = (
    Reason(code=Code.AGR_03, field="purpose"),
    Reason(code=Code.AGR_04, field="address"),
    Reason(code=Code.AGR_04, field="surname"),
    Reason(code=Code.CNS_02, because=Code.SIG_06, field="consentDocument"),
    Reason(code=Code.AGR_06, retry_after=3_600),
)
PARTS = [
    (
        each.code.value,
        each.because.value if each.because is not None else None,
        each.field,
        each.retry_after,
    )
    for each in REASONS
]


def test_reasons_are_read_back_in_order() -> None:
    assert reasons_from_text(reasons_to_text(REASONS)) == PARTS
    assert codes_from_text(reasons_to_text(REASONS)) == tuple(each[0] for each in PARTS)
    assert reasons_from_text(reasons_to_text(())) == []


def test_the_form_of_earlier_programs_is_read() -> None:
    names = ("code", "because", "field", "retryAfter")
    text = json.dumps([dict(zip(names, each, strict=True)) for each in PARTS])

    assert reasons_from_text(text) == PARTS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "null",
        "{}",
        '"AGR-04"',
        "[7]",
        "[[]]",
        '[["AGR-04",null,null]]',
        '[["AGR-04",null,null,"a"],["AGR-04",null,null,"b"]]',
        '[ ["AGR-04",null,null,"a"]]',
        '[{"code":"AGR-04"}]',
        '[{"code":"AGR-04","because":null,"field":null,"retryAfter":null,"more":1}]',
        '[["AGR-04",null,null,"a"],{"code":"AGR-04"}]',
        "[" * 100_000,
    ],
)
def test_an_unwritten_form_is_refused(text: str) -> None:
    """Equal reasons in another form are a change by hand."""
    with pytest.raises(CodecError):
        reasons_from_text(text)
