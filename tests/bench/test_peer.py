"""The naive peer is fair: it answers and refuses what it should."""

import http.client
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lxml import etree

from bench.load import HEADERS, LoadError, load, percentile
from bench.peer.database import build_peer_database
from bench.peer.server import PATH, run_peer
from bench.population import signers
from bench.requests import ask_about, ask_peer_about
from makul_testing.in_process_service import InProcessService, build_installation
from makul_testing.processes.service import Server


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("installation"))
    yield built
    built.close()


@pytest.fixture(scope="module")
def peer(
    installation: InProcessService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("peer")
    url = f"sqlite:///{directory}/peer.db"
    build_peer_database(directory / "peer", installation.world, installation.world.people, url=url)
    with run_peer(directory / "peer", workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def message(installation: InProcessService) -> bytes:
    (signer,) = signers(installation.world, 1)
    return ask_peer_about(installation, [signer])[0]


def _post(peer: Server, message: bytes) -> tuple[int, etree._Element]:
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=30)
    connection.request("POST", PATH, body=message, headers=HEADERS)
    answer = connection.getresponse()
    body = etree.fromstring(answer.read())
    connection.close()
    return answer.status, body


def _texts(answer: etree._Element, name: str) -> list[str]:
    return [
        " ".join(found.itertext())
        for found in answer.iter()
        if etree.QName(found).localname == name
    ]


def test_peer_answers_like_makul(installation: InProcessService, peer: Server) -> None:
    """Both return the same attributes of the same citizen, and a receipt of some kilobytes."""
    (signer,) = signers(installation.world, 1)
    ours = etree.fromstring(installation.post(ask_about(installation, [signer])[0]).body)
    status, theirs = _post(peer, ask_peer_about(installation, [signer])[0])

    assert status == 200
    for name in ("outcome", "surname", "givenName", "address"):
        assert _texts(theirs, name) == _texts(ours, name) != []
    (receipt,) = _texts(theirs, "receipt")
    assert len(receipt) > 2_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<p:purpose>ACCOUNT_OPENING<", b"<p:purpose>LOAN<"),
        (b"<p:string>address<", b"<p:string>sex<"),
        (b"<wsu:Expires>2", b"<wsu:Expires>3"),
        (b"SignatureValue>", b"SignatureValue>AAAA"),
    ],
)
def test_peer_refuses_a_changed_message(
    peer: Server, message: bytes, old: bytes, new: bytes
) -> None:
    """Body and Timestamp are signed."""
    assert old in message
    status, answer = _post(peer, message.replace(old, new, 1))

    assert (status, _texts(answer, "outcome")) == (500, [])
    assert _texts(answer, "faultstring") == ["the message is not signed"]


def test_peer_refuses_a_changed_consent(installation: InProcessService, peer: Server) -> None:
    """The consent's signature is verified, although the message's is good."""
    (signer,) = signers(installation.world, 1)
    spoilt = replace(signer, consent=signer.consent.replace(b"P1Y", b"P9Y"))
    assert spoilt != signer
    status, answer = _post(peer, ask_peer_about(installation, [spoilt])[0])

    assert (status, _texts(answer, "outcome")) == (500, [])


def test_peer_refuses_anothers_consent(installation: InProcessService, peer: Server) -> None:
    """The subject of the consent is compared."""
    first, second = signers(installation.world, 2)
    swapped = replace(first, consent=second.consent)
    status, answer = _post(peer, ask_peer_about(installation, [swapped])[0])

    assert (status, _texts(answer, "faultstring")) == (500, ["consent"])


@pytest.mark.parametrize("who", ["stranger", "police"])
def test_peer_refuses_unauthorised_callers(
    installation: InProcessService, peer: Server, who: str
) -> None:
    """An imitated authority's certificate is refused, and a caller that is not in the agreement."""
    (signer,) = signers(installation.world, 1)
    holder = (
        installation.world.messages["police"] if who == "police" else installation.world.stranger
    )
    status, answer = _post(peer, ask_peer_about(installation, [signer], holder=holder)[0])

    expected = {"stranger": "the message is not signed", "police": "agreement"}
    assert (status, _texts(answer, "faultstring")) == (500, [expected[who]])


def test_a_load_counts_what_was_released_and_allows_no_error(
    installation: InProcessService, peer: Server
) -> None:
    """There are as many latencies as messages, and after one refusal there are no figures."""
    found = signers(installation.world, 3)
    messages = ask_peer_about(installation, [*found, *found])

    loaded = load(peer.port, messages, connections=2, path=PATH)
    assert len(loaded.latencies) == 6
    assert loaded.rate == pytest.approx(6 / loaded.seconds)
    assert max(loaded.latencies) <= loaded.seconds

    messages[3] = messages[3].replace(b"<p:purpose>ACCOUNT_OPENING<", b"<p:purpose>LOAN<")
    with pytest.raises(LoadError, match="1 of 6 not released"):
        load(peer.port, messages, connections=2, path=PATH)


def test_percentile_is_the_nearest_rank() -> None:
    """The result is the smallest value that this share of the values does not exceed."""
    latencies = [float(number) for number in range(1, 201)]

    assert [percentile(latencies, each) for each in (50, 95, 99, 100)] == [100, 190, 198, 200]
    assert percentile([7.0], 1) == 7.0
