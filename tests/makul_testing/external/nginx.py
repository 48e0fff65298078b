"""A real nginx with the published configuration, in a temporary directory."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from makul_testing.external.requirements import found
from makul_testing.paths import ROOT
from makul_testing.processes.service import START_SECONDS

CONFIGURATIONS = ROOT / "docs" / "operating" / "nginx"

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
    include {at}/makul*.conf;
}}
"""


@contextmanager
def fronting(
    directory: Path, places: Mapping[str, str], *, files: Sequence[str] = ("makul.conf",)
) -> Iterator[None]:
    """Run nginx with the published files, each address and path in them replaced; none may be
    missing.
    """
    for name in files:
        shutil.copy(CONFIGURATIONS / name, directory)
    content = "".join((directory / name).read_text(encoding="utf-8") for name in files)
    for there in places:
        assert there in content, f"{there} is in none of {files}"
    for name in files:
        content = (directory / name).read_text(encoding="utf-8")
        for there, here in places.items():
            content = content.replace(there, here)
        (directory / name).write_text(content, encoding="utf-8")
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
        process.wait(timeout=120)
