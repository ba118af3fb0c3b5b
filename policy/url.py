r"""The target of a request in the one form that policy, rewriting, logs and upstream all see.

Two readings of one path are how access rules are walked around (T-PA-1), so a target is either
brought into its canonical form here or refused; nothing later decodes or resolves a path again.

Path      Escapes of unreserved characters are decoded, other escapes upper-cased, `|`, `[` and
          `]` encoded; empty segments merged; `.` and `..` resolved (RFC 3986, sections 5.2.4
          and 6.2.2). Refused: whatever some servers decode into a separator, a dot segment or
          a control (`%2F`, `%5C`, `%00`, `%252e`, `\`, `..;x`), what climbs above the root,
          broken escapes, and raw characters that no browser sends, bytes from 0x80 among them.
          Escapes of reserved characters (`%3B`) keep their meaning and stay. An endpoint may have
          `%2F` kept as such an escape: it separates nothing here, and may not stand where a
          server that decodes it would find a dot segment or the path's first slash.
Query     Passed on as sent: its grammar belongs to the upstream. Raw controls, spaces, `"`,
          `<`, `>` and bytes from 0x80 are refused; a lone `%`, which browsers do send, is not.
Fragment  Never part of a request: `#` is refused everywhere.
Host      Lower-case letters, digits, `-`, `_` (private names use it) in dot-separated labels,
          or an IPv6 address in brackets. One trailing dot names the same host and is dropped.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple
from urllib.parse import parse_qsl

DEFAULT_PORTS = {"http": 80, "https": 443}


class UrlError(Exception):
    """Text that is no acceptable URL or target. `reason` is a stable kebab-case code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Authority(NamedTuple):
    """A host in canonical spelling and its port; None where the text names none.

    An IPv6 host is without its brackets and in its shortest spelling (RFC 5952).
    """

    host: str
    port: int | None = None

    @property
    def text(self) -> str:
        """The authority as a Host value: `host[:port]`."""
        return authority_text(self.host, self.port)


class Url:
    """A request's URL, taken apart, its path canonical. Not changed once it is made.

    `path` is `*` for an `OPTIONS *`, else it starts with a slash. `query` is without its `?`.
    `target` is what was read: a request target or a full URL, in its own spelling.
    `user_password` is empty on every received request; only a rewrite can set it.
    """

    __slots__ = ("host", "path", "port", "query", "scheme", "target", "user_password")

    def __init__(  # noqa: PLR0917 - made for every request, and names in a call take time
        self,
        scheme: str,
        host: str,
        port: int | None,
        path: str,
        query: str,
        target: str,
        user_password: str = "",
    ) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.query = query
        self.target = target
        self.user_password = user_password

    @property
    def raw(self) -> str:
        """The full URL as sent, for logs; decisions belong on the canonical parts."""
        if self.target.startswith("/"):
            return f"{self.scheme}://{self.authority}{self.target}"
        return self.text if self.target == "*" else self.target

    @property
    def raw_path(self) -> str:
        """The path as sent, for logs; decisions belong on `path`."""
        if self.target.startswith("/"):
            return self.target.partition("?")[0]
        found = _ABSOLUTE.fullmatch(self.target)
        return found[3] if found else self.target

    @property
    def authority(self) -> str:
        """`[user[:password]@]host[:port]`."""
        place = authority_text(self.host, self.port)
        return f"{self.user_password}@{place}" if self.user_password else place

    @property
    def uri(self) -> str:
        """Path and query: what stands in the request line towards the upstream."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def text(self) -> str:
        """The normalised full URL. `OPTIONS *` is about the host as a whole and has no path."""
        return f"{self.scheme}://{self.authority}{'' if self.path == '*' else self.uri}"

    @property
    def effective_port(self) -> int:
        """The port, or the scheme's default where the URL names none."""
        return self.port or DEFAULT_PORTS.get(self.scheme, 0)

    @property
    def query_params(self) -> dict[str, list[str]]:
        """Decoded parameters in order, computed anew at each read."""
        return parse_query(self.query)


# Without an escape, and, as is looked at apart, without an empty segment or one that begins with a
# dot, a path is its own canonical form. Everything else takes the long way round.
_QUERY = r"""[^\x00-\x20"#<>\x7f-\U0010ffff]*+"""
_PLAIN_TARGET = re.compile(rf"(/[A-Za-z0-9\-._~!$&'()*+,;=:@/]*+)(?:\?({_QUERY}))?")
_PLAIN_AUTHORITY = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
)

_QUERY_TEXT = re.compile(_QUERY)
_PATH_TEXT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/|\[\]]|%[0-9A-Fa-f]{2})*")
_USERINFO = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|([|\[\]])")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Escapes that some server turns into a separator, a dot or a control: at once, after decoding
# twice, or by reading over-long UTF-8.
_HIDDEN_OTHERS = r"%(?:25)*(?:5C|[01][0-9A-F]|7F)|%25(?:25)*2E|%C[01]%[89AB]|%E0%[89]|%F0%8"
_HIDDEN = re.compile(rf"%(?:25)*2F|{_HIDDEN_OTHERS}", re.IGNORECASE)
_HIDDEN_BUT_SLASH = re.compile(rf"%(?:25)+2F|{_HIDDEN_OTHERS}", re.IGNORECASE)
ENCODED_SLASH = "%2F"
HIDDEN = "hidden-separator-or-control"
# What stands beside a kept `%2F` and is a dot segment once that is decoded.
_DOTS = re.compile(r"\.\.?(?:(?:;|%3B).*)?")
_DOT_SEGMENT_WITH_PARAMETER = re.compile(r"/\.\.?(?:;|%(?:25)*3B)", re.IGNORECASE)

_ABSOLUTE = re.compile(
    r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?", re.DOTALL
)
_HOST_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_MAX_HOST = 253
_MAX_LABEL = 63


def parse_request_target(
    target: str,
    *,
    scheme: str,
    authority: str | Authority,
    method: str = "GET",
    keeps_encoded_slashes: bool = False,
) -> Url:
    """Read a request line's target (RFC 9112, section 3.2); raises UrlError for a 400.

    `scheme` is what the proxy knows of the connection; `authority` is the Host value. In
    absolute form the target's own host wins over it (T-SM-11), its scheme only has to be http
    or https. `*` is for OPTIONS alone. The authority form of CONNECT is refused.
    """
    place = parse_authority(authority) if isinstance(authority, str) else authority
    plain = _PLAIN_TARGET.fullmatch(target)
    if plain is not None:
        path = plain[1]
        if "//" not in path and "/." not in path:
            return Url(scheme, place.host, place.port, path, plain[2] or "", target)
    if target.startswith("/"):
        return _located(scheme, place, target, target, keeps_encoded_slashes=keeps_encoded_slashes)
    if target == "*" and method == "OPTIONS":
        return Url(scheme, place.host, place.port, "*", "", target)
    return _absolute_form(target, scheme, keeps_encoded_slashes=keeps_encoded_slashes)


def _absolute_form(target: str, scheme: str, *, keeps_encoded_slashes: bool) -> Url:
    found = _ABSOLUTE.fullmatch(target)
    if found is None or found[1].lower() not in DEFAULT_PORTS:
        raise UrlError("bad-target-form")
    # parse_authority refuses userinfo: RFC 9110, section 4.2.4, calls it an error.
    rest = target[found.end(2) :]
    return _located(
        scheme, parse_authority(found[2]), rest, target, keeps_encoded_slashes=keeps_encoded_slashes
    )


def _located(
    scheme: str,
    place: Authority,
    rest: str,
    target: str,
    *,
    user_password: str = "",
    keeps_encoded_slashes: bool,
) -> Url:
    if "#" in rest:
        raise UrlError("fragment-in-target")
    raw_path, _, query = rest.partition("?")
    if not _QUERY_TEXT.fullmatch(query):
        raise UrlError("illegal-character-in-query")
    path = canonical_path(raw_path or "/", keeps_encoded_slashes=keeps_encoded_slashes)
    return Url(scheme, place.host, place.port, path, query, target, user_password)


def parse_url(text: str, *, keeps_encoded_slashes: bool = False) -> Url:
    """Read an absolute URL; its path gets its canonical form. Raises UrlError."""
    found = _ABSOLUTE.fullmatch(text)
    if found is None:
        raise UrlError("no-absolute-url")
    user_password, separator, place = found[2].rpartition("@")
    if separator and not _USERINFO.fullmatch(user_password):
        raise UrlError("bad-userinfo")
    scheme, rest = found[1].lower(), text[found.end(2) :]
    return _located(
        scheme,
        parse_authority(place),
        rest,
        text,
        user_password=user_password,
        keeps_encoded_slashes=keeps_encoded_slashes,
    )


def canonical_path(raw: str, *, keeps_encoded_slashes: bool = False) -> str:
    """Bring a path that starts with a slash into its one form, or raise UrlError."""
    normalised = normalise_escapes(raw, keeps_encoded_slashes=keeps_encoded_slashes)
    return resolve_segments(normalised)


def normalise_escapes(raw: str, *, keeps_encoded_slashes: bool = False) -> str:
    """Spell each character of a path in its one way; segments stay as they are.

    Raises UrlError for everything that a server behind us might read in another way.
    """
    if not _PATH_TEXT.fullmatch(raw):
        raise UrlError(_illegal_in_path(raw))
    path = _ESCAPE.sub(_one_spelling, raw)
    if (_HIDDEN_BUT_SLASH if keeps_encoded_slashes else _HIDDEN).search(path):
        raise UrlError(HIDDEN)
    if ENCODED_SLASH in path:
        _check_kept_slashes(path)
    if _DOT_SEGMENT_WITH_PARAMETER.search(path):
        raise UrlError("dot-segment-with-parameter")
    return path


def _check_kept_slashes(path: str) -> None:
    # Decoded and resolved by a server behind us, these would lead out of the prefix that a rule
    # has seen: `/a%2F..%2Fadmin`, and `/%2Fadmin`, which is `/admin` where slashes are merged.
    for segment in path.split("/")[1:]:
        parts = segment.split(ENCODED_SLASH)
        if len(parts) > 1 and (not parts[0] or any(map(_DOTS.fullmatch, parts))):
            raise UrlError(HIDDEN)


def _one_spelling(escape: re.Match[str]) -> str:
    if escape[2]:
        return f"%{ord(escape[2]):02X}"
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _illegal_in_path(raw: str) -> str:
    if "\\" in raw:
        return "backslash-in-path"
    if re.search(r"%(?![0-9A-Fa-f]{2})", raw):
        return "bad-percent-escape"
    return "illegal-character-in-path"


def resolve_segments(path: str) -> str:
    """Merge empty segments and resolve dot segments; UrlError when they climb above the root."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if not kept:
                raise UrlError("path-above-root")
            kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    if kept and segments[-1] in ("", ".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def parse_authority(text: str) -> Authority:
    """Read a Host value, `host[:port]` (RFC 9112, section 3.2); raises UrlError."""
    if len(text) <= _MAX_LABEL and _PLAIN_AUTHORITY.fullmatch(text):
        return Authority(text)
    found = _HOST_PORT.fullmatch(text)
    if found is None:
        raise UrlError("bad-authority")
    return Authority(parse_host(found[1]), _port(found[2]))


def _port(digits: str | None) -> int | None:
    # RFC 3986 lets a port be empty; it is then as good as absent.
    if not digits:
        return None
    if len(digits) > 5 or digits[0] == "0" or int(digits) > 65535:
        raise UrlError("bad-port")
    return int(digits)


def parse_host(text: str) -> str:
    """Return the canonical spelling of a host, brackets of an IPv6 address dropped."""
    if text.startswith("["):
        try:
            address = IPv6Address(text[1:-1])
        except AddressValueError:
            raise UrlError("bad-host") from None
        if address.scope_id is not None:
            raise UrlError("bad-host")
        return str(address)
    if not text.isascii():
        raise UrlError("bad-host")
    name = text.lower().removesuffix(".")
    if len(name) > _MAX_HOST or not _NAME.fullmatch(name):
        raise UrlError("bad-host")
    if any(len(label) > _MAX_LABEL for label in name.split(".")):
        raise UrlError("bad-host")
    return name


def authority_text(host: str, port: int | None) -> str:
    """Write a host and port as they stand in a Host value, an IPv6 address in brackets."""
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def parse_query(query: str) -> dict[str, list[str]]:
    """Decode `a=1&b=2` into values by name, in order; a name without `=` has the value ""."""
    params: dict[str, list[str]] = {}
    # Only `&` separates; the number of pairs is bounded by the size of a request line.
    for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        params.setdefault(name, []).append(value)
    return params


_LEGAL = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?#\[\]]+|%[0-9A-Fa-f]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def percent_encode_illegal(text: str) -> str:
    """Encode each character that may not stand in a URL; a broken `%` becomes `%25`.

    Controls raise UrlError: a line break in a Location is an attack or a mistake (T-AH-2).
    """
    if _CONTROL.search(text):
        raise UrlError("control-character-in-url")
    parts: list[str] = []
    position = 0
    for legal in _LEGAL.finditer(text):
        parts.append(_escaped(text[position : legal.start()]))
        parts.append(legal[0])
        position = legal.end()
    parts.append(_escaped(text[position:]))
    return "".join(parts)


def _escaped(text: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode("utf-8", "surrogateescape"))


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def resolve_reference(base: Url, reference: str) -> str:
    """Resolve a URL reference against a request's URL (RFC 3986, section 5.2)."""
    if _SCHEME.match(reference):
        return reference
    if reference.startswith("//"):
        return f"{base.scheme}:{reference}"
    path = re.split(r"[?#]", reference, maxsplit=1)[0]
    suffix = reference[len(path) :]
    base_path = "/" if base.path == "*" else base.path
    if not path:
        path = base_path
        if base.query and not suffix.startswith("?"):
            suffix = f"?{base.query}{suffix}"
    elif not path.startswith("/"):
        path = base_path.rpartition("/")[0] + "/" + path
    return f"{base.scheme}://{base.authority}{_remove_dots(path)}{suffix}"


def _remove_dots(path: str) -> str:
    # Unlike a request's path, a link that climbs above the root stays at the root, and empty
    # segments keep their place: both as every browser does it.
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
