"""A whole service in one process: sandbox world, real store, real trust, the WSGI application.

It is the sandbox without HTTP: for end-to-end tests that need to see inside, and for the bench.
"""

import atexit
import base64
import io
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import makul_schemas
from lxml import etree

from makul.app.ports import Clock, Duty
from makul.composition.adapters import Adapters, build_adapters, build_agreements, utc_now
from makul.composition.channels import build_channel
from makul.composition.readiness import build_readiness
from makul.composition.service import add_tracker, oversight_port, recipient_port, subject_port
from makul.config.settings import Port, Settings, load_settings
from makul.domain.attributes import Attribute
from makul.domain.identifiers import AgreementNumber, Pin
from makul.domain.persons import Person
from makul.soap.wsgi_app import (
    OVERSIGHT_CONTRACT,
    RECIPIENT_CONTRACT,
    SUBJECT_CONTRACT,
    PortContract,
    build_application,
)
from makul.store import Store, StoreKeys, create_store, open_store
from makul.store.db.location import PostgresLocation
from makul.store.schema.partitions import make_months
from makul_sandbox.data.end_entities import CITIZEN_POLICY
from makul_sandbox.data.identity_provider import ISSUER
from makul_sandbox.data.recipients import (
    AUTHORISED_BODY,
    OPERATOR,
    PARTIES,
    PORTAL,
    PORTAL_AUDIENCE,
    Party,
)
from makul_sandbox.world.build import World, build_world, register
from makul_sandbox.world.documents import SandboxDocument
from makul_testing.builders.messages import signed_message
from makul_testing.cli_runner import CommandLine
from makul_testing.database_roles import create_duty_roles
from makul_testing.external.postgres import Cluster

RECIPIENT = "urn:makul:recipient:1"
TYPES = "urn:makul:types:1"
NS = {"r": RECIPIENT, "t": TYPES, "s": "http://schemas.xmlsoap.org/soap/envelope/"}
SCHEMA, OVERSIGHT_SCHEMA, SUBJECT_SCHEMA, FAULTS = (
    etree.XMLSchema(etree.parse(str(makul_schemas.location() / name)))
    for name in ("recipient.xsd", "oversight.xsd", "subject.xsd", "types.xsd")
)
PEOPLE = 40
PUBLIC_URL = "http://127.0.0.1/v1/recipient"
OVERSIGHT_URL = "http://127.0.0.1/v1/oversight"
SUBJECT_URL = "http://127.0.0.1/v1/subject"

_TOML = """
environment = "SANDBOX"
{database}
operator = "{operator}"
operator_name = "Operator (sandbox)"
[authorised_body]
code = "{authorised_body}"
name = "Authorised body (sandbox)"
[store]
database = "makul.db"
keys = "store.json"
[receipts]
key = "receipts.key.pem"
certificate = "receipts.cert.pem"
[trust]
anchors = "anchors"
intermediates = "intermediates"
crls = "crls"
archive = "archive"
ocsp = "ocsp"
tsa_anchors = "tsa/anchors"
tsa_crls = "tsa/crls"
pin_policies = ["{citizen_policy}"]
[months]
directory = "months"
[cases]
directory = "cases"
[notifications]
link_prefix = "https://portal.example/not-me/"
directory = "notifications"
claim_seconds = 10
interval = 0.2
[limits]                        # tests of another kind ask faster than any recipient
requests_per_minute = 1000000
[listeners.wsse]
channel = "wsse"
bind = "127.0.0.1:0"
public_url = "http://127.0.0.1"
[listeners.xroad]
channel = "xroad"
bind = "127.0.0.1:0"
public_url = "http://127.0.0.1"
xroad_instance = "KG-SANDBOX"
[listeners.mtls]
channel = "mtls"
client_certificate = "header"
bind = "unix:{directory}/mtls.sock"
public_url = "https://127.0.0.1"
[listeners.oversight]
port = "oversight"
channel = "wsse"
bind = "127.0.0.1:0"
public_url = "http://127.0.0.1"
[listeners.oversight-xroad]
port = "oversight"
channel = "xroad"
bind = "127.0.0.1:0"
public_url = "http://127.0.0.1"
xroad_instance = "KG-SANDBOX"
[listeners.subject]
port = "subject"
channel = "wsse"
bind = "127.0.0.1:0"
public_url = "http://127.0.0.1"
[listeners.subject-xroad]
port = "subject"
channel = "xroad"
bind = "127.0.0.1:0"
public_url = "http://127.0.0.1"
xroad_instance = "KG-SANDBOX"
[subject]
issuer = "{issuer}"
jwks = "identity-provider.jwks.json"
levels = ["low", "substantial", "high"]
minimum_level = "substantial"
[[subject.portals]]
code = "{portal}"
audience = "{audience}"
certificates = "portal.cert.pem"
may_find_usage = true
"""


@dataclass(frozen=True, slots=True)
class RecordDatabase:
    """The location of a service's records: a file, or a new database of a server."""

    server: Callable[[], Cluster] | None = None
    """The server, which is started on demand; None for a file."""

    def setting(self, template: "_Template | None") -> str:
        """Return the line of the settings for a new database; a file's name is in them already."""
        if self.server is None:
            return ""
        server = self.server()
        name = server.create(template=template.database) if template else server.create()
        return f'database_url = "{server.url(name)}"'

    @property
    def key(self) -> Path | None:
        """Return which server it is; None for a file."""
        return self.server().directory if self.server is not None else None


IN_A_FILE = RecordDatabase()


def on_server(server: Callable[[], Cluster]) -> RecordDatabase:
    """Store records in new databases of a server, which is started on demand."""
    return RecordDatabase(server)


FRESH = timedelta(minutes=5)
"""The maximum age of a world that other services share; its terms end later by as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    """The original from which services are copied."""

    world: World
    keys: StoreKeys
    directory: Path
    database: str
    """Its name on the server; unused for a file."""

    def copy_to(self, settings: Settings) -> None:
        """Copy its database, if that is a file, and its revocation data."""
        if not isinstance(settings.place, PostgresLocation):
            shutil.copy(self.directory / "makul.db", settings.place)
        if (self.directory / "archive").exists():
            shutil.copytree(self.directory / "archive", settings.store.keys.parent / "archive")


_templates: dict[Path | None, _Template] = {}
"""By server."""


def _template(database: RecordDatabase, at: datetime) -> _Template | None:
    """Return this process's original, made again when it is too old; None for an earlier time."""
    found = _templates.get(database.key)
    if found is None or at - found.world.made_at > FRESH:
        directory = Path(tempfile.mkdtemp(prefix="makul-installation-"))
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        keys = StoreKeys.generate()
        installation = build_installation(directory, database=database, keys=keys, clock=lambda: at)
        installation.close()
        place = installation.settings.place
        name = urlsplit(place.url).path[1:] if isinstance(place, PostgresLocation) else ""
        found = _Template(world=installation.world, keys=keys, directory=directory, database=name)
        _templates[database.key] = found
    return found if found.world.made_at <= at else None


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """The answer on the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def child(self) -> etree._Element:
        """Return the Body's child, as any parser reads it."""
        body = etree.fromstring(self.body).find("s:Body", NS)
        assert body is not None
        return body[0]

    @property
    def outcome(self) -> str | None:
        namespace = etree.QName(self.child).namespace
        return self.child.findtext(f"{{{namespace}}}outcome")

    @property
    def codes(self) -> list[str]:
        """Return the reason codes of an answer or of a fault."""
        return [str(code.text) for code in self.child.iter(f"{{{TYPES}}}code")]

    @property
    def released(self) -> set[str]:
        person = self.child.find("r:person", NS)
        return set() if person is None else {etree.QName(item).localname for item in person}


class _Applications(dict[str, Any]):
    """The application of each listener, built when it is first used: few tests use all three."""

    def __init__(self, build: Callable[[str], Any]) -> None:
        super().__init__()
        self._build, self._lock = build, Lock()

    def __missing__(self, listener: str) -> Any:
        with self._lock:
            if listener not in self:
                self[listener] = self._build(listener)
        return self[listener]


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcessService:
    """The service, and everybody in its world."""

    world: World
    settings: Settings
    """On PostgreSQL they name the tables' owner; `makul.toml` names the serving role."""
    store: Store
    """Each of its ports by the role of its duty. The parts serve."""
    parts: Adapters
    clock: Clock
    applications: Mapping[str, Any]
    opened: tuple[Store, ...]

    @property
    def bank(self) -> Party:
        return party("bank")

    def document(self, name: str) -> SandboxDocument:
        return self.world.documents[name]

    def person_of(self, document: SandboxDocument) -> Person:
        return self.world.people[document.citizen]

    def ask(self, child: bytes, *, by: str = "bank", at: datetime | None = None) -> ServiceAnswer:
        """Sign a Body as a party and send it over the wsse channel."""
        holder = self.world.messages[by]
        at = at if at is not None else self.clock()
        answer = self.post(signed_message(child, holder.key, holder.certificate, at=at))
        if answer.status == 200:
            SCHEMA.assertValid(etree.fromstring(child, etree.XMLParser(huge_tree=True)))
            SCHEMA.assertValid(answer.child)
        else:
            FAULTS.assertValid(next(answer.child.iter(f"{{{TYPES}}}Fault")))
        return answer

    def oversee(
        self, child: bytes, *, by: str = "inspector", at: datetime | None = None
    ) -> ServiceAnswer:
        """Sign a Body as an officer and send it to the oversight port."""
        holder = self.world.officers[by].credential
        at = at if at is not None else self.clock()
        message = signed_message(child, holder.key, holder.certificate, at=at)
        answer = self.post(message, listener="oversight", PATH_INFO="/v1/oversight")
        if answer.status == 200:
            OVERSIGHT_SCHEMA.assertValid(etree.fromstring(child))
            OVERSIGHT_SCHEMA.assertValid(answer.child)
        else:
            FAULTS.assertValid(next(answer.child.iter(f"{{{TYPES}}}Fault")))
        return answer

    def id_token(
        self, pin: Pin, request_id: UUID, *, at: datetime | None = None, **changes: Any
    ) -> str:
        """Return the ID token of a citizen for one request, with changed claims."""
        provider = self.world.identity_provider
        at = at if at is not None else self.clock()
        claims = provider.claims(pin, request_id, audience=PORTAL_AUDIENCE, at=at)
        return provider.sign(claims | changes)

    def ask_as_citizen(
        self, child: bytes, *, by: str | None = None, at: datetime | None = None
    ) -> ServiceAnswer:
        """Sign a Body as the citizens' portal, or as a party, and send it to the subject port."""
        at = at if at is not None else self.clock()
        portal = self.world.portal if by is None else self.world.messages[by]
        message = signed_message(child, portal.key, portal.certificate, at=at)
        answer = self.post(message, listener="subject", PATH_INFO="/v1/subject")
        if answer.status == 200:
            SUBJECT_SCHEMA.assertValid(etree.fromstring(child))
            SUBJECT_SCHEMA.assertValid(answer.child)
        else:
            FAULTS.assertValid(next(answer.child.iter(f"{{{TYPES}}}Fault")))
        return answer

    def post(self, message: bytes, *, listener: str = "wsse", **environ: str) -> ServiceAnswer:
        return post(self.applications[listener], message, **environ)

    def makul(self, duty: Duty | None = Duty.DESK) -> CommandLine:
        """Return the command line of this service, by the role of a duty; None: by the owner's."""
        directory = self.settings.store.keys.parent
        if not isinstance(self.settings.place, PostgresLocation):
            return CommandLine(directory)
        owner = self.settings.place
        place = owner if duty is None else create_duty_roles(owner)[duty]
        return CommandLine(directory, {"MAKUL_DATABASE_URL": place.url})

    def close(self) -> None:
        for store in self.opened:
            store.close()


def party(key: str) -> Party:
    return next(each for each in PARTIES if each.key == key)


def build_installation(
    directory: Path,
    *,
    database: RecordDatabase = IN_A_FILE,
    people: int = PEOPLE,
    clock: Clock = utc_now,
    parts: Any = lambda adapters: adapters,
    keys: StoreKeys | None = None,
) -> InProcessService:
    """Make a world in a directory and wire the service over it, like `composition`.

    Services of one process with default options share one world and one set of store keys.
    """
    begun = clock()
    shared = abs(utc_now() - begun) < FRESH and people == PEOPLE and keys is None
    template = _template(database, begun) if shared else None
    world = template.world if template else build_world(clock(), people=people)
    settings = _write(directory, world, database.setting(template))
    keys = template.keys if template else keys or StoreKeys.generate()
    keys.save(settings.store.keys)
    if template:
        template.copy_to(settings)
        owner_store = open_store(settings.place, keys, who="test")
    else:
        owner_store = create_store(settings.place, keys, who="test", at=clock())
        make_months(settings.place, at=clock())
    stores = _by_duty(settings, owner_store, keys, directory / "makul.toml")
    serving, store = stores[Duty.SERVING], _together(stores)
    adapters = build_adapters(settings, serving, clock)
    agreements, notices = build_agreements(settings, store.registry, adapters.verifier)
    if template is None:
        register(world, store.registry, agreements, notices, at=clock())
    built = parts(adapters)
    port = recipient_port(built, operator=OPERATOR, environment="SANDBOX")
    overseer = stores[Duty.OVERSIGHT]
    overseeing = replace(
        built,
        register=overseer.register,
        recorder=overseer.recorder,
        acts=overseer.acts,
        oversight=overseer.oversight,
        corrections=overseer.corrections,
    )
    oversight = oversight_port(overseeing, operator=OPERATOR)
    for_citizens = stores[Duty.SUBJECT]
    answering = replace(
        built,
        register=for_citizens.register,
        recorder=for_citizens.recorder,
        acts=for_citizens.acts,
        subject=for_citizens.subject,
        corrections=for_citizens.corrections,
    )
    assert settings.subject is not None
    subject = subject_port(answering, settings.subject, operator=OPERATOR)
    ports: dict[Port, tuple[Any, Adapters, PortContract, str]] = {
        Port.RECIPIENT: (port, built, RECIPIENT_CONTRACT, PUBLIC_URL),
        Port.OVERSIGHT: (oversight, overseeing, OVERSIGHT_CONTRACT, OVERSIGHT_URL),
        Port.SUBJECT: (subject, answering, SUBJECT_CONTRACT, SUBJECT_URL),
    }

    def application(name: str) -> Any:
        listener = settings.listeners[name]
        use_cases, adapters, contract, url = ports[listener.port]
        built_port = build_application(
            use_cases,
            build_channel(listener, adapters),
            contract=contract,
            public_url=url,
            clock=clock,
            ready=build_readiness(built, OPERATOR),
        )
        if listener.port is not Port.SUBJECT or settings.subject is None:
            return built_port
        return add_tracker(built_port, listener, adapters, settings.subject, OPERATOR)

    return InProcessService(
        world=world,
        settings=settings,
        store=store,
        parts=built,
        clock=clock,
        applications=_Applications(application),
        opened=tuple(stores.values()),
    )


def _by_duty(
    settings: Settings, owner_store: Store, keys: StoreKeys, config: Path
) -> Mapping[Duty, Store]:
    """Return the store as each duty opens it: on PostgreSQL by its role; the settings' role serves.

    A file has no roles.
    """
    owner = settings.place
    if not isinstance(owner, PostgresLocation):
        return dict.fromkeys(Duty, owner_store)
    owner_store.close()
    places = create_duty_roles(owner)
    config.write_text(config.read_text().replace(owner.url, places[Duty.SERVING].url))
    return {duty: open_store(place, keys, who="test") for duty, place in places.items()}


def _together(stores: Mapping[Duty, Store]) -> Store:
    """Return each port by the role of its duty; the operator's role has everything else."""
    serving = stores[Duty.SERVING]
    overseeing = stores[Duty.OVERSIGHT]
    return replace(
        stores[Duty.DESK],
        acts=overseeing.acts,
        oversight=overseeing.oversight,
        register=serving.register,
        recorder=serving.recorder,
        ledger=stores[Duty.SEQUENCING].ledger,
    )


def build_installation_on(
    directory: Path, database: str, server: Callable[[], Cluster], **options: Any
) -> InProcessService:
    """Build a service whose records are in `sqlite` or `postgresql`.

    It is not a copy: leaves of the original would have waited longer for their index than promised,
    and a small disk has no space for a second database.
    """
    where = IN_A_FILE if database == "sqlite" else on_server(server)
    return build_installation(directory, database=where, **{"keys": StoreKeys.generate()} | options)


def _write(directory: Path, world: World, database: str) -> Settings:
    (directory / "makul.toml").write_text(
        _TOML.format(
            database=database,
            operator=OPERATOR,
            authorised_body=AUTHORISED_BODY,
            citizen_policy=CITIZEN_POLICY.dotted_string,
            directory=directory,
            issuer=ISSUER,
            portal=PORTAL,
            audience=PORTAL_AUDIENCE,
        )
    )
    (directory / "portal.cert.pem").write_bytes(world.portal.certificate_pem)
    (directory / "identity-provider.jwks.json").write_bytes(world.identity_provider.jwks())
    key = directory / "receipts.key.pem"
    key.write_bytes(world.operator.key_pem)
    key.chmod(0o600)
    (directory / "receipts.cert.pem").write_bytes(world.operator.certificate_pem)
    for name in ("anchors", "intermediates", "crls", "ocsp", "tsa/anchors", "tsa/crls"):
        (directory / name).mkdir(parents=True)
    stamping_root = world.stamping_root
    (directory / "tsa/anchors/root.pem").write_bytes(stamping_root.credential.certificate_pem)
    (directory / "tsa/crls/root.pem").write_bytes(stamping_root.crl())
    (directory / "anchors" / "root.pem").write_bytes(world.hierarchy.anchors())
    (directory / "intermediates" / "cas.pem").write_bytes(
        world.hierarchy.intermediate_certificates()
    )
    for name, crl in world.crls.items():
        (directory / "crls" / Path(name).name).write_bytes(crl)
    return load_settings(directory / "makul.toml")


def post(
    application: Any,
    message: bytes,
    content_type: str = "text/xml; charset=utf-8",
    **environ: str,
) -> ServiceAnswer:
    """POST to a WSGI application; other values in `environ` come from its server."""
    answered: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        answered.update(status=int(status.split(maxsplit=1)[0]), headers=dict(headers))

    request = (
        {"PATH_INFO": "/v1/recipient"}
        | environ
        | {
            "REQUEST_METHOD": "POST",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(message)),
            "wsgi.input": io.BytesIO(message),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.version": (1, 0),
        }
    )
    body = b"".join(application(request, start_response))
    return ServiceAnswer(answered["status"], answered["headers"], body)


def about(
    person: Person, *, of: Party, document: SandboxDocument | None = None, **changes: Any
) -> dict[str, Any]:
    """Return the fields of an ordinary request about a person, for a test to change."""
    fields: dict[str, Any] = {
        "operation": document.operation.value if document is not None else "GetPersonData",
        "request_id": uuid4(),
        "agreement": of.agreement,
        "purpose": of.purpose,
        "pin": person.pin.digits,
        "document_number": str(person.values[Attribute.DOCUMENT_NUMBER]),
        "ground": (document.kind.value, document.document) if document is not None else None,
        "attributes": sorted(document.attributes) if document is not None else ["surname"],
    }
    return fields | changes


def person_request(
    *,
    operation: str,
    request_id: UUID,
    agreement: AgreementNumber,
    purpose: str,
    pin: str,
    document_number: str,
    ground: tuple[str, bytes] | None,
    attributes: list[str],
) -> bytes:
    """Build the Body's child of VerifyPerson or GetPersonData."""
    ground_xml = ""
    if ground is not None:
        name = "consentDocument" if ground[0] == "CONSENT" else "basisDocument"
        encoded = base64.b64encode(ground[1]).decode()
        ground_xml = f"<r:ground><r:{name}>{encoded}</r:{name}></r:ground>"
    attributes_xml = "".join(f"<r:attribute>{name}</r:attribute>" for name in attributes)
    requested_xml = (
        f"<r:requestedAttributes>{attributes_xml}</r:requestedAttributes>"
        if operation == "GetPersonData"
        else ""
    )
    return (
        f'<r:{operation} xmlns:r="{RECIPIENT}">'
        f"<r:requestId>{request_id}</r:requestId>"
        f"<r:agreementNumber>{agreement}</r:agreementNumber>"
        f"<r:purpose>{purpose}</r:purpose>"
        f"<r:probe><r:demographic><r:pin>{pin}</r:pin>"
        f"<r:documentNumber>{document_number}</r:documentNumber></r:demographic></r:probe>"
        f"{ground_xml}{requested_xml}</r:{operation}>"
    ).encode()
