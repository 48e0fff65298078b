"""The profiles of a sandbox for the reference client, one for each party and channel."""

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
from makul_sandbox.world.build import World
from makul_sandbox.world.signers import NOTICE_LANGUAGE, NOTICE_REF, WITHDRAWAL

NOTICE_FILE = "notice.ky.txt"
RECIPIENT_PATH = "/v1/recipient"

_PROFILE = """\
# {name}: how the reference client plays it against this sandbox.

# language = "ky"  # of messages and reasons: ky, ru or en; otherwise that of the locale
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
{ledger}"""

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
        operator=_quote(OPERATOR),
        operator_name=_quote(OPERATOR_NAME),
        crls=", ".join(_quote(f"../../service/crls/{name}") for name in world.crls),
        notice=_quote(NOTICE_REF),
        notice_file=NOTICE_FILE,
        language=NOTICE_LANGUAGE,
        purpose_text=_quote(party.purpose_text),
        withdrawal=_quote(WITHDRAWAL),
        ledger=_LEDGER.format(key=_quote(log_key)) if log_key is not None else "",
    )


def profile_name(channel: Channel) -> str:
    """Return the name of the file of a party's profile."""
    return "profile.toml" if channel is Channel.WSSE else f"profile-{channel.value}.toml"


def service_subsystem() -> str:
    """Return the operator's subsystem in X-Road."""
    return f"{XROAD_INSTANCE}/{OPERATOR}/{SERVICE_SUBSYSTEM}"


def _quote(text: str) -> str:
    """Return a TOML basic string. For printable text it is equal to a JSON string."""
    return json.dumps(text, ensure_ascii=False)
