"""The words for what pydantic finds wrong in a file that a person wrote.

pydantic's own messages are for programmers: "Input should be a valid integer". A message here
states what is permitted, and never repeats the value.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_TEXT: Final = "must be text in quotes"
_FLAG: Final = "must be true or false"
_WHOLE: Final = "must be a whole number"
_NUMBER: Final = "must be a number"
_LIST: Final = "must be a list in brackets"
_TABLE: Final = "must be a table"

_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "is missing",
        "extra_forbidden": "no such key",
        "string_type": _TEXT,
        "string_unicode": _TEXT,
        "path_type": "must be a path in quotes",
        "string_pattern_mismatch": "must look like {pattern}",
        "string_too_short": "must have at least {min_length} characters",
        "string_too_long": "must have at most {max_length} characters",
        "bool_type": _FLAG,
        "bool_parsing": _FLAG,
        "int_type": _WHOLE,
        "int_parsing": _WHOLE,
        "int_parsing_size": _WHOLE,
        "int_from_float": _WHOLE,
        "float_type": _NUMBER,
        "float_parsing": _NUMBER,
        "finite_number": "must be a number that is not infinite",
        "greater_than": "must be above {gt}",
        "greater_than_equal": "must be at least {ge}",
        "less_than": "must be below {lt}",
        "less_than_equal": "must be at most {le}",
        "enum": "must be one of {expected}",
        "literal_error": "must be one of {expected}",
        "list_type": _LIST,
        "tuple_type": _LIST,
        "frozen_set_type": _LIST,
        "too_short": "must name at least {min_length}",
        "too_long": "must name at most {max_length}",
        "dict_type": _TABLE,
        "mapping_type": _TABLE,
        "model_type": _TABLE,
        "model_attributes_type": _TABLE,
        "value_error": "{error}",
    }
)


def find_first_error(found: ValidationError) -> ErrorDetails:
    """Return the error to report: an unknown key, because a misspelt key is missing too."""
    errors = found.errors(include_url=False, include_input=False)
    return next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])


def describe_error(error: ErrorDetails) -> str:
    """Return what is wrong, to follow the key."""
    context = dict(error.get("ctx", {}))
    if "expected" in context:
        context["expected"] = ", ".join(re.findall("'([^']*)'", context["expected"]))
    return _WORDS.get(error["type"], "has a value that is not permitted").format_map(context)
