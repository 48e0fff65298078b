"""A real nginx over the configuration that the repository hands out, in a directory of its own."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.needs import found
from support.serving import START_SECONDS

CONFIGURATION = Path(__file__).parents[2] / "docs" / "operating" / "nginx" / "makul.conf"

_MAIN = """\
{user}
daemon off;
worker_processes 1;
pid {at}/nginx.pid;
error_log {at}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {at}/body;
    proxy_temp_path {at}/proxy;
    fastcgi_temp_path {at}/fastcgi;
    uwsgi_temp_path {at}/uwsgi;
    scgi_temp_path {at}/scgi;
    include {at}/makul.conf;
}}
"""


@contextmanager
def fronting(directory: Path, places: Mapping[str, str]) -> Iterator[None]:
    """Nginx with the handed-out file, each place in it replaced by another; none may be missing."""
    content = CONFIGURATION.read_text(encoding="utf-8")
    for there, here in places.items():
        assert there in content, f"{there} is not in {CONFIGURATION.name}"
        content = content.replace(there, here)
    (directory / "makul.conf").write_text(content, encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    main = directory / "nginx.conf"
    main.write_text(_MAIN.format(user=user, at=directory))
    program = found("nginx")
    assert program is not None
    errors = directory / "error.log"
    process = subprocess.Popen(
        [program, "-p", str(directory), "-c", str(main), "-e", str(errors)],
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (directory / "nginx.pid").is_file():
            assert process.poll() is None, errors.read_text()
            assert time.monotonic() < deadline, "nginx did not start"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
