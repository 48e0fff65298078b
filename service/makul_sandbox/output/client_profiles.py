"""The profiles of a sandbox for the reference client: of each party by channel, of each officer."""

import json
from dataclasses import dataclass

from makul.domain.agreements import Channel
from makul_sandbox.data.recipients import (
    OPERATOR,
    OPERATOR_NAME,
    SERVICE_SUBSYSTEM,
    XROAD_INSTANCE,
    Party,
)
from makul_sandbox.world.build import SandboxOfficer, World
from makul_sandbox.world.signers import NOTICE_LANGUAGE, NOTICE_REF, WITHDRAWAL

NOTICE_FILE = "notice.ky.txt"
RECIPIENT_PATH = "/v1/recipient"
OVERSIGHT_PATH = "/v1/oversight"
SUBJECT_PATH = "/v1/subject"

_PROFILE = """\
# {name}: how the reference client plays it against this sandbox.

# language = "ky"  # of messages and reasons: ky, ru or en; otherwise that of the locale
sandbox = true

[recipient]
code = {code}
name = {quoted_name}
receipts = "receipts"

[agreement]
number = {agreement}
purpose = {purpose}

[service]
url = {url}
channel = "{channel}"
{credentials}{sealing}{trust}
[consent]
notice = {notice}
notice_file = "../../{notice_file}"
language = "{language}"
purpose_text = {purpose_text}
retention = "P1Y"
withdrawal = {withdrawal}
{ledger}"""

_OFFICER = """\
# {name}: how makul-oversight plays it against this sandbox.

# language = "ky"  # of messages and reasons: ky, ru or en; otherwise that of the locale
sandbox = true

[officer]
body = {body}
identifier = {identifier}
receipts = "receipts"

[service]
url = {url}
channel = "wsse"

[signing]
key = "officer.key.pem"
certificate = "officer.cert.pem"
{trust}{ledger}"""

_TRUST = """
[operator]
code = {operator}
name = {operator_name}
certificates = ["../../service/keys/receipts.cert.pem"]
anchors = ["../../service/anchors/root.pem"]
intermediates = ["../../service/intermediates/issuing.pem"]
crls = [{crls}]
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

[nonce]
key = "message.key.pem"
"""

_SEALING = """
[sealing]
key = "sealing.key.pem"
certificate = "sealing.cert.pem"
"""


_LEDGER = """
[ledger]
key = {key}
log = "../../service/published"
state = "checkpoints.json"
# witnesses = ["name+id+key"]   # the verifier keys of those who follow the log for you
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses of the sandbox's listeners."""

    host: str
    port: int
    xroad_port: int
    mtls_port: int
    oversight_port: int
    subject_port: int

    @property
    def oversight_url(self) -> str:
        """The address of the oversight port."""
        return f"http://{self.host}:{self.oversight_port}{OVERSIGHT_PATH}"

    @property
    def subject_url(self) -> str:
        """The address of the subject port."""
        return f"http://{self.host}:{self.subject_port}{SUBJECT_PATH}"

    def url(self, channel: Channel) -> str:
        """Return the address of the recipient port on this channel."""
        port = {
            Channel.WSSE: self.port,
            Channel.XROAD: self.xroad_port,
            Channel.MTLS: self.mtls_port,
        }[channel]
        scheme = "https" if channel is Channel.MTLS else "http"
        return f"{scheme}://{self.host}:{port}{RECIPIENT_PATH}"


def render_profile(
    world: World,
    party: Party,
    channel: Channel,
    addresses: Addresses,
    *,
    log_key: str | None = None,
) -> str:
    """Return a profile in TOML, with the log's verifier key if the service has a log."""
    credentials = _SIGNING if channel is Channel.WSSE else _TLS
    if channel is Channel.XROAD:
        credentials = _XROAD.format(
            client=_quote(party.subsystem), service=_quote(service_subsystem())
        )
    return _PROFILE.format(
        name=party.name,
        code=_quote(party.code),
        quoted_name=_quote(party.name),
        agreement=_quote(party.agreement),
        purpose=_quote(party.purpose),
        url=_quote(addresses.url(channel)),
        channel=channel.value,
        credentials=credentials,
        sealing=_SEALING if party.key in world.encryption else "",
        trust=_trust(world),
        notice=_quote(NOTICE_REF),
        notice_file=NOTICE_FILE,
        language=NOTICE_LANGUAGE,
        purpose_text=_quote(party.purpose_text),
        withdrawal=_quote(WITHDRAWAL),
        ledger=_ledger(log_key),
    )


def officer_profile_of(
    world: World, officer: SandboxOfficer, addresses: Addresses, *, log_key: str | None = None
) -> str:
    """Return the profile of an officer in TOML, for `makul-oversight`."""
    return _OFFICER.format(
        name=officer.identifier,
        body=_quote(officer.member),
        identifier=_quote(officer.identifier),
        url=_quote(addresses.oversight_url),
        trust=_trust(world),
        ledger=_ledger(log_key),
    )


def _trust(world: World) -> str:
    """Return the table [operator], which is the same in every profile."""
    return _TRUST.format(
        operator=_quote(OPERATOR),
        operator_name=_quote(OPERATOR_NAME),
        crls=", ".join(_quote(f"../../service/crls/{name}") for name in world.crls),
    )


def _ledger(log_key: str | None) -> str:
    return _LEDGER.format(key=_quote(log_key)) if log_key is not None else ""


def profile_name(channel: Channel) -> str:
    """Return the name of the file of a party's profile."""
    return "profile.toml" if channel is Channel.WSSE else f"profile-{channel.value}.toml"


def officer_profile_path(key: str) -> str:
    """Return the path of an officer's profile in the sandbox."""
    return f"officers/{key}/{key}.toml"


def service_subsystem() -> str:
    """Return the operator's subsystem in X-Road."""
    return f"{XROAD_INSTANCE}/{OPERATOR}/{SERVICE_SUBSYSTEM}"


def _quote(text: str) -> str:
    """Return a TOML basic string. For printable text it is equal to a JSON string."""
    return json.dumps(text, ensure_ascii=False)
