"""Commands that are imported only when they are called.

`makul --help` needs only their names and the first lines of their help. Importing every command
takes longer than printing the help of one.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from makul.cli.usage import refuse_unreadable
from makul_language.help_pages import translate_loaded

_OF_THE_ROOT = {"install_completion", "show_completion"}


class LateCommand(TyperGroup):
    """A placeholder for a command or a group of commands until it is called or examined."""

    def __init__(self, name: str, purpose: str, load: Callable[[], typer.Typer]) -> None:
        super().__init__(name=name, help=purpose)
        # The base class sets these. Without them, `__getattr__` reads those of the command itself.
        del self.params, self.commands, self.epilog
        self._load = load

    @property
    def loaded(self) -> Any:
        """The imported command."""
        if "_loaded" not in vars(self):
            command = get_command(self._load())
            command.name = self.name
            # The application of a noun would offer shell completion again, which belongs to the
            # root.
            command.params = [each for each in command.params if each.name not in _OF_THE_ROOT]
            self._loaded = command
        return self._loaded

    def __getattr__(self, name: str) -> Any:
        if name in {"params", "commands", "epilog"}:
            return getattr(self.loaded, name)
        raise AttributeError(name)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Return the context of the imported command, which is then the one invoked."""
        if not getattr(self.loaded, "refuses_unreadable", False):
            refuse_unreadable(args)
        translate_loaded(self.loaded)
        return self.loaded.make_context(info_name, args, parent=parent, **extra)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return the completions that the imported command offers."""
        return self.loaded.shell_complete(ctx, incomplete)


def late_noun(noun: str, purpose: str) -> LateCommand:
    """Return the command group of one noun, which is the `app` of the module with its name."""
    return LateCommand(noun, purpose, lambda: import_module(f"makul.cli.{noun}").app)


def late_verb(verb: str, purpose: str, module: str) -> LateCommand:
    """Return a single command, which `module` adds to an application."""

    def load() -> typer.Typer:
        app = typer.Typer(add_completion=False)
        import_module(f"makul.cli.{module}").add_to(app)
        app.registered_commands = [
            command
            for command in app.registered_commands
            if command.callback is not None and command.callback.__name__ == verb
        ]
        return app

    return LateCommand(verb, purpose, load)
