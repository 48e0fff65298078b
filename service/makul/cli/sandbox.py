"""`makul sandbox`: a service with synthetic citizens, and certificates for keys of a tester."""

from pathlib import Path
from typing import Annotated

import typer

from makul.admin.errors import OperatorError
from makul.admin.requests import Certification, KeyUse, SandboxOptions
from makul.cli.context import examples, session
from makul.language.translation import translate

DIRECTORY = Path("build/sandbox")
_CHOICES = (
    *("host", "port", "xroad_port", "mtls_port", "oversight_port", "subject_port"),
    *("people", "seed", "history"),
)
"""The options that an existing sandbox has already fixed."""

_Keep = Annotated[
    bool,
    typer.Option(
        "--keep", help="Start the existing sandbox of this directory again, with its records."
    ),
]
_Port = Annotated[
    int,
    typer.Option(min=0, max=65531, help="The port for wsse; 0 takes free ports for all five."),
]
_XRoadPort = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="The port for X-Road; by default the port after --port."),
]
_MtlsPort = Annotated[
    int | None,
    typer.Option(
        min=0, max=65535, help="The port for mTLS; by default the second port after --port."
    ),
]
_OversightPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="The port for the supervising bodies; by default the third port after --port.",
    ),
]

_SubjectPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="The port for portals of citizens; by default the fourth port after --port.",
    ),
]
_History = Annotated[
    int,
    typer.Option(
        min=0,
        max=10_000,
        help="The number of requests of the last month that the sandbox has in its record, to try"
        " the monthly statement.",
    ),
]

app = typer.Typer(
    invoke_without_command=True,
    epilog=examples(
        "makul sandbox",
        "makul sandbox --port 9000 --dir build/sandbox",
        "makul sandbox --keep --dir build/sandbox",
        "makul sandbox --history 300",
    ),
)


@app.callback()
def run(
    ctx: typer.Context,
    *,
    directory: Annotated[
        Path, typer.Option("--dir", help="The directory for keys, documents and sandbox.json.")
    ] = DIRECTORY,
    keep: _Keep = False,
    host: Annotated[
        str, typer.Option(help="The address to listen on; never a public address.")
    ] = "127.0.0.1",
    port: _Port = 8080,
    xroad_port: _XRoadPort = None,
    mtls_port: _MtlsPort = None,
    oversight_port: _OversightPort = None,
    subject_port: _SubjectPort = None,
    people: Annotated[
        int, typer.Option(min=25, max=10_000, help="The number of synthetic citizens.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="The seed; the same seed gives the same citizens.")] = 1,
    history: _History = 0,
) -> None:
    """Run a service with synthetic citizens to test any SOAP stack. No citizen in it is real."""
    if ctx.invoked_subcommand is not None:
        return
    options = SandboxOptions(
        directory=directory,
        host=host,
        port=port,
        xroad_port=xroad_port,
        mtls_port=mtls_port,
        oversight_port=oversight_port,
        subject_port=subject_port,
        people=people,
        seed=seed,
        history=history,
        keep=keep,
        given=frozenset(each for each in _CHOICES if _is_given(ctx, each)),
    )
    raise typer.Exit(session(ctx).runtime.sandbox(options))


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@app.command(
    epilog=examples(
        "makul sandbox issue bank --csr hsm.csr --output hsm.cert.pem",
        "makul sandbox issue bank --public-key hsm.pub.pem --for sealing --output"
        " encryption.cert.pem",
        "makul sandbox issue --citizen 7 --csr card.csr --output card.cert.pem",
    )
)
def issue(
    ctx: typer.Context,
    *,
    party: Annotated[
        str | None,
        typer.Argument(help="A party from sandbox.json: bank, notary, police and so on."),
    ] = None,
    csr: Annotated[
        Path | None, typer.Option(help="A certificate request (PKCS #10, PEM or DER).")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="A public key (PEM or DER), if there is no request.")
    ] = None,
    output: Annotated[Path, typer.Option(help="A new file for the certificate, in PEM.")],
    use: Annotated[KeyUse, typer.Option("--for", help="The use of the key.")] = KeyUse.MESSAGE,
    citizen: Annotated[
        int | None,
        typer.Option(min=0, help="Certify the key of a citizen, by number from sandbox.json."),
    ] = None,
    directory: Annotated[
        Path, typer.Option("--dir", help="The directory of the sandbox.")
    ] = DIRECTORY,
) -> None:
    """Certify a key of your own for a party or citizen of the sandbox, to test your own HSM.

    The certificate of a party is registered at once. The private key stays where it is.
    """
    if (party is None) is (citizen is None):
        raise OperatorError(translate("name either a party or --citizen; sandbox.json lists both"))
    if (csr is None) is (public_key is None):
        raise OperatorError(translate("give either --csr or --public-key"))
    if citizen is not None and use is not KeyUse.MESSAGE:
        raise OperatorError(translate("--for belongs to a party; a citizen's key signs consents"))
    request = Certification(
        directory=directory,
        party=party,
        citizen=citizen,
        use=use,
        key_file=csr or public_key or output,
        is_request=csr is not None,
        output=output,
    )
    typer.echo(session(ctx).runtime.certify(request), err=True)
