"""The demo reports the true outcome of its scenes. `make demo` itself plays them, over HTTP."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from makul.domain.reasons import Code
from makul_sandbox.demo.intercepting_proxy import Eavesdropper, post
from makul_sandbox.demo.main import SceneResult, report
from makul_sandbox.demo.scenarios import SCENES as OTHER_SCENES
from makul_sandbox.demo.secrecy_scenarios import SECRECY_SCENES

SCENES = (*SECRECY_SCENES, *OTHER_SCENES)
CODES = {code.value for code in Code}


def test_demo_has_enough_scenes() -> None:
    """There are at least twenty scenes, each listed once."""
    assert len(SCENES) >= 20
    assert len({scene.title for scene in SCENES}) == len(SCENES)


def test_scenes_name_existing_reasons() -> None:
    """No scene expects a code that the contract lacks."""
    named = {code for scene in SCENES for code in re.findall(r"[A-Z]{3}-[0-9]{2}", scene.expected)}

    assert named <= CODES
    assert len(named) >= 25


def test_expected_outcomes_are_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line counts the scenes, and the exit code agrees."""
    code = report([SceneResult(scene, scene.expected) for scene in SCENES])

    assert code == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"demo: {len(SCENES)} of {len(SCENES)} scenes as expected"


def test_one_unexpected_outcome_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """A scene that releases what must be refused can never pass unnoticed."""
    refused = next(scene for scene in SCENES if scene.expected == "REFUSED CNS-04")
    code = report([SceneResult(SCENES[0], SCENES[0].expected), SceneResult(refused, "RELEASED")])

    out = capsys.readouterr().out
    assert code == 1
    assert "✗" in out
    assert out.splitlines()[-1] == "demo: 1 of 2 scenes as expected"


def test_markup_in_an_answer_is_shown_literally(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is printed literally."""
    report([SceneResult(SCENES[0], "[red]x[/red]")])

    assert "[red]x[/red]" in capsys.readouterr().out


@pytest.fixture
def service() -> Iterator[tuple[str, list[bytes]]]:
    """Serve a service that stores requests and answers 500."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(500)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"fault")

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/recipient", got
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_eavesdropper_replays_and_changes(service: tuple[str, list[bytes]]) -> None:
    """The replayed message has the very bytes that were sent, and the changed one does not."""
    url, got = service
    with Eavesdropper(url, lambda message: message.upper()) as eavesdropper:
        first = post(eavesdropper.url, b"hello")
        again = post(url, eavesdropper.messages[0])

    assert first == again == (500, b"fault")
    assert got == [b"HELLO", b"hello"]
