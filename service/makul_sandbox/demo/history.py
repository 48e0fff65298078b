"""The history of a sandbox: requests of the last month, as recipients really sent them (cl. 11).

A month is closed only after it has ended, so a sandbox without a past has nothing to close. The
reference client sends each request over HTTP, and the whole service decides it. Only the clock of
both shows moments of the last month. Nothing gets into the record in another way.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from threading import Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from makul.app.ports.health import Readiness
from makul.composition.adapters import build_adapters
from makul.composition.channels import build_channel
from makul.composition.service import PATHS, recipient_port
from makul.config.settings import Port, Settings, load_settings
from makul.domain.attributes import Attribute
from makul.domain.disclosures import Operation
from makul.domain.month_sample import DISCLOSED
from makul.domain.months import Month
from makul.soap.wsgi_app import build_application
from makul.store import Store, StoreKeys, open_store
from makul_client import Client, ConsentDocument, Demographic, Probe, Profile
from makul_client.models.response import Decision
from makul_sandbox.data.recipients import BANK
from makul_sandbox.world.build import World
from makul_sandbox.world.document import SandboxDocument
from makul_sandbox.world.documents_valid import ASK_BY_CONSENT, SERVED

LISTENER: Final = "wsse"
SHARE_OF_BANK: Final = 6
"""How many of ten requests the bank sends. The other recipients share the rest."""
STOLEN: Final = ("held-when-revoked", "new-when-revoked")
"""The consents of a citizen whose key turns out to be stolen, in the scenes of the month."""


@dataclass(slots=True)
class MonthClock:
    """A clock that shows the moments of the history, for the service and for the clients."""

    at: datetime

    def __call__(self) -> datetime:
        """Return the moment of the request that is sent."""
        return self.at


def record_history(
    world: World, directory: Path, config: Path, month: Month, count: int
) -> Sequence[Decision]:
    """Send this many requests at moments of a month, evenly spread, and return their decisions."""
    clock = MonthClock(month.begins)
    decisions: list[Decision] = []
    step = (month.ends - month.begins) / (count + 1)
    with ExitStack() as opened:
        url = opened.enter_context(_served(load_settings(config), clock))
        clients: dict[str, Client] = {}
        for number, document in enumerate(islice(_documents(world, count), count), start=1):
            clock.at = month.begins + step * number
            party = document.presented_by.key
            if party not in clients:
                profile = Profile.load(directory / "parties" / party / "profile.toml")
                at_history = replace(profile, service=replace(profile.service, url=url))
                clients[party] = opened.enter_context(Client(at_history, clock=clock))
            decisions.append(_ask(clients[party], world, document))
    return decisions


def _documents(world: World, count: int) -> Iterator[SandboxDocument]:
    """Yield the documents to use: ordinary consents, and the stolen ones three times among them."""
    ordinary = _ordinary(world)
    stolen = iter((*STOLEN, STOLEN[0]))
    between = max(count // 4, 1)
    for number in range(1, count + 1):
        name = next(stolen, None) if number % between == 0 else None
        yield world.documents[name] if name is not None else next(ordinary)


def _ordinary(world: World) -> Iterator[SandboxDocument]:
    others = [party for party in ASK_BY_CONSENT if party is not BANK]
    parties = cycle([*[BANK] * SHARE_OF_BANK, *others])
    for number, party in enumerate(parties):
        use = "yes-no" if number % 3 == 2 else "data"
        document = world.documents[f"{party.key}-{number % SERVED:02d}-{use}"]
        if document.outcome in DISCLOSED:  # one recipient is on hold
            yield document


def _ask(client: Client, world: World, document: SandboxDocument) -> Decision:
    person = world.people[document.citizen]
    probe = Probe(
        demographic=Demographic(
            pin=person.pin.digits, document_number=str(person.values[Attribute.DOCUMENT_NUMBER])
        )
    )
    ground = ConsentDocument(document.document)
    if document.operation is Operation.VERIFY_PERSON:
        return client.verify_person(probe, ground=ground).decision
    attributes = [attribute.value for attribute in document.attributes]
    return client.get_person_data(probe, attributes, ground=ground).decision


@contextmanager
def _served(settings: Settings, clock: MonthClock) -> Iterator[str]:
    """Serve the recipient port with this clock until the end; yield its address."""
    keys = StoreKeys.load(settings.store.keys)
    with closing(open_store(settings.place, keys, who="sandbox history")) as store:
        server = make_server(
            "127.0.0.1", 0, _application(settings, store, clock), handler_class=_QuietHandler
        )
        thread = Thread(target=server.serve_forever, name="sandbox-history", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{PATHS[Port.RECIPIENT]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _application(settings: Settings, store: Store, clock: MonthClock) -> Any:
    listener = settings.listeners[LISTENER]
    parts = build_adapters(settings, store, clock)
    port = recipient_port(
        parts, operator=settings.operator_code, environment=settings.environment.value
    )
    return build_application(
        port,
        build_channel(listener, parts),
        public_url=listener.public_url + PATHS[listener.port],
        clock=clock,
        ready=lambda: Readiness({}),
    )


class _QuietHandler(WSGIRequestHandler):
    """A handler that writes no line for each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name is given
        """Write nothing."""
