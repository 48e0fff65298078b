"""Every channel's proof of the caller, at every listener: only the listener's own counts.

Three recipients each have one proof, and all proofs come at once or one by one. The agreement with
which the request is compared shows who was authenticated (Procedure, cl. 7).
"""

import json
from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import pytest
from lxml import etree

from makul.store.encryption.compression import Compressor
from makul.store.encryption.fields import FieldCipher
from makul.store.encryption.master_keys import StoreKeys
from makul.store.open import database_at
from makul.store.records.private_fields import open_private
from makul_testing.builders.messages import signed_message, xroad_message
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    party,
    person_request,
)
from makul_testing.raw_sql import raw

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE, XROAD, MTLS = "wsse", "xroad", "mtls"
LISTENERS = (WSSE, XROAD, MTLS)

# the answer of a listener to a message without its own proof
NOTHING = {WSSE: "FAULT SIG-01", XROAD: "FAULT REQ-01", MTLS: "FAULT RCP-04"}

# proofs in a message, each with its holder, and the result of each listener for a request under the
# bank's agreement; "*" is the answer without a proof
TABLE = """
    proofs                               | wsse        | xroad       | mtls
    -                                    | *           | *           | *
    wsse:bank                            | RELEASED    | *           | *
    xroad:bank                           | *           | RELEASED    | *
    mtls:bank                            | *           | *           | RELEASED
    wsse:bank   xroad:bank               | RELEASED    | RELEASED    | *
    wsse:bank   mtls:bank                | RELEASED    | *           | RELEASED
    xroad:bank  mtls:bank                | *           | RELEASED    | RELEASED
    wsse:bank   xroad:bank  mtls:bank    | RELEASED    | RELEASED    | RELEASED
    wsse:mobile xroad:bank  mtls:bank    | REFUSED     | RELEASED    | RELEASED
    wsse:bank   xroad:mobile mtls:bank   | RELEASED    | REFUSED     | RELEASED
    wsse:bank   xroad:bank  mtls:mobile  | RELEASED    | RELEASED    | REFUSED
    wsse:bank   xroad:mobile mtls:mobile | RELEASED    | REFUSED     | REFUSED
    wsse:mobile xroad:bank  mtls:mobile  | REFUSED     | RELEASED    | REFUSED
    wsse:mobile xroad:mobile mtls:bank   | REFUSED     | REFUSED     | RELEASED
    wsse:mobile xroad:mobile             | REFUSED     | REFUSED     | *
    wsse:stranger xroad:bank mtls:bank   | FAULT SIG-09| RELEASED    | RELEASED
    wsse:bank   xroad:stranger mtls:bank | RELEASED    | FAULT RCP-01| RELEASED
    wsse:bank   xroad:bank mtls:stranger | RELEASED    | RELEASED    | FAULT SIG-09
"""


def rows() -> Iterator[tuple[dict[str, str], str, str]]:
    """Return the table's fields: proofs, listener, expected."""
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in TABLE.split("\n")[1:-1]]
    for proofs, *cells in lines:
        fields = dict(each.split(":") for each in proofs.split() if each != "-")
        for listener, expected in zip(head[1:], cells, strict=True):
            yield fields, listener, NOTHING[listener] if expected == "*" else expected


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("matrix"), database=record_database)
    yield built
    built.close()


@pytest.mark.parametrize(
    ("proofs", "listener", "expected"),
    [
        pytest.param(*row, id=f"{' '.join(map(':'.join, row[0].items())) or 'none'} at {row[1]}")
        for row in rows()
    ],
)
def test_exactly_one_channel_counts(
    installation: InProcessService, proofs: dict[str, str], listener: str, expected: str
) -> None:
    """The headers of other channels confer nothing, and take nothing away."""
    assert read_outcome(installation, listener, proofs) == expected


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("others", [(), LISTENERS], ids=["alone", "with all others"])
def test_a_channel_outside_the_agreement_is_refused(
    installation: InProcessService, listener: str, others: tuple[str, ...]
) -> None:
    """REQ-08; Procedure, cl. 7: the notary's agreement names wsse, and no other
    listener is wsse.
    """
    proofs = dict.fromkeys({listener, *others}, "notary")

    expected = "RELEASED" if listener == WSSE else "REFUSED REQ-08"
    assert read_outcome(installation, listener, proofs, document_name="notary-00-data") == expected


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_record_names_the_listeners_channel(
    installation: InProcessService, listener: str
) -> None:
    """The record and the receipt have the channel of arrival, for any headers."""
    read_outcome(installation, listener, dict.fromkeys(LISTENERS, "bank"))

    with raw(installation.settings.place) as connection:
        recorded = connection.execute(
            "SELECT channel, recipient FROM disclosure ORDER BY decided_at DESC LIMIT 1"
        ).fetchone()
    assert recorded == (listener, installation.bank.code)


def test_headers_of_the_security_server_are_recorded(installation: InProcessService) -> None:
    """The ledger's leaf commits to the subsystem of `xrd:client` and to `xrd:userId`."""
    read_outcome(installation, XROAD, {XROAD: "bank"})

    with raw(installation.settings.place) as connection:
        identifier, sealed = connection.execute(
            "SELECT disclosure_id, sealed FROM disclosure ORDER BY decided_at DESC LIMIT 1"
        ).fetchone()
    database = database_at(installation.settings.place)
    cipher = FieldCipher(StoreKeys.load(installation.settings.store.keys), Compressor(database))
    facts = json.loads(open_private(cipher, identifier, sealed).leaf_statement)
    assert (facts["channel"], facts["subsystem"]) == ("xroad", "core")
    assert facts["employee"] == "EE1234"


@pytest.mark.parametrize("listener", [WSSE, MTLS])
def test_the_employee_of_a_foreign_header_is_ignored(
    installation: InProcessService, listener: str
) -> None:
    """`xrd:userId` and `xrd:id` belong to X-Road; elsewhere only the Body names the employee."""
    other_id = dict.fromkeys(LISTENERS, "bank")

    assert read_outcome(installation, listener, other_id, header_id=str(uuid4())) == "RELEASED"
    assert read_outcome(installation, XROAD, other_id, header_id=str(uuid4())) == "FAULT REQ-01"


@pytest.mark.parametrize(
    ("foreign", "listener"),
    [(WSSE, XROAD), (WSSE, MTLS), (XROAD, WSSE), (XROAD, MTLS)],
)
def test_a_foreign_header_that_must_be_understood_is_a_fault(
    installation: InProcessService, foreign: str, listener: str
) -> None:
    """SOAP 1.1, 4.2.3: it is a fault if it must be understood and is not."""
    root = etree.fromstring(
        message(installation, {foreign: "bank", listener: "bank"}, "bank-00-data")
    )
    name = "Security" if foreign == WSSE else "client"
    (block,) = (each for each in root[0] if etree.QName(each).localname == name)
    block.set(f"{{{ENVELOPE}}}mustUnderstand", "1")

    answer = installation.post(
        etree.tostring(root), listener=listener, **forwarded(installation, "bank")
    )

    assert answer.status == 500
    assert answer.child.findtext("faultcode", "").endswith(":MustUnderstand")


def read_outcome(
    installation: InProcessService,
    listener: str,
    proofs: dict[str, str],
    *,
    document_name: str = "bank-00-data",
    header_id: str | None = None,
) -> str:
    """Return the result of a message: `RELEASED`, `REFUSED REQ-08`, `FAULT SIG-01`."""
    request_message = message(installation, proofs, document_name, header_id)
    environ = forwarded(installation, proofs[MTLS]) if MTLS in proofs else {}
    answer = installation.post(request_message, listener=listener, **environ)
    codes = sorted(set(answer.codes))
    if answer.status != 200:
        return f"FAULT {' '.join(codes)}"
    if answer.outcome == "REFUSED" and "AGR-01" in codes:
        return "REFUSED"  # under another's agreement: more reasons follow from that one
    return " ".join([str(answer.outcome), *codes])


def message(
    installation: InProcessService,
    proofs: dict[str, str],
    document_name: str,
    header_id: str | None = None,
) -> bytes:
    """Build one request, with the header blocks of every proof that lies in a message."""
    found, request_id = installation.document(document_name), uuid4()
    fields = about(
        installation.person_of(found), of=found.presented_by, document=found, request_id=request_id
    )
    child = person_request(**fields)
    signer = installation.world.messages.get(proofs.get(WSSE, "bank"), installation.world.stranger)
    whole = etree.fromstring(
        signed_message(child, signer.key, signer.certificate, at=installation.clock())
    )
    header = whole[0]
    if WSSE not in proofs:
        header.remove(header[0])
    if XROAD in proofs:
        spoken = proofs[XROAD]
        member = "COM/69999999" if spoken == "stranger" else party(spoken).code
        passed_on = etree.fromstring(xroad_message(child, member, header_id or request_id))
        header.extend(list(passed_on[0]))
    return etree.tostring(whole)


def forwarded(installation: InProcessService, holder: str) -> dict[str, str]:
    """Return the proxy's two headers, as gunicorn passes them on."""
    credential = installation.world.messages.get(holder, installation.world.stranger)
    return {
        "HTTP_X_SSL_CLIENT_CERT": quote(credential.certificate_pem.decode(), safe=""),
        "HTTP_X_SSL_CLIENT_VERIFY": "SUCCESS",
    }
