"""What a sandbox hands out: keys, certificates, documents, client profiles and `sandbox.json`.

`sandbox.json` tells everything that a SOAP stack needs to play any party against the service. Its
paths are relative to it. Keys lie open: whom they belong to does not exist.

    service/            an installation of its own, for `makul --config DIR/service/makul.toml`
    parties/KEY/        message, sealing and official's keys, client profiles
    citizens/NN/        signing keys of the citizens who have one
    documents/          consents and basis statements by name
    look-alike/         an authority with the same names that nobody trusts
    notice.ky.txt       the notice that the consents cite; also in ru and en
    agreements/         what the three parties signed, and the approval of the notice
    signatories/        who signed, by member code
    sandbox.json
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from makul.cli.init import write_secret
from makul.domain.agreements import Channel, Delivery
from makul.domain.attributes import Attribute
from makul.domain.persons import AttributeValue, LocalizedName
from makul.sandbox.hands import NOTICE_LANGUAGE, NOTICE_REF, NOTICE_TEXTS, WITHDRAWAL
from makul.sandbox.papers import Paper
from makul.sandbox.parties import (
    AUTHORISED_BODY,
    AUTHORISED_BODY_NAME,
    OPERATOR,
    OPERATOR_NAME,
    PARTIES,
    SERVICE_SUBSYSTEM,
    XROAD_INSTANCE,
    Party,
)
from makul.sandbox.people import ABSENT, DISPUTED_ADDRESS, LOCKED, REVOKED, WITHOUT_ADDRESS
from makul.sandbox.pki import CITIZEN_POLICY, Credential
from makul.sandbox.world import World

FORMAT = "makul-sandbox/1"
INDEX = "sandbox.json"
CONFIG = Path("service") / "makul.toml"
NOTICE_FILE = "notice.ky.txt"
RECIPIENT_PATH = "/v1/recipient"

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

[trust]
anchors = "anchors"
intermediates = "intermediates"
crls = "crls"
tsa_anchors = "tsa/anchors"
tsa_crls = "tsa/crls"
archive = "archive"
pin_policies = ["{citizen_policy}"]

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

[listeners.mtls]                # TLS ends here; in production rather in a proxy, with "header"
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

_PROFILE = """\
# {name}: how the reference client plays it against this sandbox.

language = "ky"
sandbox = true

[recipient]
code = {code}
name = {quoted_name}

[agreement]
number = {agreement}
purpose = {purpose}

[service]
url = {url}
channel = "{channel}"
{credentials}{sealing}
[operator]
code = {operator}
name = {operator_name}
certificates = ["../../service/keys/receipts.cert.pem"]
anchors = ["../../service/anchors/root.pem"]
intermediates = ["../../service/intermediates/issuing.pem"]
crls = [{crls}]

[consent]
notice = {notice}
notice_file = "../../{notice_file}"
language = "{language}"
purpose_text = {purpose_text}
retention = "P1Y"
withdrawal = {withdrawal}
"""

_SIGNING = """
[signing]
key = "message.key.pem"
certificate = "message.cert.pem"
"""

_TLS = """\
tls_ca = "../../service/anchors/root.pem"
tls_certificate = "message.cert.pem"
tls_key = "message.key.pem"
"""

_XROAD = """
[xroad]
client = {client}
service = {service}
"""

_SEALING = """
[sealing]
key = "sealing.key.pem"
certificate = "sealing.cert.pem"
"""

_REMARKS = {
    LOCKED: "stopped consent-based matching",
    DISPUTED_ADDRESS: "the address is being corrected",
    WITHOUT_ADDRESS: "no address is held",
    REVOKED: "the certificate is revoked",
    ABSENT: "is not in the register",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the sandbox's listeners are."""

    host: str
    port: int
    xroad_port: int
    mtls_port: int

    def url(self, channel: Channel) -> str:
        """The recipient port by this channel."""
        port = {
            Channel.WSSE: self.port,
            Channel.XROAD: self.xroad_port,
            Channel.MTLS: self.mtls_port,
        }[channel]
        scheme = "https" if channel is Channel.MTLS else "http"
        return f"{scheme}://{self.host}:{port}{RECIPIENT_PATH}"


def write_service(world: World, directory: Path, addresses: Addresses) -> Path:
    """The installation, all but store keys and database; its settings file."""
    config = directory / CONFIG
    service = config.parent
    _write_credential(service / "keys", "receipts", world.operator)
    _write(service / "anchors" / "root.pem", world.hierarchy.anchors())
    _write(service / "intermediates" / "issuing.pem", world.hierarchy.intermediate_certificates())
    _write_tls(world, service, addresses.host)
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
        instance=XROAD_INSTANCE,
        citizen_policy=CITIZEN_POLICY.dotted_string,
    )
    _write(config, settings.encode())
    return config


def _write_tls(world: World, service: Path, host: str) -> None:
    """The TLS end of the mtls listener, and of which authorities its clients may be."""
    own = world.hierarchy.server(member_code=OPERATOR, host=host)
    authorities = world.hierarchy.intermediate_certificates()
    _write(service / "keys" / "tls.cert.pem", own.certificate_pem + authorities)
    write_secret(service / "keys" / "tls.key.pem", own.key_pem)
    _write(service / "client-cas.pem", authorities + world.hierarchy.anchors())


def hand_out(
    world: World, directory: Path, addresses: Addresses, signed: Mapping[str, bytes]
) -> None:
    """Everything for those who call. The index comes last: with it the sandbox is whole."""
    for language, text in NOTICE_TEXTS.items():
        _write(directory / f"notice.{language}.txt", text.encode())
    for name, content in signed.items():
        _write(directory / "agreements" / name, content)
    for member, signatory in world.signatories.items():
        home = directory / "signatories" / member.replace("/", "-")
        _write_credential(home, "signatory", signatory.credential)
    for party in PARTIES:
        _write_party(world, party, directory / "parties" / party.key, addresses)
    for number, credential in world.citizens.items():
        _write_credential(directory / "citizens" / f"{number:02d}", "signing", credential)
    for paper in world.papers.values():
        _write(directory / "documents" / paper.file_name, paper.document)
    false = directory / "look-alike"
    _write(false / "root.pem", world.look_alike.anchors())
    _write(false / "issuing.pem", world.look_alike.intermediate_certificates())
    _write_credential(false, "citizen-00", world.stranger)
    index = json.dumps(describe(world, addresses), ensure_ascii=False, indent=1)
    _write(directory / INDEX, f"{index}\n".encode())


def describe(world: World, addresses: Addresses) -> dict[str, Any]:
    """`sandbox.json`."""
    return {
        "format": FORMAT,
        "madeAt": world.made_at.isoformat(),
        "urls": {channel: addresses.url(channel) for channel in Channel},
        "operator": {
            "code": OPERATOR,
            "name": OPERATOR_NAME,
            "certificate": "service/keys/receipts.cert.pem",
            "xroadService": _service_subsystem(),
        },
        "trust": {
            "anchors": ["service/anchors/root.pem"],
            "intermediates": ["service/intermediates/issuing.pem"],
            "crls": [f"service/crls/{name}" for name in world.crls],
        },
        "notice": {"ref": NOTICE_REF, "language": NOTICE_LANGUAGE, "file": NOTICE_FILE},
        "parties": [_party(party) for party in PARTIES],
        "citizens": [_citizen(world, number) for number in world.citizens],
        "papers": [_paper(paper) for paper in world.papers.values()],
    }


def _party(party: Party) -> dict[str, Any]:
    home = f"parties/{party.key}"
    official = party.official
    sealed = party.delivery is Delivery.SEALED
    return {
        "key": party.key,
        "code": party.code,
        "kind": party.kind.value,
        "name": party.name,
        "state": party.state.value,
        "messageKey": f"{home}/message.key.pem",
        "messageCertificate": f"{home}/message.cert.pem",
        "sealingKey": f"{home}/sealing.key.pem" if sealed else None,
        "sealingCertificate": f"{home}/sealing.cert.pem" if sealed else None,
        "xroadClient": party.subsystem,
        "official": official
        and {
            "identifier": official.identifier,
            "name": official.name,
            "key": f"{home}/official.key.pem",
            "certificate": f"{home}/official.cert.pem",
        },
        "agreement": {
            "number": party.agreement,
            "purpose": party.purpose,
            "otherPurposes": sorted(party.other_purposes),
            "attributes": _in_order(party.attributes),
            "channels": sorted(party.channels),
            "delivery": party.delivery.value,
            "provisions": sorted(party.provisions),
            "powers": {purpose: _in_order(names) for purpose, names in party.powers.items()},
        },
        "profiles": {
            channel.value: f"{home}/{_profile_name(channel)}" for channel in sorted(party.channels)
        },
    }


def _citizen(world: World, number: int) -> dict[str, Any]:
    person = world.people[number]
    told = (
        Attribute.SURNAME,
        Attribute.GIVEN_NAME,
        Attribute.PATRONYMIC,
        Attribute.BIRTH_DATE,
        Attribute.DOCUMENT_NUMBER,
    )
    return {
        "number": number,
        "pin": person.pin.digits,
        **{name.value: _plain(person.values[name]) for name in told},
        "key": f"citizens/{number:02d}/signing.key.pem",
        "certificate": f"citizens/{number:02d}/signing.cert.pem",
        "remark": _REMARKS.get(number),
    }


def _paper(paper: Paper) -> dict[str, Any]:
    return {
        "name": paper.name,
        "kind": paper.kind.value,
        "file": f"documents/{paper.file_name}",
        "presentedBy": paper.presented_by.key,
        "citizen": paper.citizen,
        "operation": paper.operation.value,
        "purpose": paper.presented_by.purpose,
        "attributes": _in_order(paper.attributes),
        "outcome": paper.outcome.value,
        "reasons": paper.reason_texts,
    }


def _write_party(world: World, party: Party, home: Path, addresses: Addresses) -> None:
    _write_credential(home, "message", world.messages[party.key])
    if party.key in world.sealing:
        _write_credential(home, "sealing", world.sealing[party.key])
    if party.official is not None:
        _write_credential(home, "official", world.officials[party.key])
    for channel in Channel:
        _write(home / _profile_name(channel), _profile(world, party, channel, addresses).encode())


def _profile(world: World, party: Party, channel: Channel, addresses: Addresses) -> str:
    credentials = _SIGNING if channel is Channel.WSSE else _TLS
    if channel is Channel.XROAD:
        credentials = _XROAD.format(
            client=_quoted(party.subsystem), service=_quoted(_service_subsystem())
        )
    return _PROFILE.format(
        name=party.name,
        code=_quoted(party.code),
        quoted_name=_quoted(party.name),
        agreement=_quoted(party.agreement),
        purpose=_quoted(party.purpose),
        url=_quoted(addresses.url(channel)),
        channel=channel.value,
        credentials=credentials,
        sealing=_SEALING if party.key in world.sealing else "",
        operator=_quoted(OPERATOR),
        operator_name=_quoted(OPERATOR_NAME),
        crls=", ".join(_quoted(f"../../service/crls/{name}") for name in world.crls),
        notice=_quoted(NOTICE_REF),
        notice_file=NOTICE_FILE,
        language=NOTICE_LANGUAGE,
        purpose_text=_quoted(party.purpose_text),
        withdrawal=_quoted(WITHDRAWAL),
    )


def _profile_name(channel: Channel) -> str:
    return "profile.toml" if channel is Channel.WSSE else f"profile-{channel.value}.toml"


def _service_subsystem() -> str:
    return f"{XROAD_INSTANCE}/{OPERATOR}/{SERVICE_SUBSYSTEM}"


def _quoted(text: str) -> str:
    """A TOML basic string; for printable text JSON's is the same."""
    return json.dumps(text, ensure_ascii=False)


def _plain(value: AttributeValue) -> Any:
    if isinstance(value, LocalizedName):
        return {"ky": value.ky, "ru": value.ru, "latin": value.latin}
    return value.isoformat() if isinstance(value, date) else value


def _in_order(names: Iterable[Attribute]) -> list[str]:
    wanted = set(names)
    return [name.value for name in Attribute if name in wanted]


def _write_credential(directory: Path, name: str, credential: Credential) -> None:
    _write(directory / f"{name}.cert.pem", credential.certificate_pem)
    write_secret(directory / f"{name}.key.pem", credential.key_pem)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
