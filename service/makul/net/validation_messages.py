"""The words for what pydantic finds wrong in a file that a person wrote.

pydantic's own messages are for programmers: "Input should be a valid integer". A message here
states what is permitted, and never repeats the value.
"""

import re
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_WORDS: Final = {
    kind: words
    for words, kinds in {
        "is missing": "missing",
        "no such key": "extra_forbidden",
        "must be text in quotes": "string_type string_unicode",
        "must be a path in quotes": "path_type",
        "must look like {pattern}": "string_pattern_mismatch",
        "must have at least {min_length} characters": "string_too_short",
        "must have at most {max_length} characters": "string_too_long",
        "must be true or false": "bool_type bool_parsing",
        "must be a whole number": "int_type int_parsing int_parsing_size int_from_float",
        "must be a number": "float_type float_parsing",
        "must be a number that is not infinite": "finite_number",
        "must be above {gt}": "greater_than",
        "must be at least {ge}": "greater_than_equal",
        "must be below {lt}": "less_than",
        "must be at most {le}": "less_than_equal",
        "must be one of {expected}": "enum literal_error",
        "must be a list in brackets": "list_type tuple_type frozen_set_type",
        "must name at least {min_length}": "too_short",
        "must name at most {max_length}": "too_long",
        "must be a table": "dict_type mapping_type model_type model_attributes_type",
        "{error}": "value_error",
    }.items()
    for kind in kinds.split()
}
"""The words, by pydantic's type of error."""


def find_first_error(error: ValidationError) -> ErrorDetails:
    """Return the error to report: an unknown key, because a misspelt key is missing too."""
    errors = error.errors(include_url=False, include_input=False)
    return next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])


def describe_error(error: ErrorDetails) -> str:
    """Return what is wrong, to follow the key."""
    context = dict(error.get("ctx", {}))
    if "expected" in context:
        context["expected"] = ", ".join(re.findall("'([^']*)'", context["expected"]))
    return _WORDS.get(error["type"], "has a value that is not permitted").format_map(context)
