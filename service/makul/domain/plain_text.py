r"""Forbidden characters in texts of messages and documents, beyond those that a pattern names.

The published patterns name each control, format and private-use character of the Basic Multilingual
Plane. Characters beyond that plane are named here. An engine whose characters are UTF-16 units
(.NET, JavaScript) reads a range beyond the plane as a range of surrogates and refuses the whole
schema. `\p{C}` would be shorter, but generators of several languages cannot read it.
"""

import re
from typing import Final

# Unicode 16, General_Category Cf and Co beyond U+FFFF. Tag characters can write a second, invisible
# text behind a visible one.
_HIDDEN: Final = re.compile(
    "[\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f\U000f0000-\U0010ffff]"
)


def has_hidden_character(text: str) -> bool:
    """Return whether the text holds a format or private-use character beyond U+FFFF."""
    # Samples and scans are megabytes of base64; for them `isascii` avoids the search.
    return not text.isascii() and _HIDDEN.search(text) is not None
