"""Hides secrets in a source line that a message shows (security T-LG-1).

Which values are secret, the configuration classes say, as soon as a document could be read; before
that, and in documents that can't, it is what looks like a secret by its name.

Messages end up in logs and tickets. Whatever is hidden keeps its length, so that a caret below the
line still points at its place. It hides too much rather than too little; an interpolation is no
secret, and an author who mistypes one must see it.
"""

from __future__ import annotations

import re

MASK = "*"
# `password: x`, `"client_secret": "x"`, `credentials: [a:x, b:y]`.
KEYED = re.compile(
    r"""[\w-]*(?:password|passwd|secret|token|credentials|api[-_]?key)["']?:\s+"""
    r"""(?P<value>(?!["']?\$\{)(?:\[[^\]]*|"[^"]*|'[^']*|[^\s,}\]#][^,}#]*))""",
    re.IGNORECASE,
)
# `- alice:x`, as basic-auth has it; neither a URL, nor a key that lacks its space, nor an address.
ITEM = re.compile(
    r"""^\s*-\s+["']?(?!(?:type|name|config|actions|expressions):)(?![\da-f:.]+(?:/\d+)?["']?\s*$)"""
    r"""[^\s:'"\[{(]+:(?P<value>[^\s/'"][^'"#]*)""",
    re.IGNORECASE,
)
# `redis://user:x@host`, as far as the last `@`: a password may hold one that is not encoded.
IN_URL = re.compile(r"""://[^\s/@:'"]*:(?P<value>[^\s/'"]+)@""")
SHOWN = re.compile(r"""[^\s\[\]{}"',]""")


INTERPOLATION = re.compile(r"\$\{[^}]*\}?")


def concealed(line: str) -> str:
    """Return a line with the same length and without what looks like a secret."""
    for pattern in (KEYED, ITEM, IN_URL):
        line = pattern.sub(_conceal, line)
    return line


def _conceal(found: re.Match[str]) -> str:
    start = found.start("value") - found.start()
    end = found.end("value") - found.start()
    text = found[0]
    return text[:start] + SHOWN.sub(MASK, text[start:end]) + text[end:]


def masked(text: str) -> str:
    """Return a secret as it may be shown: its length, its quotes, and its interpolations."""
    parts: list[str] = []
    at = 0
    for found in INTERPOLATION.finditer(text):
        parts += (SHOWN.sub(MASK, text[at : found.start()]), found[0])
        at = found.end()
    return "".join([*parts, SHOWN.sub(MASK, text[at:])])
