"""One door to the Hugging Face hub: closed when offline, quiet, with one-line errors."""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlparse

from clipaudit.errors import ClipAuditError, ModelError


@contextmanager
def hub_access(what: str, *, offline: bool) -> Iterator[None]:
    """Everything inside may read hub files; with `offline` (or HF_HUB_OFFLINE) only those already in the local cache.

    Every failure inside becomes a ModelError that names `what`. open_clip and transformers reach the hub from deep
    inside, without a parameter for this, so the hub library's own switch is set and put back.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or offline
    try:
        with quiet(), _no_code():
            yield
    except ClipAuditError:
        raise
    except Exception as error:
        raise ModelError(_explain(what, error, closed=constants.HF_HUB_OFFLINE)) from error
    finally:
        constants.HF_HUB_OFFLINE = before


def close_if_unreachable() -> None:
    """Called inside `hub_access` before a download: without this, a machine off the network retries for a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return
    try:
        socket.getaddrinfo(urlparse(constants.ENDPOINT).hostname, 443)
    except OSError:
        constants.HF_HUB_OFFLINE = True


@contextmanager
def _no_code() -> Iterator[None]:
    """Where a repository brings code, transformers asks on the terminal whether to run it; here the answer is no."""
    try:
        from transformers import dynamic_module_utils
    except ImportError:  # an extra: without it nothing asks
        yield
        return
    modules: Any = dynamic_module_utils
    before, modules.TIME_OUT_REMOTE_CODE = modules.TIME_OUT_REMOTE_CODE, 0
    try:
        yield
    finally:
        modules.TIME_OUT_REMOTE_CODE = before


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and log lines of open_clip, timm and transformers: what matters becomes an error."""
    root, before = logging.getLogger(), logging.root.manager.disable
    silent = logging.NullHandler()
    root.addHandler(silent)  # else logging.warning() would install a handler for good
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        root.removeHandler(silent)


def _explain(what: str, error: Exception, *, closed: bool) -> str:
    """One line: what failed, and what the user can do."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    chain = list(_causes(error))
    if any(isinstance(link, GatedRepoError) for link in chain):
        return f"{what}: the repository is gated; accept its terms and log in with `hf auth login`"
    if any(isinstance(link, RepositoryNotFoundError) for link in chain):
        return f"{what}: no such repository on the hub (or it is private); check the name"
    if closed and any(_is_about_the_network(link) for link in chain):
        name = what.partition(":")[2]
        get = f"fetch it once online (hf download {name})" if "/" in name else "run once online"
        return (
            f"{what}: not in the local hub cache, and the hub is out of reach or switched off; {get}, or load from a "
            "file or folder"
        )
    root = chain[-1]
    return f"{what}: cannot be loaded: {type(root).__name__}: {first_line(root)}"


def _is_about_the_network(error: BaseException) -> bool:
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    return isinstance(error, LocalEntryNotFoundError | OfflineModeIsEnabled)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, outermost first."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def first_line(error: BaseException, limit: int = 200) -> str:
    """The first non-empty line of an error's text, at most `limit` characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:limit]
