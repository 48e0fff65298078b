"""Forks the program `makul` from a process that has imported it and done nothing else.

`makul_testing.processes.program` runs it with one end of a socket pair on its command line. Each
message is a JSON object of `arguments`, `environment`, `directory` and `session` (whether the
process leads a new one), and brings the three standard streams. Each is answered twice:
by the process id, and by an empty object when that process is the asker's child.
"""

import gc
import importlib
import json
import os
import socket
import sys
import time

LIMIT = 1 << 17
"""Octets of a message at most; an environment is some four thousand."""

PRELOADED = (
    *(
        "makul.__main__",
        "makul.admin.runtime",
        "makul.server.gunicorn_app",
        "makul.server.gunicorn_worker",
    ),
    *("makul_sandbox.run", "makul_sandbox.demo.main", "makul_sandbox.certification"),
)
"""What a command imports; whatever is missing here is imported in each process anew."""


def _become(asked: dict[str, object], streams: list[int], middle: int) -> None:
    """Take the streams, the environment and the directory; come back as a new process."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    if asked["session"]:
        os.setsid()
    os.chdir(asked["directory"])
    sys.argv = ["makul", *asked["arguments"]]
    while os.getppid() == middle:
        time.sleep(0.001)


def serve(channel: socket.socket) -> None:
    """Fork for each message until the asker is gone; returns in each child, too."""
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        message, streams, _, _ = socket.recv_fds(channel, LIMIT, 3)
        if not message:
            raise SystemExit(0)
        middle = os.fork()
        if middle == 0:
            middle, child = os.getpid(), os.fork()
            if child == 0:
                channel.detach()
                _become(json.loads(message), streams, middle)
                return
            channel.send(json.dumps({"pid": child}).encode())
            os._exit(0)  # the child goes to the nearest subreaper, which is who asked
        os.waitpid(middle, 0)
        for stream in streams:
            os.close(stream)
        channel.send(b"{}")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
    from makul.__main__ import main

    main()
