"""The command line in processes of its own without the seconds that importing takes: forked from one that has imported.

`python forks.py` reads requests as JSON lines and answers each with one; `Forks` is the other side of it. A child is a
process like any other: it can be signalled and killed. It can also send itself a signal at one of its *moments*, which
are when it is about to create, open for writing, rename or remove something below a folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODULES = (
    "clipaudit.cli", "clipaudit.api", "clipaudit.embedding.live", "clipaudit.gate.judge", "clipaudit.compare.compare",
    "clipaudit.engine.rescore", "clipaudit_reports.html", "clipaudit_audits.robustness.zero_shot", "torch", "pyarrow.parquet",
    "matplotlib.pyplot", "seaborn", "scipy.stats", "statsmodels.stats.multitest", "sklearn.metrics", "datasets",
    "concurrent.futures.thread", "jinja2", "PIL.Image", "PIL.WebPImagePlugin", "PIL.PngImagePlugin", "rich.table",
    "slow_encoder", "resvg_py",
)  # fmt: skip


@dataclass
class Child:
    """A running command."""

    forks: Forks
    pid: int
    folder: Path

    def wait(self) -> int:
        """Exit code; -9 where it was killed."""
        return int(self.forks.ask(wait=self.pid))

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    @property
    def said(self) -> str:
        return (self.folder / f"stderr-{self.pid}").read_text(errors="replace")

    @property
    def printed(self) -> str:
        return (self.folder / f"stdout-{self.pid}").read_text(errors="replace")

    @property
    def moments(self) -> list[str]:
        """What was about to happen at each moment so far."""
        return (self.folder / f"moments-{self.pid}").read_text().splitlines()


class Forks:
    """Starts commands. `environment` is that of all children."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._server = subprocess.Popen(
            [sys.executable, __file__], env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, folder: Path, *arguments: str, **options: Any) -> Child:
        """Start `clipaudit ARGUMENTS` in `folder`.

        env: more environment. path: folders to import from first. watch: the folder whose moments count.
        at: the moment when it signals itself, as a number (from 0), or as a text in "<event> <path>", which may then also
        be a file opened for reading, anywhere. signal: which; by default it is killed. ignored: signals that are.
        """
        pid = self.ask(folder=str(folder), arguments=arguments, **options)
        return Child(self, int(pid), folder)

    def run(self, folder: Path, *arguments: str, **options: Any) -> tuple[int, Child]:
        child = self.start(folder, *arguments, **options)
        return child.wait(), child

    def ask(self, **request: Any) -> Any:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def close(self) -> None:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait(60)
        self._server.stdout.close()


def serve() -> None:
    """Answer requests until standard input ends."""
    from importlib import import_module

    for name in MODULES:
        try:
            import_module(name)
        except ImportError:
            continue
    from clipaudit.plugins import list_audits

    list_audits()
    for line in sys.stdin:
        request = json.loads(line)
        answer = _wait(request["wait"]) if "wait" in request else _fork(request)
        print(json.dumps(answer), flush=True)


def _wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = _child(request)
    finally:
        os._exit(code)


def _child(request: dict[str, Any]) -> int:
    folder = Path(request["folder"])
    os.chdir(folder)
    os.environ.update(request.get("env", {}))
    sys.path[:0] = request.get("path", [])
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / f"{name}-{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # A shell may have started the tests in its background, where SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in request.get("ignored", []):
        signal.signal(number, signal.SIG_IGN)
    _watch(request, folder / f"moments-{os.getpid()}")
    from clipaudit.cli import main
    from clipaudit.embedding import cache

    cache.FLUSH_SECONDS = 0.0  # each batch is written at once, so that no more than one is lost
    sys.argv = ["clipaudit", *request["arguments"]]
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _watch(request: Mapping[str, Any], record: Path) -> None:
    """Write down every moment, and send the signal when it is asked for."""
    below, at, number = request.get("watch"), request.get("at"), request.get("signal", signal.SIGKILL)
    moments, sent = 0, False
    log = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hook(event: str, arguments: Sequence[object]) -> None:
        nonlocal moments, sent
        if event not in _EVENTS or not arguments or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
        counts = below is not None and path.startswith(below) and (event != "open" or _writes(arguments))
        if counts:
            os.write(log, f"{event} {path[len(below) :]}\n".encode())
        due = counts and moments == at if isinstance(at, int) else at is not None and at in f"{event} {path}"
        moments += counts
        if due and not sent:
            sent = True
            os.kill(os.getpid(), number)

    sys.addaudithook(hook)


_EVENTS = {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.rmtree", "os.link"}


def _writes(arguments: Sequence[object]) -> bool:
    mode, flags = arguments[1], arguments[2]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


if __name__ == "__main__":
    serve()
