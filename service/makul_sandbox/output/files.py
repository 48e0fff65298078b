"""The files of a sandbox: keys, certificates, documents, client profiles and `sandbox.json`.

`sandbox.json` contains everything that a SOAP stack needs to act as any party. Its paths are
relative to it. Keys are not protected, because their holders do not exist.

    service/            an installation of its own, for `makul --config DIR/service/makul.toml`
    service/published/  the log of its decisions: checkpoint and tiles, as witnesses fetch them
    parties/KEY/        message, sealing and official's keys, client profiles
    officers/KEY/       an officer's key, and the profile for `makul-oversight`: KEY.toml
    portal/             the key of the citizens' portal
    identity-provider/  the keys of the identity provider, for `IdentityProvider.load`
    citizens/NN/        signing keys of the citizens who have one
    documents/          consents and basis statements by name, with scans and authority documents
    revocations/        consent revocations, by the consents' names
    authorities/        the issuing authorities' keys: to revoke, and for `makul sandbox issue`
    look-alike/         an authority with the same names that nobody trusts
    notice.ky.txt       the notice that the consents cite; also in ru and en
    agreements/         agreements as three parties signed them, submitted or not; notice approval
    signatories/        the signatories, by member code
    sandbox.json
"""

import json
from collections.abc import Mapping
from pathlib import Path

from makul.cli.init import write_secret
from makul.domain.agreements import Channel
from makul_sandbox.data.end_entities import CITIZEN_POLICY
from makul_sandbox.data.identity_provider import ISSUER, LEVELS
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import (
    AUTHORISED_BODY,
    AUTHORISED_BODY_NAME,
    OPERATOR,
    OPERATOR_NAME,
    PARTIES,
    PORTAL,
    PORTAL_AUDIENCE,
    XROAD_INSTANCE,
    Party,
)
from makul_sandbox.data.timestamp_authority import POLICY
from makul_sandbox.output.client_profiles import (
    Addresses,
    officer_profile_of,
    officer_profile_path,
    profile_name,
    render_profile,
)
from makul_sandbox.output.index import describe
from makul_sandbox.world.build import World
from makul_sandbox.world.signers import NOTICE_TEXTS

__all__ = ["CONFIG", "INDEX", "Addresses", "write_files", "write_service"]

INDEX = "sandbox.json"
CONFIG = Path("service") / "makul.toml"
AUTHORITIES = "authorities"

_SETTINGS = """\
# Settings of a sandbox. Nothing here is secret, and nobody in it is real.

environment = "SANDBOX"
operator = "{operator}"
operator_name = "{operator_name}"

[authorised_body]
code = "{authorised_body}"
name = "{authorised_body_name}"

[store]
database = "makul.db"
keys = "keys/store.json"

[receipts]
key = "keys/receipts.key.pem"
certificate = "keys/receipts.cert.pem"

[ledger]
origin = "makul-sandbox/{operator}"
key = "keys/ledger.key"
publish = "published"
interval = 0.5

[trust]
anchors = "anchors"
intermediates = "intermediates"
crls = "crls"
tsa_anchors = "tsa/anchors"
tsa_crls = "tsa/crls"
tsa_policies = ["{tsa_policy}"]
archive = "archive"
pin_policies = ["{citizen_policy}"]

[months]
directory = "months"

[cases]
directory = "cases"

[notifications]                 # files; a program of the portal delivers them
link_prefix = "https://portal.sandbox.example/not-me/"
directory = "notifications"

[limits]                        # in production 600: here a load may be tried
requests_per_minute = 60000

[listeners.wsse]
channel = "wsse"
bind = "{host}:{port}"
public_url = "http://{host}:{port}"
workers = 1

[listeners.xroad]               # in a sandbox anyone may stand in for the security server
channel = "xroad"
bind = "{host}:{xroad_port}"
public_url = "http://{host}:{xroad_port}"
xroad_instance = "{instance}"
workers = 1

[listeners.oversight]           # for the supervising bodies; in production a process of its own
port = "oversight"
channel = "wsse"
bind = "{host}:{oversight_port}"
public_url = "http://{host}:{oversight_port}"
workers = 1

[listeners.subject]             # for portals of citizens; in production a process of its own
port = "subject"
channel = "wsse"
bind = "{host}:{subject_port}"
public_url = "http://{host}:{subject_port}"
workers = 1

[subject]
issuer = "{issuer}"
jwks = "identity-provider.jwks.json"
levels = [{levels}]
minimum_level = "substantial"

[[subject.portals]]
code = "{portal}"
audience = "{audience}"
certificates = "portal.cert.pem"

[listeners.mtls]                # TLS ends here in a sandbox alone; in production in nginx
channel = "mtls"
client_certificate = "tls"
bind = "{host}:{mtls_port}"
public_url = "https://{host}:{mtls_port}"
workers = 1

[listeners.mtls.tls]
certificate = "keys/tls.cert.pem"
key = "keys/tls.key.pem"
client_ca = "client-cas.pem"
"""


def write_service(world: World, directory: Path, addresses: Addresses) -> Path:
    """Write the installation except store keys and database. Return its settings file."""
    config = directory / CONFIG
    service = config.parent
    _write_credential(service / "keys", "receipts", world.operator)
    _write(service / "anchors" / "root.pem", world.hierarchy.anchors())
    _write(service / "intermediates" / "issuing.pem", world.hierarchy.intermediate_certificates())
    _write_tls(world, service, addresses.host)
    _write(service / "portal.cert.pem", world.portal.certificate_pem)
    _write(service / "identity-provider.jwks.json", world.identity_provider.jwks())
    for name, crl in world.crls.items():
        _write(service / "crls" / name, crl)
    _write(service / "tsa" / "anchors" / "root.pem", world.stamping_root.credential.certificate_pem)
    _write(service / "tsa" / "crls" / "root.crl.pem", world.stamping_root.crl())
    settings = _SETTINGS.format(
        operator=OPERATOR,
        operator_name=OPERATOR_NAME,
        authorised_body=AUTHORISED_BODY,
        authorised_body_name=AUTHORISED_BODY_NAME,
        host=addresses.host,
        port=addresses.port,
        xroad_port=addresses.xroad_port,
        mtls_port=addresses.mtls_port,
        oversight_port=addresses.oversight_port,
        subject_port=addresses.subject_port,
        issuer=ISSUER,
        levels=", ".join(f'"{level}"' for level in LEVELS),
        portal=PORTAL,
        audience=PORTAL_AUDIENCE,
        instance=XROAD_INSTANCE,
        citizen_policy=CITIZEN_POLICY.dotted_string,
        tsa_policy=POLICY,
    )
    _write(config, settings.encode())
    return config


def _write_tls(world: World, service: Path, host: str) -> None:
    """Write the TLS key and certificate of the mtls listener, and the CAs of its clients."""
    own = world.hierarchy.server(member_code=OPERATOR, host=host)
    authorities = world.hierarchy.intermediate_certificates()
    _write(service / "keys" / "tls.cert.pem", own.certificate_pem + authorities)
    write_secret(service / "keys" / "tls.key.pem", own.key_pem)
    _write(service / "client-cas.pem", authorities + world.hierarchy.anchors())


def write_files(
    world: World,
    directory: Path,
    addresses: Addresses,
    signed: Mapping[str, bytes],
    *,
    log_key: str | None = None,
) -> None:
    """Write all files for callers.

    The index comes last, because it marks the sandbox as complete.
    """
    for language, text in NOTICE_TEXTS.items():
        _write(directory / f"notice.{language}.txt", text.encode())
    for name, content in signed.items():
        _write(directory / "agreements" / name, content)
    for member, signatory in world.signatories.items():
        home = directory / "signatories" / member.replace("/", "-")
        _write_credential(home, "signatory", signatory.credential)
    for party in PARTIES:
        _write_party(world, party, directory / "parties" / party.key, addresses, log_key)
    _write_officers(world, directory, addresses, log_key)
    _write_credential(directory / "portal", "message", world.portal)
    keys = directory / "identity-provider" / "private.jwks.json"
    keys.parent.mkdir(parents=True, exist_ok=True)
    write_secret(keys, world.identity_provider.private_jwks())
    for number, credential in world.citizens.items():
        _write_credential(directory / "citizens" / f"{number:02d}", "signing", credential)
    for document in world.documents.values():
        _write(directory / "documents" / document.file_name, document.document)
        for name, content in document.attachments.items():
            _write(directory / "documents" / name, content)
    for taking in world.consent_revocations.values():
        _write(directory / "revocations" / taking.file_name, taking.document)
    for name, authority in world.hierarchy.issuing.items():
        _write_credential(directory / AUTHORITIES, name, authority.credential)
    false = directory / "look-alike"
    _write(false / "root.pem", world.look_alike.anchors())
    _write(false / "issuing.pem", world.look_alike.intermediate_certificates())
    _write_credential(false, "citizen-00", world.stranger)
    index = json.dumps(describe(world, addresses), ensure_ascii=False, indent=1)
    _write(directory / INDEX, f"{index}\n".encode())


def _write_party(
    world: World, party: Party, home: Path, addresses: Addresses, log_key: str | None
) -> None:
    _write_credential(home, "message", world.messages[party.key])
    if party.key in world.encryption:
        _write_credential(home, "sealing", world.encryption[party.key])
    if party.official is not None:
        _write_credential(home, "official", world.officials[party.key])
    for channel in Channel:
        profile = render_profile(world, party, channel, addresses, log_key=log_key)
        _write(home / profile_name(channel), profile.encode())


def _write_officers(
    world: World, directory: Path, addresses: Addresses, log_key: str | None
) -> None:
    for key, officer in world.officers.items():
        _write_credential(directory / "officers" / key, "officer", officer.credential)
        profile = officer_profile_of(world, officer, addresses, log_key=log_key)
        _write(directory / officer_profile_path(key), profile.encode())


def _write_credential(directory: Path, name: str, credential: Credential) -> None:
    _write(directory / f"{name}.cert.pem", credential.certificate_pem)
    write_secret(directory / f"{name}.key.pem", credential.key_pem)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
