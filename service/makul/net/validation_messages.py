"""The words for what pydantic finds wrong in a file.

pydantic's own messages are for programmers: "Input should be a valid integer". A message here
states what is permitted, and never repeats the value.
"""

import re
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from makul.language.translation import mark, translate

_WORDS: Final = {
    kind: words
    for words, kinds in {
        mark("is missing"): "missing",
        mark("no such key"): "extra_forbidden",
        mark("must be text in quotes"): "string_type string_unicode",
        mark("must be a path in quotes"): "path_type",
        mark("must look like {pattern}"): "string_pattern_mismatch",
        mark("must have at least {min_length} characters"): "string_too_short",
        mark("must have at most {max_length} characters"): "string_too_long",
        mark("must be true or false"): "bool_type bool_parsing",
        mark("must be a whole number"): "int_type int_parsing int_parsing_size int_from_float",
        mark("must be a number"): "float_type float_parsing",
        mark("must be a number that is not infinite"): "finite_number",
        mark("must be above {gt}"): "greater_than",
        mark("must be at least {ge}"): "greater_than_equal",
        mark("must be below {lt}"): "less_than",
        mark("must be at most {le}"): "less_than_equal",
        mark("must be one of {expected}"): "enum literal_error",
        mark("must be a list in brackets"): "list_type tuple_type frozen_set_type",
        mark("must name at least {min_length}"): "too_short",
        mark("must name at most {max_length}"): "too_long",
        mark("must be a table"): "dict_type mapping_type model_type model_attributes_type",
    }.items()
    for kind in kinds.split()
}
"""The words, by pydantic's type of error."""
_NOT_PERMITTED: Final = mark("has a value that is not permitted")


def find_first_error(error: ValidationError) -> ErrorDetails:
    """Return the error to report: an unknown key, because a misspelt key is missing too."""
    errors = error.errors(include_url=False, include_input=False)
    return next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])


def describe_error(error: ErrorDetails) -> str:
    """Return what is wrong, to follow the key."""
    context = dict(error.get("ctx", {}))
    if error["type"] == "value_error":
        return translate(str(context["error"]))  # of ours, or of the domain
    if "expected" in context:
        context["expected"] = ", ".join(re.findall("'([^']*)'", context["expected"]))
    return translate(_WORDS.get(error["type"], _NOT_PERMITTED), **context)
