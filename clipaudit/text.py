"""Text that others wrote (labels, file names, cards), made safe to show on a terminal."""

from __future__ import annotations

import re
import unicodedata

from clipaudit.redact import hidden

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet would compute
_JOINERS = "\u200c\u200d"  # needed to spell several languages, and harmless
# control, format (bidi overrides), surrogate, private use, unassigned, line and paragraph separators
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# What GitHub Actions and Azure take for a command: where a line begins with it (::), or anywhere (##).
_COMMAND = re.compile(r"::(?=[\w-]+(?: [^:]*)?::)|##(?=(?:vso)?\[)")


def printable(value: object, *, limit: int | None = 200) -> str:
    r"""One line of `str(value)`: control characters, bidi overrides and commands of CI systems escaped, secrets
    hidden, shortened in the middle to `limit` characters (None: not shortened).

    >>> printable("a\x1b[31m\nb")
    'a\\x1b[31m\\nb'
    >>> printable("abcdefghij", limit=5)
    'ab…ij'
    """
    plain = hidden(str(value))
    text = plain if plain.isascii() and plain.isprintable() else "".join(map(_escape, plain))
    text = _COMMAND.sub(_defused, text)
    if limit is None or len(text) <= limit:
        return text
    kept = max(limit - 1, 2)
    return f"{text[: kept - kept // 2]}…{text[-(kept // 2) :]}"


def _defused(command: re.Match[str]) -> str:
    return command[0][0] + f"\\x{ord(command[0][1]):02x}"


def _escape(char: str) -> str:
    if char not in _JOINERS and unicodedata.category(char) in _HIDDEN:
        return char.encode("unicode_escape").decode("ascii")
    return char
