"""No network: what the libraries are told, and a door behind them that stays shut."""

from __future__ import annotations

import errno
import ipaddress
import os
import sys
from functools import cache
from typing import Any

VARIABLE = "CLIPAUDIT_OFFLINE"
_TOLD = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
_NAMES = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_SENDS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


def asked() -> bool:
    """Whether the environment asks for it: CLIPAUDIT_OFFLINE set to anything but 0."""
    return os.environ.get(VARIABLE, "0") not in ("", "0")


def close_network() -> None:
    """For the rest of this process and its children: libraries do not try, and what tries nevertheless (a plug-in) gets
    an OSError. This machine itself stays in reach."""
    os.environ[VARIABLE] = "1"
    for name in _TOLD:
        os.environ[name] = "1"
    constants: Any = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True
    _shut()


@cache
def _shut() -> None:
    sys.addaudithook(_refuse)  # which cannot be taken back: hence the command line only


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _NAMES:
        host = arguments[0]
    elif event in _SENDS and isinstance(arguments[1], tuple):  # else a path: a socket of this machine
        host = arguments[1][0]
    else:
        return
    if not _here(host):
        raise OSError(errno.ENETDOWN, f"--offline: no connection to {host!r}")


def _here(host: object) -> bool:
    """
    >>> _here("localhost"), _here("127.0.0.1"), _here("::1"), _here("example.org"), _here("8.8.8.8")
    (True, True, True, False, False)
    """
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if text in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(text)).is_loopback
    except ValueError:
        return False
