"""The channel `mtls` if TLS ends in the listener itself, and for a proxy that connects by TLS."""

import json
import re
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from makul.domain.identifiers import Pin
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import OPERATOR
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.processes.service import free_port
from makul_testing.servers.listeners import by_tls, is_listening, run_listener, wait_for, write


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("direct"), database=record_database)
    yield built
    built.close()


@contextmanager
def run_mtls_service(installation: InProcessService, place: Path, **settings: str) -> Iterator[int]:
    """Run `makul serve --listener mtls` with TLS, for clients under the national root."""
    hierarchy, port = installation.world.hierarchy, free_port()
    certificate, key = write(
        place, "server", hierarchy.server(member_code=OPERATOR, host="127.0.0.1")
    )
    authorities = place / "cas.pem"
    authorities.write_bytes(hierarchy.intermediate_certificates() + hierarchy.anchors())
    with run_listener(
        installation,
        "mtls",
        BIND=f"127.0.0.1:{port}",
        WORKERS="1",
        TLS__CERTIFICATE=str(certificate),
        TLS__KEY=str(key),
        TLS__CLIENT_CA=str(authorities),
        **settings,
    ):
        wait_for(lambda: is_listening(port))
        yield port


def answer(
    installation: InProcessService,
    port: int,
    pair: tuple[Path, Path] | None,
    headers: dict[str, str],
) -> bytes:
    """Return the answer to a bank's request."""
    document = installation.document("bank-00-data")
    fields = about(
        installation.person_of(document),
        of=installation.bank,
        document=document,
        request_id=uuid4(),
    )
    envelope = "http://schemas.xmlsoap.org/soap/envelope/"
    message = b'<s:Envelope xmlns:s="%b"><s:Body>%b</s:Body></s:Envelope>' % (
        envelope.encode(),
        person_request(**fields),
    )
    connection: Any = by_tls(port, pair)
    with closing(connection):
        connection.request(
            "POST", "/v1/recipient", message, {"Content-Type": "text/xml; charset=utf-8", **headers}
        )
        body: bytes = connection.getresponse().read()
    return body


def outcome(body: bytes) -> str:
    found = re.search(rb"<outcome>([A-Z_]+)</outcome>|>([A-Z]{3}-[0-9]{2})<", body)
    assert found is not None
    return (found[1] or found[2]).decode()


def forwarding(credential: Credential) -> dict[str, str]:
    return {
        "X-SSL-Client-Cert": quote(credential.certificate_pem.decode(), safe=""),
        "X-SSL-Client-Verify": "SUCCESS",
    }


def test_certificate_of_the_connection_identifies_the_caller(
    installation: InProcessService, tmp_path: Path
) -> None:
    """The connection's certificate identifies the caller; a header that names another
    is ignored.
    """
    bank, mobile = installation.world.messages["bank"], installation.world.messages["mobile"]
    with run_mtls_service(installation, tmp_path, CLIENT_CERTIFICATE="tls") as port:
        own = write(tmp_path, "bank", bank)
        other = write(tmp_path, "mobile", mobile)

        assert outcome(answer(installation, port, own, {})) == "RELEASED"
        assert outcome(answer(installation, port, own, forwarding(mobile))) == "RELEASED"
        assert outcome(answer(installation, port, other, forwarding(bank))) == "REFUSED"
        stranger = installation.world.look_alike.organisation(member_code="COM/1", common_name="x")
        for nobody in (None, write(tmp_path, "stranger", stranger)):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                answer(installation, port, nobody, {})


def test_only_the_pinned_proxy_reports_certificates(
    installation: InProcessService, tmp_path: Path
) -> None:
    """Only the pinned proxy, of all clients of the CA, may report a certificate."""
    bank, hierarchy = installation.world.messages["bank"], installation.world.hierarchy
    proxy = hierarchy.organisation(member_code=OPERATOR, common_name="proxy")
    (tmp_path / "proxies.pem").write_bytes(proxy.certificate_pem)
    with run_mtls_service(
        installation,
        tmp_path,
        CLIENT_CERTIFICATE="header",
        PROXY_CERTIFICATES=str(tmp_path / "proxies.pem"),
    ) as port:
        known = write(tmp_path, "proxy", proxy)
        unknown = write(tmp_path, "mobile", installation.world.messages["mobile"])

        assert outcome(answer(installation, port, known, forwarding(bank))) == "RELEASED"
        assert outcome(answer(installation, port, known, {})) == "RCP-04"
        assert outcome(answer(installation, port, unknown, forwarding(bank))) == "RCP-04"


def test_portal_asks_the_tracker_by_its_certificate(
    installation: InProcessService, tmp_path: Path
) -> None:
    """The portal asks for the usage of data without X-Road, by its certificate alone.

    Neither a recipient's certificate nor a header that names the portal opens it.
    """
    world = installation.world
    document = installation.document("bank-00-data")
    pin = installation.person_of(document).pin
    portal, bank = write(tmp_path, "portal", world.portal), world.messages["bank"]
    own = write(tmp_path, "own", bank)
    with run_mtls_service(installation, tmp_path, PORT="subject", CLIENT_CERTIFICATE="tls") as port:
        status, found = usage_of(port, portal, pin, forwarding(bank))
        refused, reasons = usage_of(port, own, pin, forwarding(world.portal))

    assert (status, sorted(found)) == (200, ["totalUsages", "usages"])
    assert (refused, reasons["reasons"][0]["code"]) == (403, "RCP-04")


def usage_of(
    port: int, pair: tuple[Path, Path], pin: Pin, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON of the tracker's answer."""
    with closing(by_tls(port, pair)) as connection:
        connection.request("GET", f"/v2/findUsage?userCode={pin.digits}", headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
