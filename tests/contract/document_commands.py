"""The programs as documents mention them: targets of make, and trees of commands and options."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

import typer
from document_pages import Page

import makul.cli
import makul_client.cli.main
import makul_client.cli.oversight.main
from makul.admin.runtime import Runtime
from makul_client.cli.prompts import PIN_VARIABLE

_ASSIGNMENT: Final = re.compile(r"[A-Z_]+=.*", re.DOTALL)
_PREFIXES: Final = (".venv/bin/", "$(BIN)/")


class Programs:
    """Everything of ours that a document may ask its reader to run."""

    def __init__(self, makefile: str) -> None:
        self.make = Makefile(makefile)
        self.trees: dict[str, Any] = {
            "makul": typer.main.get_command(makul.cli.build(Runtime())),
            "makul-client": typer.main.get_command(makul_client.cli.main.app),
            "makul-oversight": typer.main.get_command(makul_client.cli.oversight.main.app),
        }
        self.variables = frozenset(_variables(self.trees.values()))
        """Environment variables that replace options."""

    def know(self, words: list[str]) -> bool:
        """Return whether this is a command of ours."""
        return bool(words) and _bare(words[0]) in {"make", *self.trees}

    def untrue(self, words: list[str], *, whole: bool) -> str | None:
        """Return what is wrong with a command, or None if it is right or not ours.

        With `whole`, everything that the command requires must be present.
        """
        if not self.know(words):
            return None
        name, rest = _bare(words[0]), words[1:]
        if name in self.trees:
            return _untrue_command(self.trees[name], name, rest, whole=whole)
        problem = self.make.untrue(rest)
        for handed in () if problem else self.make.handed_on(rest):
            problem = problem or self.untrue(handed, whole=True)
        return problem

    def help_pages(self) -> Iterator[Page]:
        """Return the commands in every help text, each text as a page."""
        for name, tree in self.trees.items():
            yield from _help_pages(name, tree)


class Makefile:
    """Targets, variables and recipes, as far as documents mention them."""

    def __init__(self, content: str) -> None:
        self.helped: dict[str, int] = {}
        """Targets that `make help` lists, with their line."""
        self._help: dict[str, str] = {}
        self._recipes: dict[str, list[str]] = {}
        self._variables = frozenset(re.findall(r"\$\((\w+)\)", content))
        target = ""
        for number, line in enumerate(content.splitlines(), start=1):
            if found := re.match(r"([a-z-]+):(?!=)(.*)", line):
                target, text = found[1], found[2].partition("##")[2]
                self._recipes[target] = []
                if text:
                    self.helped[target], self._help[target] = number, text
            elif line.startswith("\t$(BIN)/makul") and target:
                self._recipes[target].append(line.strip())

    def untrue(self, words: list[str]) -> str | None:
        """Return what is wrong with the words after `make`, or None."""
        variables, targets = _given_to_make(words)
        for name in variables.keys() - self._variables:
            return f"make knows no variable {name}"
        for target in targets:
            if target not in self._recipes:
                return f"make knows no target {target}"
        return None

    def handed_on(self, words: list[str]) -> Iterator[list[str]]:
        """Return the commands that known targets run, with the ARGS given to them."""
        variables, targets = _given_to_make(words)
        for target in targets:
            for line in self._recipes[target]:
                yield shlex.split(line.replace("$(ARGS)", variables.get("ARGS", "")))

    def examples(self) -> Iterator[tuple[int, list[str]]]:
        """Return targets whose help shows ARGS, called in this way, with the line of that help."""
        for target, number in self.helped.items():
            for args in re.findall(r'ARGS="([^"]*)"', self._help[target]):
                yield number, ["make", target, f"ARGS={args}"]


def _given_to_make(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the variables and the targets among the words."""
    variables = dict(word.split("=", 1) for word in words if _ASSIGNMENT.fullmatch(word))
    targets = [word for word in words if not _ASSIGNMENT.fullmatch(word) and word[0] != "-"]
    return variables, targets


def _bare(program: str) -> str:
    for prefix in _PREFIXES:
        program = program.removeprefix(prefix)
    return program


def simple_commands(line: str) -> Iterator[list[str]]:
    """Return the commands in a line of shell, split at pipes and lists, without redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    to_file = False
    for token in lexer:
        if set(token) <= set("|&;()"):
            yield words
            words = []
        elif set(token) <= set("<>"):
            to_file = True
        elif to_file or (not words and _ASSIGNMENT.fullmatch(token)):
            to_file = False
        else:
            words.append(token)
    yield words


def _untrue_command(root: Any, program: str, words: list[str], *, whole: bool) -> str | None:
    """Walk the command tree along the words; `whole` also checks what is required."""
    command, context, path, rest = root, None, program, words
    while True:
        command = getattr(command, "loaded", command)  # makul imports its commands late
        context = command.context_class(
            command, parent=context, info_name=path, **command.context_settings
        )
        try:
            parameters, rest, _ = command.make_parser(context).parse_args(args=list(rest))
        except Exception as error:  # noqa: BLE001 - a usage error of a library that typer vendors
            return f"{path}: {getattr(error, 'message', error) or type(error).__name__}"
        if "help" in parameters:
            return None
        if not hasattr(command, "commands"):
            return _untrue_leaf(command, path, parameters, rest, whole=whole)
        if not rest:
            stands_alone = getattr(command, "invoke_without_command", False)
            return f"{path}: which command?" if whole and not stands_alone else None
        if rest[0] not in command.commands:
            return f"{path} has no command {rest[0]}"
        command, path, rest = command.commands[rest[0]], f"{path} {rest[0]}", rest[1:]


def _untrue_leaf(
    command: Any, path: str, parameters: Mapping[str, Any], rest: list[str], *, whole: bool
) -> str | None:
    if rest:
        return f"{path}: {rest[0]} is one too many"
    for parameter in command.params:
        value = parameters.get(parameter.name)
        is_given = isinstance(value, str | list | bool) or bool(value)
        if whole and parameter.required and not is_given and not parameter.envvar:
            return f"{path}: {parameter.opts[0]} is missing"
        choices = _choices(parameter)
        if choices and isinstance(value, str) and value not in choices:
            return f"{path}: {value} is not one of {', '.join(choices)}"
    return None


def _choices(parameter: Any) -> list[str]:
    """Return the values that an option may have, or nothing if they are not a list."""
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(each.value) for each in annotation]
    return []


def _help_pages(path: str, command: Any) -> Iterator[Page]:
    """Return the help and examples of every command, as a page whose commands are in a block."""
    texts = "\n".join((command.help or "", command.epilog or ""))
    whole_lines = re.sub(r"\\+\n\s*", "", texts).splitlines()
    program = path.partition(" ")[0]
    commands = [f"$ {line.strip()}" for line in whole_lines if line.split()[:1] == [program]]
    yield Page(f"{path} --help", "\n".join(["```", *commands, "```"]))
    for name, inner in getattr(command, "commands", {}).items():
        yield from _help_pages(f"{path} {name}", inner)


def _variables(commands: Iterable[Any]) -> Iterator[str]:
    yield PIN_VARIABLE  # this option replaces a question
    for command in commands:
        yield from (str(each.envvar) for each in command.params if each.envvar)
        yield from _variables(getattr(command, "commands", {}).values())
