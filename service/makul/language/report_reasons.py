"""The reasons of validation reports for people.

A report is evidence. It is stored, compared with later reports, and written in English for every
operator. So `trust` only marks these texts, and the command line translates them where it shows a
report. A text with values is recognised by its template.
"""

import re
from functools import cache
from typing import Final

from makul.language.translation import mark, translate

CERTIFICATE_PATH: Final = mark("certificate path: {why}")
TIMESTAMP_PATH: Final = mark("the timestamp's certificate path: {why}")
SIGNATURE_TIMESTAMP: Final = mark("signature timestamp: {why}")
ALGORITHM_TERM: Final = mark("{why}: {algorithm} counted until {day}")
LOCAL_TIME: Final = mark(
    "{why}, by {hours} h {minutes} min: local time written as UTC? Write UTC with Z, or local time"
    " with its offset, such as +06:00"
)
MISSING_OR_REPEATED: Final = mark("{name} is missing or repeated")
OTHER_SERIAL_NUMBER: Final = mark(
    "SigningCertificate states another serial number than the certificate's"
)
OTHER_ISSUER: Final = mark("SigningCertificate states another issuer than the certificate's")

REASON_TEMPLATES: Final = (
    TIMESTAMP_PATH,
    SIGNATURE_TIMESTAMP,
    CERTIFICATE_PATH,
    LOCAL_TIME,
    ALGORITHM_TERM,
    MISSING_OR_REPEATED,
)
"""The templates with values. `{why}` is a reason itself."""


def translate_reason(why: str) -> str:
    """Return the reason of a report in the language in use.

    A reason that an earlier release worded in another way remains English.
    """
    for template, pattern in _patterns():
        match = pattern.fullmatch(why)
        if match is not None:
            values = match.groupdict()
            if "why" in values:
                values["why"] = translate_reason(values["why"])
            if "algorithm" in values:
                values["algorithm"] = translate(values["algorithm"])
            return translate(template, **values)
    return translate(why)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each template with the pattern of its texts."""
    return tuple((each, re.compile(_pattern(each))) for each in REASON_TEMPLATES)


def _pattern(template: str) -> str:
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template))
