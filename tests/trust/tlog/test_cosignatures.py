"""The collection of cosignatures: each is verified twice, fetched separately, and logged once."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from makul.ledger.signed_note import (
    COSIGNATURE_V1,
    MAX_NOTE,
    SignatureLine,
    format_note,
    parse_note,
)
from makul.trust.tlog.cosignatures import Collector, WitnessEndpoint
from makul.trust.tlog.note_keys import CosignatureVerifier, Cosigner, new_key_file
from makul_testing.servers.crl_ocsp import run_publisher
from makul_testing.servers.slow_http import run_slow_server
from makul_testing.tlog.published import PublishedLog, leaves

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> PublishedLog:
    return PublishedLog(tmp_path / "published", tmp_path / "log.key")


def a_cosigner(folder: Path, name: str = "witness.example/w1") -> Cosigner:
    new_key_file(folder / f"{name[-2:]}.key", name, COSIGNATURE_V1)
    return Cosigner.load(folder / f"{name[-2:]}.key")


@pytest.fixture
def cosigner(tmp_path: Path) -> Cosigner:
    return a_cosigner(tmp_path)


def in_file(cosigner: Cosigner, file: Path) -> WitnessEndpoint:
    return WitnessEndpoint(verifier=CosignatureVerifier.parse(cosigner.vkey), file=file)


def test_a_cosignature_is_collected_once(
    log: PublishedLog, cosigner: Cosigner, tmp_path: Path
) -> None:
    """The collector stores the tree and the witness's line, and a new line again."""
    file = tmp_path / "checkpoint"
    collector = Collector(log.verifier, [in_file(cosigner, file)])
    for size in (3, 9):
        document = cosigner.cosign(log.note(leaves(size)), at=AT)
        file.write_bytes(document)

        (found,) = collector.collect()

        assert found.checkpoint.size == size
        assert found.witness == f"witness.example/w1+{cosigner.key.key_id.hex()}"
        assert found.line == str(parse_note(document).signatures[-1])
        assert list(collector.collect()) == []


def test_a_witness_is_fetched_at_its_address(log: PublishedLog, cosigner: Cosigner) -> None:
    """A witness that is unreachable does not delay the others."""
    with run_publisher() as web:
        web.at["/checkpoint"] = cosigner.cosign(log.note(leaves(3)), at=AT)
        verifier = CosignatureVerifier.parse(cosigner.vkey)
        places = [
            WitnessEndpoint(verifier=verifier, url="http://127.0.0.1:9/checkpoint"),
            WitnessEndpoint(verifier=verifier, url=f"{web.url}/checkpoint"),
        ]
        assert len(list(Collector(log.verifier, places).collect())) == 1


def test_a_slow_witness_does_not_delay_others(
    log: PublishedLog, cosigner: Cosigner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A witness that sends its headers octet by octet does not delay others, in any round."""
    verifier, drips = (
        CosignatureVerifier.parse(each.vkey)
        for each in (cosigner, a_cosigner(tmp_path, "witness.example/w2"))
    )
    with run_publisher() as web, run_slow_server() as server:
        places = [
            WitnessEndpoint(verifier=drips, url=f"{server.url}/checkpoint"),
            WitnessEndpoint(verifier=verifier, url=f"{web.url}/checkpoint"),
        ]
        collector = Collector(log.verifier, places, seconds=0.3)
        for size in (3, 9):
            web.at["/checkpoint"] = cosigner.cosign(log.note(leaves(size)), at=AT)
            (found,) = collector.collect()
            assert found.checkpoint.size == size

        assert server.request_count == 1
    assert [each.getMessage().partition(": ")[2] for each in caplog.records] == [
        "not done within 0.3 seconds",
        "an earlier answer of that server is still under way",
    ]


def not_cosigned(log: PublishedLog, cosigner: Cosigner, folder: Path) -> bytes:
    return log.note(leaves(3))


def by_another_witness(log: PublishedLog, cosigner: Cosigner, folder: Path) -> bytes:
    return a_cosigner(folder, "witness.example/w2").cosign(log.note(leaves(3)), at=AT)


def of_another_log(log: PublishedLog, cosigner: Cosigner, folder: Path) -> bytes:
    stranger = PublishedLog(folder / "stranger", folder / "stranger.key")
    return cosigner.cosign(stranger.note(leaves(3)), at=AT)


def of_another_tree(log: PublishedLog, cosigner: Cosigner, folder: Path) -> bytes:
    other = parse_note(cosigner.cosign(log.note(leaves(4)), at=AT)).signatures[-1]
    note = parse_note(log.note(leaves(3)))
    return format_note(type(note)(note.text, (*note.signatures, other)))


def of_a_broken_line(log: PublishedLog, cosigner: Cosigner, folder: Path) -> bytes:
    note = parse_note(cosigner.cosign(log.note(leaves(3)), at=AT))
    bad = SignatureLine(cosigner.key.name, cosigner.key.key_id, bytes(72))
    return format_note(type(note)(note.text, (*note.signatures, bad)))


def garbage(log: PublishedLog, cosigner: Cosigner, folder: Path) -> bytes:
    return b"\xff" * 100


def too_long(log: PublishedLog, cosigner: Cosigner, folder: Path) -> bytes:
    return b"x" * (MAX_NOTE + 1)


@pytest.mark.parametrize(
    "shown",
    [
        not_cosigned,
        by_another_witness,
        of_another_log,
        of_another_tree,
        of_a_broken_line,
        garbage,
        too_long,
    ],
)
def test_other_notes_are_not_stored(
    log: PublishedLog,
    cosigner: Cosigner,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    shown: Callable[[PublishedLog, Cosigner, Path], bytes],
) -> None:
    """The problem is logged once, and not every second."""
    file = tmp_path / "checkpoint"
    file.write_bytes(shown(log, cosigner, tmp_path))
    collector = Collector(log.verifier, [in_file(cosigner, file)])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert list(collector.collect()) == []

    assert len(caplog.records) == 1


def test_a_witness_that_comes_back_is_collected_again(
    log: PublishedLog, cosigner: Cosigner, tmp_path: Path
) -> None:
    """The collector stores its new line, also after errors in between."""
    file = tmp_path / "checkpoint"
    collector = Collector(log.verifier, [in_file(cosigner, file)])
    assert list(collector.collect()) == []
    file.write_bytes(b"nothing")
    assert list(collector.collect()) == []
    file.write_bytes(cosigner.cosign(log.note(leaves(3)), at=AT + timedelta(hours=1)))
    assert len(list(collector.collect())) == 1
