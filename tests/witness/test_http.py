"""The witness serves only its cosigned checkpoint over HTTP."""

from http.client import HTTPConnection

from makul.witness.http import served

SHOWN = b"a cosigned checkpoint\n"


def get_path(port: int, path: str = "/checkpoint") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_only_the_checkpoint_is_served() -> None:
    with served("127.0.0.1", 0, lambda: SHOWN) as port:
        assert get_path(port) == (200, SHOWN)
        for path in ("/head.json", "/../lock", "/checkpoint?x", "/checkpoint/"):
            assert get_path(port, path) == (404, b""), path
