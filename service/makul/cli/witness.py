"""`makul ledger witness`: follow a log from outside, and cosign it while it only grows."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.cli.context import AsJson, examples, session, stopped_by_signal
from makul.cli.exit_codes import ExitCode
from makul.cli.output import complain, instant, local_time, show_json
from makul.language.translation import translate
from makul.witness.options import WitnessOptions

if TYPE_CHECKING:
    from makul.witness.runtime import RunningWitness
    from makul.witness.witness import WitnessRound

ALARMS = frozenset({"inconsistent", "unproven", "unverified"})
"""Results that show a fault of the log."""

_UNKNOWN = frozenset({"unavailable", "older"})
"""Results that show nothing new about the log: exit code 3 with --once."""

Log = Annotated[
    str | None,
    typer.Option(metavar="URL|DIR", help="The location at which the log is published."),
]
LogKey = Annotated[
    str | None, typer.Option(metavar="KEY|FILE", help="The verifier key of the log.")
]
Key = Annotated[Path | None, typer.Option(help="The key file of this witness.")]
State = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        help="The state directory of this witness; no other witness may use it.",
    ),
]
Also = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL|FILE",
        help="Another location that shows the log's checkpoint, such as another"
        " witness; repeatable.",
    ),
]
Once = Annotated[
    bool, typer.Option("--once", help="Run one round, and exit with a code for its result.")
]
Interval = Annotated[int, typer.Option(min=1, max=86_400, help="Seconds between two rounds.")]
FromStart = Annotated[
    bool, typer.Option("--from-start", help="Read all leaves again in every round.")
]
Bind = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="Serve the cosigned checkpoint at this address, read-only."
    ),
]
NewKey = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Create a key for a witness, and exit.")
]
Name = Annotated[
    str | None, typer.Option(help="The name of the new key: an address without https://.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command to `makul ledger`."""
    app.command(
        epilog=examples(
            "makul ledger witness --new-key witness.key --name witness.example/w1",
            "makul ledger witness --log https://log.example/makul --log-key log.vkey"
            " --key witness.key --state state --bind 127.0.0.1:8090",
            "makul ledger witness --log /srv/makul/published --log-key log.vkey"
            " --key witness.key --state state --once --json",
        )
    )(witness)


def witness(
    ctx: typer.Context,
    *,
    log: Log = None,
    log_key: LogKey = None,
    key: Key = None,
    state: State = None,
    also: Also = None,
    once: Once = False,
    interval: Interval = 5,
    from_start: FromStart = False,
    bind: Bind = None,
    new_key: NewKey = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Follow a log with only its public key, and cosign its checkpoints while it only grows.

    Never restore an earlier copy of the state directory. A witness that has lost its state must
    create a new key.

    Exit code 0 with --once means that the checkpoint was cosigned or is unchanged. Exit code 1
    means that the published log is inconsistent, unproved or not signed by its key. Exit code 3
    means that the result could not be determined.
    """
    if new_key is not None:
        _make_key(new_key, name, as_json=as_json)
        return
    if log is None or log_key is None or key is None or state is None:
        raise OperatorError(
            translate("say --log, --log-key, --key and --state; or make a key with --new-key")
        )
    options = WitnessOptions(
        log=log,
        log_key=log_key,
        key=key,
        state=state,
        also=tuple(also or ()),
        bind=_address(bind),
        from_start=from_start,
    )
    clock = session(ctx).runtime.clock
    from makul.witness.runtime import open_witness

    with open_witness(options, clock) as running:
        if once:
            raise typer.Exit(_code(_run_round(running, as_json=as_json)))
        _follow(running, interval, as_json=as_json)


def _make_key(path: Path, name: str | None, *, as_json: bool) -> None:
    if name is None:
        raise OperatorError(
            translate("say --name: by what the witness is known, such as witness.example/w1")
        )
    from makul.witness.runtime import new_witness_key

    vkey = new_witness_key(path, name)
    if as_json:
        show_json({"key": str(path), "vkey": vkey})
    else:
        typer.echo(vkey)
        hint = translate("Give this line to the log's operator and to those who verify the log.")
        sys.stderr.write(f"{hint}\n")


def _follow(running: "RunningWitness", interval: int, *, as_json: bool) -> None:
    stopped = stopped_by_signal()
    if running.port is not None:
        status = translate("serving the cosigned checkpoint on port {port}", port=running.port)
        sys.stderr.write(f"{status}\n")
    while not stopped.is_set():
        try:
            _run_round(running, as_json=as_json)
        except OperatorUnavailableError as error:
            complain(str(error))
        stopped.wait(interval)


def _run_round(running: "RunningWitness", *, as_json: bool) -> "WitnessRound":
    """Run one round and print its result in one line. Report an alarm on stderr as well."""
    done = running.run_once()
    typer.echo(_json(done, running.evidence_kept) if as_json else _line(done))
    sys.stdout.flush()
    if done.result in ALARMS:
        complain(_describe_alarm(done))
    return done


def _describe_alarm(done: "WitnessRound") -> str:
    if done.evidence:
        return translate(
            "ALARM: the log is {result}: {cause}; both checkpoints are kept in {path}. Nothing was"
            " cosigned",
            result=_result_word(done.result),
            cause=done.why,
            path=done.evidence,
        )
    return translate(
        "ALARM: the log is {result}: {cause}. Nothing was cosigned",
        result=_result_word(done.result),
        cause=done.why,
    )


def _result_word(result: str) -> str:
    """Return the result of a round for people, who read it of a log."""
    return {
        "cosigned": translate("cosigned", context="log"),
        "unchanged": translate("unchanged", context="log"),
        "unavailable": translate("unavailable", context="log"),
        "older": translate("older", context="log"),
        "unverified": translate("unverified", context="log"),
        "unproven": translate("unproven", context="log"),
        "inconsistent": translate("inconsistent", context="log"),
    }[result]


def _code(done: "WitnessRound") -> ExitCode:
    if done.result in ALARMS:
        return ExitCode.REFUSED
    return ExitCode.UNAVAILABLE if done.result in _UNKNOWN else ExitCode.DONE


def _line(done: "WitnessRound") -> str:
    size = translate(" {number} leaves", number=done.size) if done.size is not None else ""
    why = f": {done.why}" if done.why else ""
    return f"{local_time(done.at)} {_result_word(done.result):12}{size}{why}"


def _json(done: "WitnessRound", evidence_kept: int) -> str:
    result = {
        "at": instant(done.at),
        "result": done.result,
        "size": done.size,
        "shown": done.shown,
        "why": done.why or None,
        "evidence": str(done.evidence) if done.evidence is not None else None,
        "evidence_kept": evidence_kept,
    }
    return json.dumps(result, ensure_ascii=False)


def _address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9A-Za-z.\-]{1,253}):([0-9]{1,5})", text, re.ASCII)
    if match is None or int(match[2]) > 65_535:
        raise OperatorError(translate("--bind is HOST:PORT, such as 127.0.0.1:8090"))
    return match[1], int(match[2])
