"""Which fields pass from the client to the upstream and back (language spec, section 1.6).

Three kinds of fields never pass as the client sent them: those that are about one connection
only (RFC 9110, section 7.6.1), those that the policy owns, and other spellings of both that a
server behind us may fold into the same name (`X_Auth_User` and `X.Auth.User` are `X-Auth-User`
to CGI and its heirs).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache

from policy.exchange import Exchange, Request, Response
from policy.fields import Fields
from policy.url import DEFAULT_PORTS, authority_text

Line = tuple[str, str]

ERROR_CODE_FIELD = "ngrok-error-code"

# RFC 9110, section 7.6.1, and what came before and beside it (T-HD-4). `Proxy` is no field of
# HTTP at all: CGI turns it into the variable HTTP_PROXY.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

# RFC 8586: each gate on the way adds its name, so that a request that comes round again and again
# is noticed. Ours is added where the message is written; what others wrote passes.
LOOP_FIELD = "cdn-loop"
LOOP_NAME = "penstock"

FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")

# What `Connection` may not take away (T-HD-3): the managed fields, and fields that decide what
# a message is. A client could otherwise switch off what the policy or the upstream rests on.
END_TO_END = frozenset(
    {
        *FORWARDED,
        "authorization",
        "cache-control",
        "cdn-loop",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "origin",
        "range",
        "set-cookie",
    }
)

RESERVED = HOP_BY_HOP | END_TO_END
# All of them are NOTABLE.
_SPECIAL = HOP_BY_HOP | frozenset(FORWARDED)
WEBSOCKET_UPGRADE = (("connection", "upgrade"), ("upgrade", "websocket"))
_NOT_FOR_CLIENTS = HOP_BY_HOP | {ERROR_CODE_FIELD}
_NO_NAMES: frozenset[str] = frozenset()


def folded(name: str) -> str:
    """Return the name that a server might make of this one: all but letters and digits is `-`."""
    lowered = name.lower()
    if _is_plain(lowered):
        return lowered
    return "".join(character if character.isalnum() else "-" for character in lowered)


def _is_plain(name: str) -> bool:
    return name.replace("-", "").isalnum()


def strip_owned(request: Request, owned: frozenset[str]) -> None:
    """Remove what the client sent under names that are not its own, before any rule (T-HD-1).

    These are the owned names in every spelling, and odd spellings of reserved names. An owned
    `Authorization` stays readable, because actions check it, but is withheld from the upstream
    until the policy sets its own.
    """
    fields = request.headers
    if not fields.has_plain_names:
        _drop(fields, _odd_forgeries(fields, owned))
    if not owned:
        return
    _drop(fields, _removed_names(owned))
    if "authorization" in owned and "authorization" in fields:
        request.withheld |= {"authorization"}


@lru_cache(maxsize=64)
def _removed_names(owned: frozenset[str]) -> frozenset[str]:
    return frozenset(folded(name) for name in owned) - {"authorization"}


def _odd_forgeries(fields: Fields, owned: frozenset[str]) -> set[str]:
    protected = RESERVED.union(folded(name) for name in owned)
    names = {name.lower() for name, _ in fields}
    return {name for name in names if not _is_plain(name) and folded(name) in protected}


def _drop(fields: Fields, names: AbstractSet[str]) -> None:
    if not names.isdisjoint(fields.by_name):
        for name in names:
            fields.remove(name)


def upstream_fields(
    exchange: Exchange, *, owned: frozenset[str] = _NO_NAMES, websocket: bool = False
) -> list[Line]:
    """Return the request's field lines as the upstream gets them, in order.

    Transfer-Encoding is never among them: framing is the sender's own. With `websocket` the
    upgrade to it is asked for anew; no other upgrade ever passes.
    """
    request = exchange.request
    if request is None:
        return []
    lines, forwarded, named = _sorted_out(request, owned)
    lines.extend(_forwarded_lines(exchange, request, forwarded, owned))
    if named:
        lines = [line for line in lines if line[0].lower() not in named]
    if websocket:
        lines += WEBSOCKET_UPGRADE
    return lines


def _sorted_out(
    request: Request, owned: frozenset[str]
) -> tuple[list[Line], dict[str, list[str]], set[str]]:
    """Split into lines that pass, the client's forwarding values, and names to drop."""
    lines: list[Line] = []
    forwarded: dict[str, list[str]] = {}
    named = set(request.withheld)
    all_plain = request.headers.has_plain_names
    for line in request.headers.lines:
        name = line[0].lower()
        if name in _SPECIAL:
            if name == "connection":
                named |= connection_options(line[1]) - END_TO_END - owned
            elif name not in HOP_BY_HOP:
                forwarded.setdefault(name, []).append(line[1])
        elif all_plain or _is_plain(name) or folded(name) not in RESERVED:
            lines.append(line)
    return lines, forwarded, named


def upstream_wire(
    exchange: Exchange, request: Request, *, owned: frozenset[str], framing: frozenset[str]
) -> bytes | None:
    """Return what `upstream_fields` returns as bytes, each line behind its CRLF.

    Lines under a name in `framing` are left out. None where lines must be spelled one by one.
    """
    fields = request.headers
    if fields.wire is None or not fields.has_plain_names:
        return None
    notable = fields.notable
    if not request.withheld and notable.isdisjoint(_SPECIAL) and notable.isdisjoint(framing):
        # So it is with nearly every request: nothing to take away, nothing said before us.
        public = request.public_url
        client_ip = exchange.connection.client_ip
        return fields.wire + _own_lines(client_ip, public.scheme, public.host, public.port)
    by_name = fields.by_name
    named = set(request.withheld)
    for value in by_name.get("connection", ()):
        named |= connection_options(value) - END_TO_END - owned
    dropped = (notable & _SPECIAL) | (notable & framing) | named.intersection(by_name)
    wire = fields.wire_without(dropped)
    if wire is None:
        return None
    sent = {name: by_name[name] for name in FORWARDED if name in by_name}
    lines = _forwarded_lines(exchange, request, sent, owned)
    own = "".join([f"\r\n{name}: {value}" for name, value in lines if name not in named])
    return wire + own.encode("utf-8", "surrogateescape")


@lru_cache(maxsize=1024)
def _own_lines(client_ip: str, scheme: str, host: str, port: int | None) -> bytes:
    lines = (
        f"\r\nx-forwarded-for: {client_ip}\r\nx-forwarded-proto: {scheme}"
        f"\r\nx-forwarded-host: {authority_text(host, port)}"
    )
    return lines.encode("ascii")


def _forwarded_lines(
    exchange: Exchange, request: Request, sent: dict[str, list[str]], owned: frozenset[str]
) -> list[Line]:
    public = request.public_url
    lines: list[Line] = []
    for name in FORWARDED:
        values = sent.get(name, [])
        if name in owned and values:
            # Only the policy can have written these, and it means exactly them.
            lines.extend((name, value) for value in values)
        elif name == "x-forwarded-host":
            lines.append((name, values[-1] if values else public.authority))
        else:
            own = exchange.connection.client_ip if name == "x-forwarded-for" else public.scheme
            lines.append((name, ", ".join([*values, own])))
    return lines


def times_passed(values: Iterable[str]) -> int:
    """Count how often a request has passed a gate like this one, by its CDN-Loop values."""
    names = (each.partition(";")[0].strip(" \t").lower() for each in ",".join(values).split(","))
    return sum(name == LOOP_NAME for name in names)


def connection_options(value: str) -> set[str]:
    """Return the lower-case names in a Connection value (RFC 9110, section 7.6.1)."""
    return {option.strip().lower() for option in value.split(",")}


def forwardable_trailers(trailers: Fields, *, owned: frozenset[str] = _NO_NAMES) -> list[Line]:
    """Return the trailer lines that pass: none that is reserved or owned (T-SM-8, T-HD-7)."""
    kept = {folded(name) for name in owned} | RESERVED
    return [line for line in trailers.lines if folded(line[0]) not in kept]


def received_fields(lines: Iterable[Line]) -> Fields:
    """Return what of an upstream's response head is for the client; `lines` may become it.

    The error code field is the proxy's own word: an upstream can't speak in its name.
    """
    fields = lines if isinstance(lines, Fields) else Fields(lines)
    if fields.has_plain_names:
        dropped = fields.notable & _NOT_FOR_CLIENTS
        if dropped:
            options = fields.all("connection")
            for option in set().union(*map(connection_options, options)) - END_TO_END:
                fields.remove(option)
            for name in dropped:
                fields.remove(name)
        return fields
    kept: list[Line] = []
    named: set[str] = set()
    for line in lines:
        name = line[0].lower()
        if name == "connection":
            named |= connection_options(line[1]) - END_TO_END
        elif name not in HOP_BY_HOP and folded(name) != ERROR_CODE_FIELD:
            kept.append(line)
    if named:
        kept = [line for line in kept if line[0].lower() not in named]
    return Fields(kept)


def restore_location(request: Request, response: Response) -> None:
    """Point a redirect of the upstream back at the public host, where a policy replaced Host.

    Only a Location on exactly the host that the upstream was told is changed; relative ones
    are right already, and other hosts are really meant.
    """
    told = (request.headers.first("host") or "").lower()
    public = request.public_url
    location = response.headers.first("location")
    if location is None or told == public.authority:
        return
    scheme, separator, rest = location.partition("://")
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if separator and scheme.lower() in DEFAULT_PORTS and place.lower() == told:
        there = f"{public.scheme}://{public.authority}{rest[len(place) :]}"
        response.headers.replace("location", there)
