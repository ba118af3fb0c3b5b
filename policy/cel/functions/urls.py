"""URLs and query strings: escaping, taking apart, putting together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from policy.cel.functions.define import function, method, plain
from policy.cel.functions.encodings import utf8
from policy.cel.text import scalar_text
from policy.cel.types import BOOL, DYN, STRING, MapType
from policy.cel.values import CelError
from policy.cel.work import LIMIT_CODES, Work

_BROKEN_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_URL: Final = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?"
    r"(?://(?:(?P<user>[^/?#@]*)@)?(?P<host>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_HOST: Final = re.compile(
    r"(?P<hostname>\[[0-9A-Fa-f:.%a-zA-Z]*\]|[^\[\]:\x00-\x20\"<>\\^`{|}]*)(?::(?P<port>[0-9]{0,5}))?"
)
_CONTROL: Final = re.compile("[\x00-\x20\x7f]")


def escape(work: Work, text: str) -> str:
    """Escape a text for a query component; a space becomes `+`."""
    work.spend(1 + (2 if text.isascii() else 6) * len(text))
    return quote_from_bytes(utf8(text), safe=" ").replace(" ", "+")


def unescape(work: Work, text: str) -> str:
    """Undo `escape`. Raises CelError for a `%` without two hexadecimal digits."""
    work.spend(1 + (len(text) >> 2) + 9 * text.count("%"))
    if _BROKEN_ESCAPE.search(text):
        raise CelError("bad-escape", "a '%' is not followed by two hexadecimal digits")
    data = unquote_to_bytes(utf8(text.replace("+", " ")))
    return data.decode("utf-8", "surrogateescape")


def parse(work: Work, text: str) -> dict[str, str]:
    """Take a URL apart; parts that it lacks are ''. `host` includes the port."""
    work.spend(1 + len(text))
    match = _URL.fullmatch(text)
    if match is None or _CONTROL.search(text):
        raise _no_url()
    parts = {name: part or "" for name, part in match.groupdict().items()}
    host = _HOST.fullmatch(parts["host"])
    if host is None:
        raise _no_url()
    opaque = ""
    if parts["scheme"] and match["host"] is None and not parts["path"].startswith("/"):
        opaque, parts["path"] = parts["path"], ""
    return {
        "scheme": parts["scheme"].lower(),
        "user": parts["user"],
        "host": parts["host"],
        "hostname": host["hostname"].removeprefix("[").removesuffix("]"),
        "port": host["port"] or "",
        "path": _unescaped_path(work, parts["path"]),
        "query": parts["query"],
        "raw_query": parts["query"],
        "fragment": parts["fragment"],
        "opaque": opaque,
    }


def _unescaped_path(work: Work, path: str) -> str:
    if "%" not in path:
        return path
    # In a path a plus sign is only a plus sign.
    return unescape(work, path.replace("+", "%2B"))


def _no_url() -> CelError:
    return CelError("bad-url", "a string is no URL")


def is_url(work: Work, text: str) -> bool:
    """Tell whether a text is a URL with a scheme and a host."""
    try:
        parts = parse(work, text)
    except CelError as error:
        if error.code in LIMIT_CODES:
            raise
        return False
    return bool(parts["scheme"] and parts["hostname"])


def decode_query(work: Work, text: str) -> dict[str, str]:
    """Read `key=value&...`; of a repeated key the first value counts. Raises CelError."""
    work.spend(1 + (len(text) >> 2) + 24 * text.count("&"))
    found: dict[str, str] = {}
    for piece in text.split("&"):
        if piece:
            key, _, value = piece.partition("=")
            found.setdefault(unescape(work, key), unescape(work, value))
    return found


def encode_query(work: Work, entries: Mapping[Any, Any]) -> str:
    """Write a map as a query string, keys sorted; a list repeats its key."""
    pieces: list[str] = []
    for key in sorted(entries, key=scalar_text):
        values = entries[key]
        name = escape(work, scalar_text(key))
        for value in values if isinstance(values, list | tuple) else (values,):
            piece = f"{name}={escape(work, scalar_text(value))}"
            work.spend(20)
            pieces.append(piece)
    query = "&".join(pieces)
    work.grow(len(query))
    return query


def is_query(work: Work, text: str) -> bool:
    """Tell whether every piece is `key=value`, with a key and with whole escapes."""
    work.spend(1 + (len(text) >> 2) + 2 * text.count("&"))
    return not _BROKEN_ESCAPE.search(text) and all(piece.find("=") > 0 for piece in text.split("&"))


_QUERY: Final = MapType(STRING, STRING)
_ENTRIES: Final = MapType(DYN, DYN)
_PARTS: Final = MapType(STRING, STRING)

URL_FUNCTIONS: Final = (
    function(
        "url.escape",
        "The text escaped for a query component.",
        plain((STRING,), STRING, escape, counts_work=True),
    ),
    function(
        "escapeUrl",
        "The text escaped for a query component.",
        method((STRING,), STRING, escape, counts_work=True),
    ),
    function(
        "url.unescape",
        "The text that an escaped query component stands for.",
        plain((STRING,), STRING, unescape, counts_work=True),
    ),
    function(
        "unescapeUrl",
        "The text that an escaped query component stands for.",
        method((STRING,), STRING, unescape, counts_work=True),
    ),
    function(
        "url.parse",
        "The parts of a URL: scheme, user, host, hostname, port, path, query, raw_query, fragment,"
        " opaque.",
        plain((STRING,), _PARTS, parse, counts_work=True),
    ),
    function("parseUrl", "As url.parse.", method((STRING,), _PARTS, parse, counts_work=True)),
    function(
        "isURL",
        "Whether a text is a URL with a scheme and a host.",
        method((STRING,), BOOL, is_url, raises=False, counts_work=True),
    ),
    function(
        "queryString.decode",
        "The keys of a query string with the first value of each.",
        plain((STRING,), _QUERY, decode_query, counts_work=True),
    ),
    function(
        "decodeQueryString",
        "The keys of a query string with the first value of each.",
        method((STRING,), _QUERY, decode_query, counts_work=True),
    ),
    function(
        "queryString.encode",
        "A map as a query string, keys sorted.",
        plain((_ENTRIES,), STRING, encode_query, counts_work=True),
    ),
    function(
        "encodeQueryString",
        "A map as a query string, keys sorted.",
        method((_ENTRIES,), STRING, encode_query, counts_work=True),
    ),
    function(
        "isQueryString",
        "Whether every piece between & is key=value.",
        method((STRING,), BOOL, is_query, counts_work=True),
    ),
)
