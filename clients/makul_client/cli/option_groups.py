"""Groups of options: a command takes an object, and its fields are options of the command line.

Several commands have the same options, and some options belong together by their meaning. A group
is a frozen dataclass whose fields are annotated for typer.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter that is a group by its options, and pass the group built from them.

    Raises `ValueError` if two options of a command have the same name.
    """
    plain = signature(command, eval_str=True)
    groups = {
        name: parameter.annotation
        for name, parameter in plain.parameters.items()
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation)
    }
    parameters: list[Parameter] = []
    for name, parameter in plain.parameters.items():
        parameters += _options_of(groups[name]) if name in groups else [parameter]

    @wraps(command)
    def run(*values: Any, **named: Any) -> None:
        for name, group in groups.items():
            named[name] = group(**{each.name: named.pop(each.name) for each in fields(group)})
        command(*values, **named)

    # typer reads the options of a command from both.
    vars(run)["__signature__"] = plain.replace(parameters=parameters)
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _options_of(group: Any) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name]
        )
        for each in fields(group)
    ]
