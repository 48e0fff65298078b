"""The channels behind a real nginx, with the published configurations."""

import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from lxml import etree

from makul.domain.attributes import Attribute
from makul_client import Client, ConsentDocument, Demographic, Probe, Profile
from makul_sandbox.data.pki import Credential, Hierarchy, new_hierarchy
from makul_sandbox.data.recipients import OPERATOR
from makul_sandbox.output.files import Addresses, write_files
from makul_testing.builders.messages import signed_message, xroad_message
from makul_testing.external.nginx import fronting
from makul_testing.external.requirements import needs
from makul_testing.in_process_service import (
    TYPES,
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.processes.service import free_port
from makul_testing.servers.listeners import UnixConnection, by_tls, run_listener, wait_for, write

pytestmark = needs("nginx")

OVERSIGHT = "urn:makul:oversight:1"
LISTENERS = ("mtls", "wsse", "xroad", "oversight")
XML = {"Content-Type": "text/xml; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A service behind nginx, and the addresses of both."""

    installation: InProcessService
    directory: Path
    mtls_port: int
    wsse_port: int
    xroad_port: int
    oversight_port: int
    security_server: Credential
    """The one certificate that the xroad front accepts."""
    others: Hierarchy
    """A CA that nginx accepts and CommandLine does not trust."""

    @property
    def socket(self) -> Path:
        return self.directory / "mtls.sock"

    def certified(self, name: str, credential: Credential) -> tuple[str, str]:
        certificate, key = write(self.directory, name, credential)
        return str(certificate), str(key)

    def ask(
        self,
        message: bytes,
        credential: Credential | None,
        *,
        port: int = 0,
        path: str = "/v1/recipient",
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """POST through nginx, with this client certificate."""
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(self.directory / "root.pem")
            if credential is not None:
                session.cert = self.certified("client", credential)
            return session.post(
                f"https://127.0.0.1:{port or self.mtls_port}{path}",
                data=message,
                headers=XML | (headers or {}),
                timeout=60,
            )


@pytest.fixture(scope="module")
def front(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[Front]:
    """Run nginx, and behind it `makul serve` for each channel on its Unix socket."""
    place = tmp_path_factory.mktemp("mtls")
    (place / "installation").mkdir()
    installation = build_installation(place / "installation", database=record_database)
    hierarchy = installation.world.hierarchy
    front = Front(
        installation=installation,
        directory=place,
        mtls_port=free_port(),
        wsse_port=free_port(),
        xroad_port=free_port(),
        oversight_port=free_port(),
        security_server=hierarchy.organisation(member_code=OPERATOR, common_name="ss"),
        others=installation.world.look_alike,
    )
    (place / "root.pem").write_bytes(hierarchy.anchors())
    server = hierarchy.server(member_code=OPERATOR, host="127.0.0.1")
    certificate, key = write(place, "server", server)
    certificate.write_bytes(server.certificate_pem + hierarchy.intermediate_certificates())
    (place / "client-cas.pem").write_bytes(
        b"".join(
            each.intermediate_certificates() + each.anchors() for each in (hierarchy, front.others)
        )
    )
    places = {
        "/run/makul/mtls.sock": str(front.socket),
        "/run/makul/wsse.sock": str(place / "wsse.sock"),
        "/etc/makul/nginx/server.cert.pem": str(certificate),
        "/etc/makul/nginx/server.key.pem": str(key),
        "/etc/makul/nginx/client-cas.pem": str(place / "client-cas.pem"),
        "192.0.2.10:8443": f"127.0.0.1:{front.mtls_port}",
        "192.0.2.10:443": f"127.0.0.1:{front.wsse_port}",
        "/run/makul/xroad.sock": str(place / "xroad.sock"),
        "/etc/makul/nginx/security-server-cas.pem": str(place / "client-cas.pem"),
        "0" * 40: front.security_server.certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - nginx's
        "192.0.2.10:8444": f"127.0.0.1:{front.xroad_port}",
        "/run/makul-oversight/oversight.sock": str(place / "oversight.sock"),
        "192.0.2.10:8446": f"127.0.0.1:{front.oversight_port}",
    }
    with ExitStack() as running:
        for listener in LISTENERS:
            path = place / f"{listener}.sock"
            running.enter_context(
                run_listener(installation, listener, BIND=f"unix:{path}", WORKERS="1")
            )
        for listener in LISTENERS:
            wait_for((place / f"{listener}.sock").exists)
        files = ("makul.conf", "makul-xroad.conf", "makul-oversight.conf")
        running.enter_context(fronting(place, places, files=files))
        yield front
    installation.close()


def build_request(front: Front, document_name: str = "bank-00-data", **changes: Any) -> bytes:
    """Build an unsigned GetPersonData in the intended use of a document."""
    found = front.installation.document(document_name)
    fields = about(
        front.installation.person_of(found),
        of=found.presented_by,
        document=found,
        request_id=uuid4(),
    )
    child = person_request(**(fields | changes)).decode()
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<s:Body>{child}</s:Body></s:Envelope>"
    ).encode()


def read_outcome(answer: requests.Response) -> tuple[str | None, list[str]]:
    """Return the outcome and reason codes; neither if nginx itself answered."""
    if "xml" not in answer.headers["Content-Type"]:
        return None, [str(answer.status_code)]
    root = etree.fromstring(answer.content)
    outcome = root.findtext(".//{urn:makul:recipient:1}outcome")
    return outcome, [str(code.text) for code in root.iter(f"{{{TYPES}}}code")]


RELEASED: tuple[str | None, list[str]] = ("RELEASED", [])


def test_reference_client_works_behind_nginx(front: Front) -> None:
    """The profile has the channel mtls with key and certificate, and messages have no signature."""
    installation, place = front.installation, front.directory / "handed-out"
    addresses = Addresses(
        host="127.0.0.1",
        port=1,
        xroad_port=2,
        mtls_port=front.mtls_port,
        oversight_port=3,
        subject_port=5,
    )
    world = installation.world
    for name, content in {
        "service/keys/receipts.cert.pem": world.operator.certificate_pem,
        "service/anchors/root.pem": world.hierarchy.anchors(),
        "service/intermediates/issuing.pem": world.hierarchy.intermediate_certificates(),
        **{f"service/crls/{name}": crl for name, crl in world.crls.items()},
    }.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    write_files(world, place, addresses, {})
    document = installation.document("bank-00-data")
    person = installation.person_of(document)
    probe = Demographic(
        pin=person.pin.digits, document_number=str(person.values[Attribute.DOCUMENT_NUMBER])
    )

    with Client(Profile.load(place / "parties" / "bank" / "profile-mtls.toml")) as client:
        data = client.get_person_data(
            Probe(demographic=probe),
            [each.value for each in document.attributes],
            ground=ConsentDocument(document.document),
        )

    assert data.decision.outcome == "RELEASED"


def test_registered_certificate_gets_data(front: Front) -> None:
    """The holder of the registered key gets the answer of any channel."""
    assert (
        read_outcome(front.ask(build_request(front), front.installation.world.messages["bank"]))
        == RELEASED
    )


def test_missing_certificate_is_refused_by_nginx(front: Front) -> None:
    """RFC 8446, 4.4.2.4: nginx answers, and the service gets no request."""
    assert front.ask(build_request(front), None).status_code == 400


def test_certificate_of_another_authority_is_refused(front: Front) -> None:
    """SIG-09 even if the proxy trusts more than we do; nginx refuses one that it does not know."""
    let_in = front.others.organisation(member_code="COM/60000001", common_name="bank")
    stranger = new_hierarchy(front.installation.world.made_at)
    kept_out = stranger.organisation(member_code="COM/60000001", common_name="bank")

    assert read_outcome(front.ask(build_request(front), let_in)) == (None, ["SIG-09"])
    assert front.ask(build_request(front), kept_out).status_code == 400


def test_unregistered_certificate_is_refused(front: Front) -> None:
    """RCP-04: a path to the national root makes no recipient."""
    bank = front.installation.bank
    unknown = front.installation.world.hierarchy.organisation(
        member_code=bank.code, common_name=bank.name
    )

    assert read_outcome(front.ask(build_request(front), unknown)) == (None, ["RCP-04"])


def test_certificate_of_another_recipient_gets_nothing(front: Front) -> None:
    """The certificate identifies the caller: a mobile operator gets nothing under the bank's
    agreement.
    """
    mobile = front.installation.world.messages["mobile"]

    outcome, codes = read_outcome(front.ask(build_request(front), mobile))

    assert outcome == "REFUSED"
    assert "AGR-01" in codes


def test_server_certificate_is_refused(front: Front) -> None:
    """RFC 5280, 4.2.1.12: a certificate for servers is none for clients."""
    server = front.installation.world.hierarchy.server(member_code=OPERATOR, host="127.0.0.1")

    assert front.ask(build_request(front), server).status_code == 400


def test_unagreed_channel_is_refused(front: Front) -> None:
    """REQ-08: the notary's agreement names only wsse (Procedure, cl. 7)."""
    notary = front.installation.world.messages["notary"]

    assert read_outcome(front.ask(build_request(front, "notary-00-data"), notary)) == (
        "REFUSED",
        ["REQ-08"],
    )


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("X-SSL-Client-Cert", 200),
        ("x-ssl-client-cert", 200),
        ("X_SSL_Client_Cert", 200),
        ("X-SSL_Client-Cert", 200),
        ("X.SSL.Client.Cert", 200),
        ("X-SSL-Client-Cert\t", 400),
        ("X-SSL-Client-Cert ", 400),
        (" X-SSL-Client-Cert", 400),
    ],
)
def test_header_of_the_client_is_ignored(front: Front, name: str, status: int) -> None:
    """Only the proxy's own header counts, for any header and spelling of a client."""
    bank = quote(front.installation.world.messages["bank"].certificate_pem.decode(), safe="")
    mobile = front.installation.world.messages["mobile"]
    connection = by_tls(front.mtls_port, write(front.directory, "own", mobile))
    with closing(connection):
        connection.putrequest("POST", "/v1/recipient", skip_accept_encoding=True)
        message = build_request(front)
        for field, value in (*XML.items(), ("Content-Length", str(len(message)))):
            connection.putheader(field, value)
        for sent in (name, name):
            # http.client checks names; this tests a client that does not
            connection._buffer.append(f"{sent}: {bank}".encode())  # type: ignore[attr-defined]
            connection._buffer.append(b"X-SSL-Client-Verify: SUCCESS")  # type: ignore[attr-defined]
        connection.endheaders(message)
        answer = connection.getresponse()
        body = answer.read()

    assert answer.status == status
    assert b"RELEASED" not in body
    assert (b"AGR-01" in body) is (status == 200), "judged as the certificate's own recipient"


def test_header_on_the_wsse_front_is_ignored(front: Front) -> None:
    """A header with a client certificate confers nothing if messages are signed."""
    bank = front.installation.world.messages["bank"]
    forged = {
        "X-SSL-Client-Cert": quote(bank.certificate_pem.decode(), safe=""),
        "X-SSL-Client-Verify": "SUCCESS",
    }
    unsigned = build_request(front)
    child = etree.tostring(etree.fromstring(unsigned)[0][0])
    signed = signed_message(child, bank.key, bank.certificate, at=front.installation.clock())

    refused = front.ask(unsigned, None, port=front.wsse_port, headers=forged)
    released = front.ask(signed, None, port=front.wsse_port)

    assert read_outcome(refused) == (None, ["SIG-01"])
    assert read_outcome(released) == RELEASED


def test_officer_is_answered_at_the_oversight_front(front: Front) -> None:
    """The signature of the message identifies the officer; operations of recipients are no path."""
    officer = front.installation.world.officers["inspector"].credential
    content = (
        f"<o:requestId>{uuid4()}</o:requestId><o:recipient>COM/99999999</o:recipient>"
        "<o:justification>data without consent</o:justification>"
    )
    child = f'<o:CutOffRecipient xmlns:o="{OVERSIGHT}">{content}</o:CutOffRecipient>'.encode()
    signed = signed_message(child, officer.key, officer.certificate, at=front.installation.clock())

    answer = front.ask(signed, None, port=front.oversight_port, path="/v1/oversight")
    other = front.ask(build_request(front), None, port=front.oversight_port)

    root = etree.fromstring(answer.content)
    assert root.findtext(f".//{{{OVERSIGHT}}}outcome") == "REFUSED"
    assert read_outcome(answer) == (None, ["OVR-06"])
    assert (other.status_code, read_outcome(other)) == (404, (None, ["REQ-02"]))


def by_xroad(front: Front) -> bytes:
    """Send GetPersonData as a security server forwards it, for the member in its header."""
    document, request_id = front.installation.document("bank-00-data"), uuid4()
    fields = about(
        front.installation.person_of(document),
        of=front.installation.bank,
        document=document,
        request_id=request_id,
    )
    return xroad_message(person_request(**fields), front.installation.bank.code, request_id)


def test_security_server_is_accepted(front: Front) -> None:
    """Its own certificate is accepted, and so is its statement about the client."""
    answer = front.ask(by_xroad(front), front.security_server, port=front.xroad_port)

    assert read_outcome(answer) == RELEASED


def test_other_certificate_at_the_xroad_front_is_refused(front: Front) -> None:
    """Any other holder under its CA could speak for any member, so nginx pins the one."""
    bank = front.installation.world.messages["bank"]
    renamed = front.installation.world.hierarchy.organisation(
        member_code=OPERATOR, common_name="ss"
    )
    look_alike = front.others.organisation(member_code=OPERATOR, common_name="ss")
    stranger = new_hierarchy(front.installation.world.made_at).organisation(
        member_code=OPERATOR, common_name="ss"
    )
    for other, status in ((bank, 403), (renamed, 403), (look_alike, 403), (stranger, 400)):
        answer = front.ask(by_xroad(front), other, port=front.xroad_port)
        assert (answer.status_code, b"RELEASED" in answer.content) == (status, False)
    assert front.ask(by_xroad(front), None, port=front.xroad_port).status_code == 400


def test_a_fault_at_the_xroad_front_is_500(front: Front) -> None:
    """A security server reads only 200 and 500, for any error."""
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}):
        answer = front.ask(
            b"<a/>", front.security_server, port=front.xroad_port, headers=dict(headers)
        )
        assert answer.status_code == 500
        assert b"Fault>" in answer.content


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/healthz", 200),
        ("/v1/recipient?wsdl", 200),
        ("/readyz", 404),
        ("/%72eadyz", 404),
        ("//readyz", 404),
        ("/x/../readyz", 404),
        ("/readyz?a", 404),
        ("/readyz#a", 404),
        ("/v1/MARK", 404),
    ],
)
def test_front_forwards_only_public_paths(front: Front, path: str, status: int) -> None:
    """Nginx forwards only the public paths; all others become one unknown path."""
    connection = by_tls(front.wsse_port, None)
    with closing(connection):
        connection.putrequest("GET", path)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()

    assert answer.status == status
    assert b"MARK" not in body
    assert b"checks" not in body
    if status == 404:
        assert b'lang="ky"' in body


def test_message_to_an_unknown_path_gets_a_fault(front: Front) -> None:
    """A SOAP client understands REQ-02, and gets nothing about the path."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(front.directory / "root.pem")
        answer = session.post(
            f"https://127.0.0.1:{front.wsse_port}/v2/MARK", data=build_request(front), headers=XML
        )

    assert (answer.status_code, read_outcome(answer)) == (404, (None, ["REQ-02"]))
    assert b"MARK" not in answer.content


def test_socket_is_only_for_its_group(front: Front) -> None:
    """A caller that reaches the socket is trusted, so only its owner and group may connect."""
    assert stat.S_IMODE(front.socket.stat().st_mode) & 0o007 == 0


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "RCP-04"),
        ({"X-SSL-Client-Verify": "SUCCESS"}, "RCP-04"),
        ({"X-SSL-Client-Verify": "NONE", "X-SSL-Client-Cert": "BANK"}, "RCP-04"),
        (
            {"X-SSL-Client-Verify": "FAILED:expired", "X-SSL-Client-Cert": "BANK"},
            "SIG-09",
        ),
        ({"X-SSL-Client-Cert": "BANK"}, "RCP-04"),
        ({"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": "BANK,BANK"}, "RCP-04"),
        ({"X_SSL_Client_Verify": "SUCCESS", "X_SSL_Client_Cert": "BANK"}, "RCP-04"),
        ({"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": "%2D"}, "RCP-04"),
        ({"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": "A" * 8000}, "RCP-04"),
    ],
)
def test_incomplete_header_of_the_proxy_is_refused(
    front: Front, headers: dict[str, str], code: str
) -> None:
    """The header needs a verdict and one certificate, in exactly that spelling."""
    bank = quote(front.installation.world.messages["bank"].certificate_pem.decode(), safe="")
    connection = UnixConnection(front.socket)
    with closing(connection):
        sent = {name: value.replace("BANK", bank) for name, value in headers.items()}
        connection.request("POST", "/v1/recipient", build_request(front), XML | sent)
        body = connection.getresponse().read()

    assert [code] == [str(each.text) for each in etree.fromstring(body).iter(f"{{{TYPES}}}code")]


# tests that change the service come last


def test_withdrawn_certificate_is_refused(front: Front) -> None:
    """RCP-04 from the commit of its withdrawal on, although TLS still accepts it."""
    installation = front.installation
    lost = installation.world.hierarchy.organisation(
        member_code=installation.bank.code, common_name="lost"
    )
    installation.store.registry.add_certificate(
        installation.bank.code, lost.fingerprint, lost.der, at=installation.clock()
    )
    before = read_outcome(front.ask(build_request(front), lost))

    installation.store.registry.withdraw_certificate(
        installation.bank.code, lost.fingerprint, reason="lost", at=installation.clock()
    )

    assert before == RELEASED
    assert read_outcome(front.ask(build_request(front), lost)) == (None, ["RCP-04"])


def test_expired_certificate_is_refused(front: Front) -> None:
    """SIG-05, and nginx refuses it as well."""
    installation = front.installation
    long_ago = replace(
        installation.world.hierarchy.organisations,
        made_at=installation.world.made_at - timedelta(days=4000),
    )
    expired = replace(installation.world.hierarchy, organisations=long_ago).organisation(
        member_code=installation.bank.code, common_name="expired"
    )
    installation.store.registry.add_certificate(
        installation.bank.code, expired.fingerprint, expired.der, at=installation.clock()
    )

    assert front.ask(build_request(front), expired).status_code == 400
    forwarded = {
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-Cert": quote(expired.certificate_pem.decode(), safe=""),
    }
    connection = UnixConnection(front.socket)
    with closing(connection):
        connection.request("POST", "/v1/recipient", build_request(front), XML | forwarded)
        assert b"SIG-05" in connection.getresponse().read()


def test_revoked_certificate_is_refused(front: Front) -> None:
    """SIG-06 although nginx accepts it: the service does not rely on the proxy's verification."""
    installation = front.installation
    revoked = installation.world.hierarchy.organisation(
        member_code=installation.bank.code, common_name="revoked"
    )
    installation.store.registry.add_certificate(
        installation.bank.code, revoked.fingerprint, revoked.der, at=installation.clock()
    )
    crl = installation.settings.trust.crls / "organisations.crl.pem"
    new = crl.with_suffix(".new")
    new.write_bytes(installation.world.hierarchy.organisations.crl([revoked.certificate]))
    new.rename(crl)

    wait_for(lambda: read_outcome(front.ask(build_request(front), revoked)) == (None, ["SIG-06"]))
    assert (
        read_outcome(front.ask(build_request(front), installation.world.messages["bank"]))
        == RELEASED
    )
