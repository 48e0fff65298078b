"""The command that writes an officer's profile and checks it before it is written."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from makul_client.cli.late_commands import late
from makul_client.cli.options import as_typed, officer_examples
from makul_client.cli.output import print_line
from makul_client.cli.output_files import write_new
from makul_client.cli.prompts import ask
from makul_client.cli.run import report_errors
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client.officer_profile import OfficerProfile
else:
    OfficerProfile = late("officer_profile", "OfficerProfile")


commands = typer.Typer()
"""Its command is one of `makul-oversight` (`cli.oversight.main`)."""


BodyOption = Annotated[
    str | None, typer.Option(help="The member code of your body, as GOV/70000009.")
]
IdentifierOption = Annotated[
    str | None, typer.Option(help="Your identifier, as the operator registered it.")
]
UrlOption = Annotated[
    str | None,
    typer.Option(help="The address of the service, as https://makul.example/v1/oversight."),
]
ChannelOption = Annotated[str, typer.Option(help="wsse, mtls or xroad.")]
KeyOption = Annotated[Path | None, typer.Option(help="Your private key, in PEM.")]
CertificateOption = Annotated[Path | None, typer.Option(help="Your certificate, in PEM.")]
KeyPasswordEnvOption = Annotated[
    str | None, typer.Option(help="The variable that contains the password of the key.")
]
TlsCaOption = Annotated[
    Path | None, typer.Option(help="The authorities of the server's TLS certificate.")
]
XroadClientOption = Annotated[str | None, typer.Option(help="Your subsystem, on channel xroad.")]
XroadServiceOption = Annotated[
    str | None, typer.Option(help="The operator's subsystem, on channel xroad.")
]
OperatorOption = Annotated[
    str | None, typer.Option(help="The member code of the operator, as GOV/70000001.")
]
OperatorNameOption = Annotated[str, typer.Option(help="The name of the operator.")]
OperatorCertificateOption = Annotated[
    list[Path] | None, typer.Option(help="A certificate of receipts; may be repeated.")
]
AnchorOption = Annotated[
    list[Path] | None, typer.Option(help="A trusted root certificate; may be repeated.")
]
IntermediateOption = Annotated[
    list[Path] | None, typer.Option(help="An intermediate certificate; may be repeated.")
]
CrlOption = Annotated[
    list[Path] | None,
    typer.Option(help="A certificate revocation list; may be repeated."),
]


@commands.command(
    epilog=officer_examples(
        "makul-oversight init inspector.toml",
    )
)
def init(
    *,
    file: Annotated[Path, typer.Argument(help="The new file for the profile.")],
    body: BodyOption = None,
    identifier: IdentifierOption = None,
    url: UrlOption = None,
    channel: ChannelOption = "wsse",
    key: KeyOption = None,
    certificate: CertificateOption = None,
    key_password_env: KeyPasswordEnvOption = None,
    tls_ca: TlsCaOption = None,
    xroad_client: XroadClientOption = None,
    xroad_service: XroadServiceOption = None,
    operator: OperatorOption = None,
    operator_name: OperatorNameOption = "",
    operator_certificate: OperatorCertificateOption = None,
    anchor: AnchorOption = None,
    intermediate: IntermediateOption = None,
    crl: CrlOption = None,
) -> None:
    """Write an officer's profile.

    What an option does not give is asked at the terminal. The operator hands over its certificates
    and its codes in person or in writing. Nothing is sent.
    """
    with report_errors(as_json=False):
        tables: dict[str, dict[str, Any]] = {
            "officer": _officer_table(body, identifier),
            "service": {
                "url": _ask(url, translate("Address of the service"), "--url"),
                "channel": channel,
                "tls_ca": tls_ca,
            },
            "operator": {
                **_operator_table(operator, operator_name, operator_certificate, anchor),
                "intermediates": intermediate,
                "crls": crl,
            },
        }
        if channel == "xroad":
            tables["xroad"] = _xroad_table(xroad_client, xroad_service)
        elif channel == "mtls":
            own = _own_credentials(key, certificate)
            tables["service"] |= {f"tls_{name}": value for name, value in own.items()}
        else:
            own = _own_credentials(key, certificate)
            tables["signing"] = {**own, "key_password_env": key_password_env}
        written = _toml(tables, file)
        OfficerProfile.check(written, file)
        write_new(file, written.encode())
        print_line(translate("{file}: the profile is written.", file=file))


def _officer_table(body: str | None, identifier: str | None) -> dict[str, Any]:
    return {
        "body": _ask(body, translate("Member code of your body"), "--body"),
        "identifier": as_typed(identifier),
        "receipts": "receipts",
    }


def _operator_table(
    code: str | None, name: str, certificates: list[Path] | None, anchors: list[Path] | None
) -> dict[str, Any]:
    return {
        "code": _ask(code, translate("Member code of the operator"), "--operator"),
        "name": as_typed(name) or "–",
        "certificates": _ask_files(
            certificates,
            translate("File of the operator's certificate of receipts"),
            "--operator-certificate",
        ),
        "anchors": _ask_files(
            anchors, translate("File of the trusted root certificate"), "--anchor"
        ),
    }


def _xroad_table(client: str | None, service: str | None) -> dict[str, Any]:
    return {
        "client": _ask(client, translate("Your subsystem"), "--xroad-client"),
        "service": _ask(service, translate("Subsystem of the operator"), "--xroad-service"),
    }


def _own_credentials(key: Path | None, certificate: Path | None) -> dict[str, Any]:
    return {
        "key": Path(_ask(key, translate("File of your private key"), "--key")),
        "certificate": Path(
            _ask(certificate, translate("File of your certificate"), "--certificate")
        ),
    }


def _ask(given: str | Path | None, question: str, option: str) -> str:
    if given is not None:
        return as_typed(str(given)) or ""
    return ask(question, instead=option).strip()


def _ask_files(given: list[Path] | None, question: str, option: str) -> list[Path]:
    return given or [Path(_ask(None, question, option))]


def _toml(tables: dict[str, dict[str, Any]], file: Path) -> str:
    """Return the tables as TOML, without empty values and with paths as the profile reads them."""
    blocks = []
    for name, table in tables.items():
        rows = [
            f"{key} = {_value(value, file)}"
            for key, value in table.items()
            if value not in (None, [])
        ]
        blocks.append("\n".join((f"[{name}]", *rows, "")))
    return "\n".join(blocks)


def _value(value: Any, file: Path) -> str:
    """Return a value in TOML. For printable text it is equal to a JSON string."""
    if isinstance(value, list):
        return f"[{', '.join(_value(each, file) for each in value)}]"
    if isinstance(value, Path):
        value = _relative(value, file)
    return json.dumps(str(value), ensure_ascii=False)


def _relative(path: Path, file: Path) -> Path:
    """Return a path relative to the profile if it is below its directory, otherwise absolute."""
    whole, home = path.absolute(), file.absolute().parent
    return whole.relative_to(home) if whole.is_relative_to(home) else whole
