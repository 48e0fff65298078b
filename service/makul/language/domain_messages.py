"""The messages of the domain that operators read, for the catalogs.

The domain knows no language, because the service uses it too. The command line translates these
messages where it shows them. A test compares them with the domain.
"""

from typing import Final

from makul.language.translation import mark

DOMAIN_MESSAGES: Final = (
    mark("a PIN is 14 digits, the first of them 0, 1 or 2"),
    mark("the PIN's digits 2 to 9 are not a date"),
    mark("a member code is CLASS/CODE: COM/60000001"),
    mark("an agreement number is up to 64 letters, digits and ._/-"),
    mark("a purpose is written in capitals: ACCOUNT_OPENING"),
    mark("a month is written as 2026-11"),
    mark("the year is 1900 to 9000"),
    mark("the face image is neither JPEG nor JPEG 2000"),
    mark("the signature image is not PNG"),
    mark("finger images in a compression that is not exchanged"),
    mark("a finger image record of impossible length"),
    mark("no finger record"),
    mark("not a finger record of ISO/IEC 19794"),
    mark("a finger of unknown position"),
    mark("statements of several operators are not one report: {which}"),
    mark("statements of several months are not one report: {which}; give --earlier"),
    mark("two statements of one recipient and month were given: {which}"),
    mark("an earlier statement is of an earlier month, and no draft: {which}"),
    mark("an earlier statement is of a recipient of the report, but not {which}"),
)
