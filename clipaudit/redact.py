"""Secrets taken out of text before it is written or shown: those of the environment, and those in addresses."""

from __future__ import annotations

import os
import re
from functools import cache

HIDDEN = "***"
_WORDS = frozenset(
    {"key", "apikey", "token", "secret", "password", "passwd", "passphrase", "credential", "credentials"}
)
_PLACES = frozenset({"path", "file", "dir", "url"})  # HF_TOKEN_PATH says where a secret lies
_SHORTEST = 8  # characters: a shorter value is too common a word to be cut out of every text
_USER = re.compile(r"(?P<kept>[A-Za-z][\w+.-]*:/{1,2})[^\s/@\"'<>\\]+@")
_NAMED = re.compile(
    r"(?P<kept>(?:\b(?:[\w.-]*[_.-])?(?:token|secret|password|passwd|api_?key|access_?key|signature)|[?&]sig)=)"
    r"[^\s\"'\\&,;<>]{6,}",  # a number of tokens is no secret
    re.IGNORECASE,
)


def hidden(text: str) -> str:
    """`text` without the values of environment variables named like secrets, and without those in addresses.

    >>> hidden("s3://me:mine@host/data?token=abcdef&n=1")
    's3://***@host/data?token=***&n=1'
    """
    for value in secrets():
        text = text.replace(value, HIDDEN)
    if ":/" in text:  # a path made of an address has lost a slash
        text = _USER.sub(rf"\g<kept>{HIDDEN}@", text)
    return _NAMED.sub(rf"\g<kept>{HIDDEN}", text) if "=" in text else text


@cache
def secrets() -> tuple[str, ...]:
    """Values of the environment that are secret by the names of their variables, the longest first, also as JSON and
    HTML write them. Read once."""
    found = {value for name, value in os.environ.items() if is_secret(name) and len(value) >= _SHORTEST}
    return tuple(sorted({form for value in found for form in _forms(value)}, key=lambda form: (-len(form), form)))


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret.

    >>> is_secret("HF_TOKEN"), is_secret("AWS_ACCESS_KEY_ID"), is_secret("TOKENIZERS_PARALLELISM")
    (True, True, False)
    """
    words = re.split(r"[^a-z0-9]+", name.lower())
    return not _WORDS.isdisjoint(words) and words[-1] not in _PLACES


def _forms(value: str) -> set[str]:
    import html
    import json

    return {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], html.escape(value)}
