"""`makul init`: creation of a new installation."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from makul.admin.errors import OperatorError
from makul.cli.context import Session, examples, member_code, session
from makul.cli.output import Facts, translated_word
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.identifiers import MemberCode
from makul.language.translation import mark, translate, translate_cause
from makul.net.files import create_file

SELF_SIGNED_TERM = timedelta(days=365)
"""Term of the self-signed certificate, used until the certification centre answers the request."""

_TOML = """\
# Settings of a Makul installation. Paths are relative to this file. Every key can be overridden by
# the environment: MAKUL_STORE__DATABASE=/srv/makul/makul.db overrides `database` in [store].

environment = "PRODUCTION"
operator = "{operator}"         # the operator's member code, as consents name it
operator_name = {name}
{authorised_body}

[store]
database = "makul.db"
keys = "keys/store.json"        # without these nobody can read the record: keep a copy elsewhere

[receipts]                      # what the operator signs receipts with
key = "keys/receipts.key.pem"
certificate = "keys/receipts.cert.pem"  # self-signed; have keys/receipts.csr.pem certified
# retired = "keys/retired"      # certificates of before, and marks of compromised keys
# in a token, without key: [receipts.pkcs11] with module, token_label, key_label, pin_file

[ledger]                        # the log over all decisions: `makul ledger run` keeps it
origin = "makul/{operator}"     # its name; never change it
key = "keys/ledger.key"         # signs checkpoints; its public part: makul ledger status
publish = "published"           # what witnesses fetch

[trust]                         # whose signatures count; PEM or DER, one or more in a file
anchors = "anchors"             # the national root: nobody is trusted while this is empty
intermediates = "intermediates"
crls = "crls"                   # without a current CRL of a CA its certificates are not accepted
ocsp = "ocsp"                   # OCSP responses, where a CA has no CRL
wanted = "wanted"               # certificates for which `makul trust refresh` asks a responder
archive = "archive"             # the evidence of verdicts: never delete it
# tsa_anchors = "tsa"           # roots of time-stamping authorities: no timestamp counts without
# pin_policies = ["1.2.3"]      # set to the policy of citizens' certificates, so that no other CA
                                # can certify somebody as a citizen

# [trust.refresh]               # what `makul trust refresh` fetches, every so many seconds
# interval = 300
# crls = [{{ url = "http://ca.example/root.crl", file = "root.crl" }}]
# ocsp = [{{ url = "http://ocsp.example", issuer = "intermediates/citizens.pem" }}]

[listeners.wsse]                # messages signed by WS-Security; TLS ends in front of it
channel = "wsse"
bind = "127.0.0.1:8080"         # behind nginx: a Unix socket or a loopback address
public_url = "http://127.0.0.1:8080"    # as clients reach it; the served WSDL says so

# [listeners.xroad]             # behind nginx, which lets in the security server alone
# channel = "xroad"
# bind = "unix:/run/makul/xroad.sock"
# public_url = "http://localhost"
# xroad_instance = "KG"

# [listeners.mtls]              # behind a proxy that sends the TLS client certificate in a header
# channel = "mtls"
# client_certificate = "header"
# bind = "unix:/run/makul/mtls.sock"
# public_url = "https://makul.example"
"""

_EMPTY = ("anchors", "intermediates", "crls", "ocsp", "wanted", "archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The contents and location of a new installation."""

    directory: Path
    operator: MemberCode
    name: str
    authorised_body: MemberCode | None = None
    authorised_body_name: str | None = None

    @property
    def config(self) -> Path:
        """The path of the settings file."""
        return self.directory / "makul.toml"

    @property
    def facts(self) -> Facts:
        """The files and directories to create, in order of creation."""
        return {
            "directory": str(self.directory),
            "operator": self.operator,
            "settings": str(self.config),
            "keys": ["keys/receipts.key.pem", "keys/receipts.cert.pem", "keys/receipts.csr.pem"],
            "empty": list(_EMPTY),
            "by_settings": [
                translated_word(mark("store keys")),
                translated_word(mark("database")),
                translated_word(mark("ledger key")),
            ],
        }


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "makul init /srv/makul --operator GOV/70000001 --name 'Example Operator'",
            "makul init /srv/makul --operator GOV/70000001 --name 'Example Operator' --apply",
        )
    )(init)


@offer_preview
def init(
    ctx: typer.Context,
    *,
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", file_okay=False)],
    operator: Annotated[str, typer.Option(help="Member code of the operator.")],
    name: Annotated[str, typer.Option(help="Name of the operator, for the receipt certificate.")],
    authorised_body: Annotated[
        str | None, typer.Option(help="Member code of the authorised body (cl. 7).")
    ] = None,
    authorised_body_name: Annotated[
        str | None, typer.Option(help="Name of the authorised body, as agreements state it.")
    ] = None,
    change: PreviewedChange,
) -> None:
    """Create a new installation: settings, keys and an empty database.

    The directory must be new or empty. An existing installation is never changed.
    """
    if (authorised_body is None) is not (authorised_body_name is None):
        raise OperatorError(
            translate("give --authorised-body and --authorised-body-name together, or neither")
        )
    plan = Plan(
        directory=directory,
        operator=member_code(operator),
        name=name.strip(),
        authorised_body=member_code(authorised_body) if authorised_body is not None else None,
        authorised_body_name=authorised_body_name,
    )
    if not 1 <= len(plan.name) <= 64:
        raise OperatorError(
            translate("--name is 1 to 64 characters, for it goes into a certificate")
        )
    if directory.exists() and not directory.is_dir():
        raise OperatorError(
            translate("{directory} is no directory; name a new one", directory=directory)
        )
    if directory.exists() and any(directory.iterdir()):
        raise OperatorError(
            translate("{directory} is not empty; name a new directory", directory=directory)
        )
    current = session(ctx)
    change.apply_or_preview(mark("make installation"), plan.facts, lambda: make(plan, current))


def make(plan: Plan, current: Session) -> None:
    """Create everything that a plan names."""
    try:
        lay_out(plan, at=current.runtime.clock())
    except OSError as error:
        raise OperatorError(
            translate(
                "cannot write to {path}: {cause}",
                path=plan.directory,
                cause=translate_cause(error.strerror),
            )
        ) from None
    current.runtime.create(plan.config)


def lay_out(plan: Plan, *, at: datetime) -> None:
    """Create directories, receipt keys and, last, the settings file.

    The installation counts as created only when the settings file exists.
    """
    plan.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = plan.directory / "keys"
    for directory in (keys, *(plan.directory / name for name in _EMPTY)):
        directory.mkdir(mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    write_secret(
        keys / "receipts.key.pem",
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    name = _subject(plan)
    create_file(keys / "receipts.cert.pem", _self_signed(key, name, at), mode=0o644)
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    create_file(
        keys / "receipts.csr.pem", request.public_bytes(serialization.Encoding.PEM), mode=0o644
    )
    settings = _TOML.format(
        operator=plan.operator, name=_quote(plan.name), authorised_body=_authorised_body(plan)
    )
    create_file(plan.config, settings.encode(), mode=0o644)


def _authorised_body(plan: Plan) -> str:
    """Return the settings section of the authorised body.

    If it is unknown, the section is a comment, to be completed before the first agreement.
    """
    if plan.authorised_body is None or plan.authorised_body_name is None:
        return (
            "\n# [authorised_body]             # who concludes every agreement and approves notices"
            " (cl. 4, 7)\n"
            '# code = "GOV/70000009"\n# name = "..."'
        )
    return (
        f"\n[authorised_body]               # who concludes every agreement and approves notices"
        f' (cl. 4, 7)\ncode = "{plan.authorised_body}"\nname = {_quote(plan.authorised_body_name)}'
    )


def _quote(text: str) -> str:
    """Return a TOML basic string. For printable text it equals a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def write_secret(path: Path, content: bytes) -> None:
    """Create a file that only its owner can ever read."""
    create_file(path, content)


def _subject(plan: Plan) -> x509.Name:
    code = plan.operator.rpartition("/")[2]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, plan.name),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRKG-{code}"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Makul receipts"),
        ]
    )


def _self_signed(key: ec.EllipticCurvePrivateKey, name: x509.Name, at: datetime) -> bytes:
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(minutes=5))
        .not_valid_after(at + SELF_SIGNED_TERM)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
