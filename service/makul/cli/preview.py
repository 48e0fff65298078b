"""The preview of every change: without --apply, a command shows what it would do."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from makul.cli.context import AsJson
from makul.cli.output import Facts, show_facts, show_json
from makul.language.translation import mark, translate

Apply = Annotated[
    bool,
    typer.Option(
        "--apply",
        help="Carry out the change. Without this option the command only shows a preview.",
    ),
]

_HINT = mark("Nothing was changed. To do it, give the same command with --apply.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedChange:
    """A change that a command only previews unless it is called with --apply."""

    apply: bool
    as_json: bool

    def apply_or_preview(self, name: str, facts: Facts, act: Callable[[], object]) -> None:
        """Carry out the change if `apply` is set, and show it or its preview."""
        if self.apply:
            act()
        self.show(name, facts)

    def show(self, name: str, facts: Facts) -> None:
        """Show the change, or its preview.

        JSON contains the facts beside `change` (the kind of change) and `applied` (whether it was
        done).
        """
        if self.as_json:
            show_json({"change": name, "applied": self.apply, **facts})
            return
        title = mark("Done: {change}") if self.apply else mark("Would do: {change}")
        typer.echo(translate(title, change=translate(name)))
        show_facts(facts, as_json=False)
        if not self.apply:
            sys.stderr.write(f"{translate(_HINT)}\n")


def offer_preview(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --apply and --json, and pass both on as its argument `change`."""
    plain = signature(command)

    @wraps(command)
    def run(*values: Any, apply: bool, as_json: bool, **named: Any) -> None:
        command(*values, **named, change=PreviewedChange(apply=apply, as_json=as_json))

    options = (
        Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
        for name, annotation in (("apply", Apply), ("as_json", AsJson))
    )
    own = (each for each in plain.parameters.values() if each.name != "change")
    # typer reads the options of a command from its signature.
    vars(run)["__signature__"] = plain.replace(parameters=(*own, *options))
    return run
