"""The witness as the command line runs it.

It is built from files and an address, holds the lock on its state, and serves its checkpoint.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.app.ports import Clock
from makul.language.translation import translate, translate_cause, translate_error
from makul.ledger.signed_note import COSIGNATURE_V1, NoteError
from makul.trust.keys.files import KeyFileError
from makul.trust.tlog.note_keys import Cosigner, NoteVerifier, new_key_file
from makul.witness.http import served
from makul.witness.log_source import ReadNote, open_note, open_source
from makul.witness.options import WitnessOptions
from makul.witness.state import StateError, WitnessStateDir
from makul.witness.witness import WitnessProgram, WitnessRound


@dataclass(frozen=True, slots=True)
class RunningWitness:
    """A running witness that holds the lock on its state."""

    program: WitnessProgram
    port: int | None

    @property
    def evidence_kept(self) -> int:
        """The number of pairs of contradicting checkpoints that are stored."""
        return self.program.state.evidence()

    def run_once(self) -> WitnessRound:
        """Do one round; raises `OperatorUnavailableError` if the state cannot be used."""
        try:
            return self.program.run_once()
        except StateError as error:
            raise OperatorUnavailableError(str(error)) from None


@contextmanager
def open_witness(options: WitnessOptions, clock: Clock) -> Iterator[RunningWitness]:
    """Open a witness with exclusive use of its state; raises `OperatorError`.

    It serves its checkpoint if the options name an address.
    """
    try:
        source = open_source(options.log)
    except ValueError as error:
        raise OperatorError(f"--log {options.log}: {error}") from None
    also = tuple(_open_note(location) for location in options.also)
    log = _log_key(options.log_key)
    try:
        cosigner = Cosigner.load(options.key)
    except KeyFileError as error:
        raise OperatorUnavailableError(str(error)) from None
    state = WitnessStateDir(options.state)
    program = WitnessProgram(
        source=source,
        log=log,
        cosigner=cosigner,
        state=state,
        clock=clock,
        from_start=options.from_start,
        also=also,
    )
    try:
        with state.held(), _serve_checkpoint(options, state) as port:
            yield RunningWitness(program, port)
    except StateError as error:
        raise OperatorUnavailableError(str(error)) from None


def new_witness_key(path: Path, name: str) -> str:
    """Create a witness's key file and return its verifier key; raises `OperatorError`."""
    try:
        return new_key_file(path, name, COSIGNATURE_V1)
    except (NoteError, KeyFileError) as error:
        raise OperatorError(translate_error(error)) from None


@contextmanager
def _serve_checkpoint(options: WitnessOptions, state: WitnessStateDir) -> Iterator[int | None]:
    if options.bind is None:
        yield None
        return
    host, port = options.bind
    with ExitStack() as stack:
        try:
            bound = stack.enter_context(served(host, port, state.shown))
        except OSError as error:
            raise OperatorUnavailableError(
                f"--bind {host}:{port}: {translate_cause(error.strerror)}"
            ) from None
        yield bound


def _open_note(location: str) -> ReadNote:
    try:
        return open_note(location)
    except ValueError as error:
        raise OperatorError(f"--also {location}: {error}") from None


def _log_key(key: str) -> NoteVerifier:
    """Load a verifier key that is given as text or as a file."""
    try:
        if os.path.isfile(key):  # noqa: PTH113 - a key as text may be too long for a path
            return NoteVerifier.load(Path(key))
        return NoteVerifier.parse(key)
    except KeyFileError as error:
        raise OperatorError(str(error)) from None
    except ValueError as error:
        raise OperatorError(
            translate(
                "--log-key: neither a file nor a log's verifier key: {problem}",
                problem=translate_error(error),
            )
        ) from None
