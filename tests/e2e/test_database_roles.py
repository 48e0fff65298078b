"""Workers, operator's commands and the sequencer run together, each with its PostgreSQL role.

The server writes to disk, so that production accepts it; the processes are those of `makul`.
"""

import base64
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from lxml import etree

from makul.admin.errors import OperatorError
from makul.admin.preflight import require_strong_store
from makul.app.ports import Duty
from makul.config.settings import Environment
from makul.ledger.signed_note import ED25519
from makul.store.db.location import PostgresLocation
from makul.store.log.tile_files import LogDirectory
from makul.store.schema.roles import grants
from makul.trust.tlog.note_keys import new_key_file
from makul_testing.builders.consents import build_revocation_request, revocation
from makul_testing.builders.messages import signed_message
from makul_testing.database_roles import as_role, create_duty_roles
from makul_testing.external.postgres import Cluster, cluster
from makul_testing.in_process_service import (
    NS,
    RECIPIENT,
    InProcessService,
    about,
    build_installation_on,
    person_request,
)
from makul_testing.load.steady_load import ask
from makul_testing.processes.program import Program, run_program
from makul_testing.processes.service import Server, run_service

PATIENCE = 120.0
"""Seconds; a process starts in two on an idle machine."""

_LEDGER = """
[ledger]
origin = "makul-test/GOV/70000001"
key = "ledger.key"
publish = "published"
interval = 0.2
[trust]"""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster(durable=True) as running:
        yield running


@dataclass(frozen=True, slots=True)
class SeparateRoles:
    """A service with a ledger, and one running listener."""

    installation: InProcessService
    config: Path
    places: Mapping[Duty, PostgresLocation]
    listener: Server

    def ask(self, child: bytes) -> etree._Element:
        """Send the bank's signed request to the listener; return the answer's child of the Body."""
        holder = self.installation.world.messages["bank"]
        message = signed_message(
            child, holder.key, holder.certificate, at=self.installation.clock()
        )
        status, body = ask(self.listener.port, message)
        assert status == 200
        found = etree.fromstring(body).find("s:Body", NS)
        assert found is not None
        return found[0]

    def environment(self, duty: Duty, **more: str) -> dict[str, str]:
        """Return the environment of a process of that duty."""
        return os.environ | {"MAKUL_DATABASE_URL": self.places[duty].url} | more

    def makul(self, duty: Duty, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command with a duty's role."""
        environment = self.environment(duty, **more)
        return run_program("--config", self.config, *arguments, env=environment, text=True)

    @contextmanager
    def sequencing(self) -> Iterator[None]:
        """Run `makul ledger run` in production: it needs the sequencer's role, and no other."""
        environment = self.environment(Duty.SEQUENCING, MAKUL_ENVIRONMENT="PRODUCTION")
        process = Program("--config", self.config, "ledger", "run", env=environment)
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=120) == 0

    def published(self) -> int:
        """Return the leaves of the published tree."""
        note = LogDirectory(self.config.parent / "published").checkpoint()
        return int(note.split(b"\n")[1]) if note is not None else 0


@pytest.fixture(scope="module")
def separate(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeparateRoles]:
    directory = tmp_path_factory.mktemp("roles")
    installation = build_installation_on(directory, "postgresql", lambda: server)
    config = directory / "makul.toml"
    text = config.read_text().partition("[listeners.xroad]")[0]
    config.write_text(text.replace("\n[trust]", _LEDGER, 1))
    new_key_file(directory / "ledger.key", "makul-test/GOV/70000001", ED25519)
    assert isinstance(installation.settings.place, PostgresLocation)
    with run_service(config, workers=1) as listener:
        yield SeparateRoles(
            installation, config, create_duty_roles(installation.settings.place), listener
        )
    installation.close()


def named(operation: str, content: str) -> bytes:
    return (
        f'<r:{operation} xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
        f"{content}</r:{operation}>"
    ).encode()


def test_the_main_use_case_works_with_separate_roles(separate: SeparateRoles) -> None:
    """The consent is registered, used, repeated, sequenced, proved, revoked, and refused."""
    installation = separate.installation
    document = installation.document("bank-02-data")
    consent_id = UUID(
        etree.fromstring(document.document).findtext("{urn:makul:consent:1}consentId")
    )
    encoded = base64.b64encode(document.document).decode()
    fields = about(installation.person_of(document), of=installation.bank, document=document)
    child = person_request(**fields)

    registered = separate.ask(
        named(
            "RegisterConsent",
            f"<r:agreementNumber>{document.agreement}</r:agreementNumber>"
            f"<r:consentDocument>{encoded}</r:consentDocument>",
        )
    )
    released, again = separate.ask(child), separate.ask(child)
    receipt_wanted = f"<r:ofRequest>{fields['request_id']}</r:ofRequest>"
    with separate.sequencing():
        proved = until_proved(separate, receipt_wanted)
    taken_back = separate.ask(build_revocation_request(revocation(installation, consent_id)))
    refused = separate.ask(person_request(**(fields | {"request_id": uuid4()})))

    assert registered.findtext("r:outcome", namespaces=NS) == "ACCEPTED"
    assert released.findtext("r:outcome", namespaces=NS) == "RELEASED"
    assert etree.tostring(again) == etree.tostring(released)
    assert int(proved.findtext("r:treeSize", "", NS)) >= 2
    assert taken_back.findtext("r:outcome", namespaces=NS) == "ACCEPTED"
    assert b"CNS-05" in etree.tostring(refused)
    assert separate.makul(Duty.DESK, "ledger", "verify").returncode == 0


def until_proved(separate: SeparateRoles, expected: str) -> etree._Element:
    """Repeat GetReceipt until the receipt has its proof."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = separate.ask(named("GetReceipt", expected)).find("r:inclusion", NS)
        if found is not None:
            return found
        assert time.monotonic() < deadline, "no place in the log"
        time.sleep(0.2)


def test_the_listener_uses_the_serving_role(separate: SeparateRoles, server: Cluster) -> None:
    """The real processes use the roles that these tests are about."""
    separate.ask(named("GetStatus", ""))
    pids = separate.listener.workers
    owner = separate.installation.settings.place
    assert isinstance(owner, PostgresLocation)
    database = psycopg.conninfo.conninfo_to_dict(owner.url)["dbname"]
    rows = server.execute(
        "SELECT DISTINCT usename FROM pg_stat_activity"  # noqa: S608
        f" WHERE application_name = 'makul' AND datname = '{database}'"
    )

    assert pids
    assert ("makul_serving",) in rows
    assert ("postgres",) not in rows


DESK_COMMANDS = (
    ("recipient", "hold", "COM/60000001", "--reason", "test", "--apply"),
    ("recipient", "release", "COM/60000001", "--reason", "test", "--apply"),
    ("recipient", "add", "COM/69999999", "--kind", "BANK", "--name", "Another", "--apply"),
    ("recipient", "list"),
    ("agreement", "list"),
    ("signatory", "list"),
    ("notice", "list"),
    ("disclosure", "list"),
    ("disclosure", "statistics", "--month", "2026-11"),
    ("key", "show"),
    ("ledger", "status"),
    ("ledger", "verify"),
    ("store", "status", "--for", "desk"),
)


@pytest.mark.parametrize("command", DESK_COMMANDS, ids=" ".join)
def test_the_operators_commands_use_their_role(
    separate: SeparateRoles, command: tuple[str, ...]
) -> None:
    result = separate.installation.makul(Duty.DESK)(*command)

    assert result.code == 0, result.err


@pytest.mark.parametrize("duty", [Duty.SERVING, Duty.SEQUENCING])
def test_no_other_role_releases_a_recipient(separate: SeparateRoles, duty: Duty) -> None:
    """One line says whose work it is, and nothing is done."""
    makul = separate.installation.makul(duty)

    result = makul("recipient", "hold", "COM/60000001", "--reason", "test", "--apply")

    assert result.code == 1
    assert "the database's role may not do this" in result.err
    states = {each.code: each.state for each in separate.installation.store.registry.recipients()}
    assert states[separate.installation.bank.code] == "ACTIVE"


@pytest.mark.parametrize("duty", [Duty.SERVING, Duty.DESK])
def test_production_sequences_by_no_other_role(separate: SeparateRoles, duty: Duty) -> None:
    """It is refused before anything is signed, with the command that corrects it."""
    result = separate.makul(duty, "ledger", "run", MAKUL_ENVIRONMENT="PRODUCTION")

    assert result.returncode == 1
    assert f"makul store grant makul_{duty.value} --for sequencing --apply" in result.stderr


@pytest.mark.parametrize("duty", [Duty.DESK, Duty.SEQUENCING])
def test_production_serves_by_no_other_role(separate: SeparateRoles, duty: Duty) -> None:
    """The message is that of `makul serve`; there, the sandbox's roots would be refused first."""
    anchors = separate.config.parent / "none"
    anchors.mkdir(exist_ok=True)
    result = separate.makul(
        duty,
        "serve",
        MAKUL_ENVIRONMENT="PRODUCTION",
        MAKUL_TRUST__ANCHORS=str(anchors),
        MAKUL_TRUST__TSA_ANCHORS=str(anchors),
    )

    assert result.returncode == 1
    assert f"makul store grant makul_{duty.value} --for serving --apply" in result.stderr


def test_production_refuses_a_role_with_more_privileges(
    separate: SeparateRoles, server: Cluster
) -> None:
    """A role for everything, as formerly, is refused, and so is the owner.

    A sandbox does not check.
    """
    owner = separate.installation.settings.place
    assert isinstance(owner, PostgresLocation)
    for_all = as_role(owner, "for_all")
    server.execute("CREATE ROLE for_all LOGIN")
    statements = [each for duty in Duty for each in grants("for_all", duty) if "GRANT" in each]
    database = str(psycopg.conninfo.conninfo_to_dict(owner.url)["dbname"])
    server.execute(";".join(statements), database=database)

    production = {"environment": Environment.PRODUCTION}
    for place, fit in (
        (separate.places[Duty.SERVING], True),
        (for_all, False),
        (owner, False),
    ):
        url = {"database_url": type(separate.installation.settings.database_url)(place.url)}
        settings = separate.installation.settings.model_copy(update=production | url)
        if fit:
            require_strong_store(settings, Duty.SERVING)
            continue
        with pytest.raises(OperatorError, match=re.escape("not fit for production")):
            require_strong_store(settings, Duty.SERVING)
        sandbox = settings.model_copy(update={"environment": Environment.SANDBOX})
        require_strong_store(sandbox, Duty.SERVING)
