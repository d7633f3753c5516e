"""The command line: a thin shell over `clipaudit.api`. Importing it costs milliseconds; commands import lazily."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from clipaudit import offline
from clipaudit.cli.app import app
from clipaudit.errors import ClipAuditError, ExitCode
from clipaudit.text import printable


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point. Expected errors are one line on stderr. Anywhere among the arguments, `--debug` shows the traceback
    and `--offline` shuts the network."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    if debug:
        os.environ["CLIPAUDIT_DEBUG"] = "1"
    if "--offline" in arguments or offline.asked():
        offline.close_network()
    _stop_in_order()
    sys.exit(_run([argument for argument in arguments if argument not in ("--debug", "--offline")], debug))


def _stop_in_order() -> None:
    """Being told to stop (a scheduler's time limit, a cancelled job, a closed terminal) is like Ctrl-C: what is
    finished is written, and the command can be given again. A signal that the caller has ignored (nohup) stays so."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def _run(arguments: list[str], debug: bool) -> int:
    try:
        code = app.main(arguments, prog_name="clipaudit", standalone_mode=False)
        return int(code or 0)
    except (KeyboardInterrupt, click.exceptions.Abort):
        command = printable(shlex.join(["clipaudit", *arguments]), limit=1000)
        click.echo(f"interrupted: finished cells are kept, the same command goes on from here: {command}", err=True)
        return ExitCode.INTERRUPTED
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        if debug:
            raise
        command = getattr(getattr(error, "ctx", None), "command_path", "clipaudit")
        said = error.format_message().rstrip(".")  # click writes sentences; all other errors begin small
        said = printable(said[:1].lower() + said[1:], limit=1000)
        click.echo(f"error: {said} (see {command} --help)", err=True)
        return ExitCode.USAGE
    except ClipAuditError as error:
        if debug:
            raise
        click.echo(f"error: {printable(str(error), limit=1000)}", err=True)
        for line in error.example.splitlines():
            click.echo(f"  {printable(line)}", err=True)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:  # a fault of ours: still one line, and how to see more
        if debug:
            raise
        text = printable(f"{type(error).__name__}: {error}", limit=300)
        click.echo(f"internal error: {text} (give --debug for the traceback, and report it)", err=True)
        return ExitCode.CELLS_ERRORED
