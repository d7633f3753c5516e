"""`python watched.py LOG COMMAND...`: the command line, several commands in one process, with every attempt to use the
network written to LOG, and each command's exit code on a line of its own."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

log = Path(sys.argv[1])
_EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname")


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in _EVENTS:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{event} {arguments!r}\n")


sys.addaudithook(_watch)

from clipaudit.cli import main  # noqa: E402

for line in sys.argv[2:]:
    try:
        main(shlex.split(line))
    except SystemExit as stop:
        print(f"exit {stop.code or 0}: {line}", flush=True)
