"""The request that `penstock eval` plays, read by the proxy's own parser."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import typer

from policy.fields import Fields
from policy.url import Url, UrlError, parse_request_target
from proxy.http1.body import ChunkedReader, LengthReader
from proxy.http1.grammar import FieldLines, GrammarError
from proxy.http1.request_head import CHUNKED, BadRequest, RequestHead, RequestHeads
from proxy.limits import Limits

LIMITS = Limits()

_URL = re.compile(r"(?:(https?)://([^/?#]*))?([/?].*)?", re.IGNORECASE | re.DOTALL)
_ABSOLUTE_TARGET = re.compile(rb"[^ ]+ (https?)://([^/?# ]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRequest:
    """One request as the proxy would see it, its body complete and without framing."""

    head: RequestHead
    url: Url
    body: bytes
    trailers: Fields

    @property
    def headers(self) -> Fields:
        """The header fields as sent. A new copy each time: policies change it."""
        return self.head.fields.copy()


def request_from_flags(
    *, method: str, url: str, headers: Iterable[str], body: str | None
) -> tuple[bytes, str]:
    """Write down the request that flags describe; returns its bytes and its scheme.

    Raises typer.BadParameter for what is no request at all. What is one, however odd, is left to
    the parser, which refuses it as the proxy would.
    """
    found = _URL.fullmatch(url)
    if found is None or not url or found[2] == "":
        raise typer.BadParameter(
            f"{url!r} is neither an http(s) URL nor a path", param_hint="--url"
        )
    scheme, authority, target = found[1] or "http", found[2] or "localhost", found[3] or "/"
    lines = [field_of(text, flag="--header") for text in headers]
    names = {name.lower() for name, _ in lines}
    content = (body or "").encode("utf-8", "surrogateescape")
    if "host" not in names:
        lines.insert(0, ("host", authority))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(("content-length", str(len(content))))
    target = target if target.startswith("/") else f"/{target}"
    head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in lines)]
    text = "".join(f"{each}\r\n" for each in head) + "\r\n"
    return text.encode("utf-8", "surrogateescape") + content, scheme.lower()


def field_of(text: str, *, flag: str) -> tuple[str, str]:
    """Read a `name: value` flag; raises typer.BadParameter."""
    name, colon, value = text.partition(":")
    if not colon or not name or "\r" in text or "\n" in text:
        raise typer.BadParameter(f"{text!r} is not 'name: value'", param_hint=flag)
    return name, value.strip(" \t")


def request_from_file(data: bytes) -> tuple[bytes, str]:
    """Make a hand-written request sendable; returns its bytes and its scheme.

    A file whose head has bare line feeds, as editors write them, gets proper line ends. A request
    line with a full URL gives the scheme, and the Host where the file has none; a body without a
    stated length gets its own. Anything else stays as it is.
    """
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator and b"\r" not in data:
        head, _, body = data.partition(b"\n\n")
        head = head.rstrip(b"\n").replace(b"\n", b"\r\n")
    names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    absolute = _ABSOLUTE_TARGET.match(head)
    if absolute and b"host" not in names:
        head += b"\r\nhost: " + absolute[2]
    if body and not names & {b"content-length", b"transfer-encoding"}:
        head += b"\r\ncontent-length: " + str(len(body)).encode()
    return head + b"\r\n\r\n" + body, absolute[1].decode().lower() if absolute else "http"


def parse_sample(data: bytes, *, scheme: str, keeps_encoded_slashes: bool = False) -> SampleRequest:
    """Read a request as the proxy does; raises BadRequest with its status and reason."""
    head_bytes, _, rest = data.partition(b"\r\n\r\n")
    if len(head_bytes) > LIMITS.max_head_bytes:
        raise BadRequest(431, "head-too-large")
    head = RequestHeads(FieldLines()).read(head_bytes, LIMITS)
    try:
        url = parse_request_target(
            head.target,
            scheme=scheme,
            authority=head.host,
            method=head.method,
            keeps_encoded_slashes=keeps_encoded_slashes,
        )
        body, trailers = _read_body(rest, head.length)
    except (GrammarError, UrlError) as error:
        raise BadRequest(400, error.reason) from None
    return SampleRequest(head=head, url=url, body=body, trailers=trailers)


def _read_body(data: bytes, length: int) -> tuple[bytes, Fields]:
    reader: ChunkedReader | LengthReader
    if length == CHUNKED:
        reader = ChunkedReader(
            max_trailers=LIMITS.max_fields, max_trailer_bytes=LIMITS.max_head_bytes
        )
    else:
        reader = LengthReader(length)
    content = reader.read(data) if data else b""
    reader.end_of_stream()
    return content, Fields(reader.trailers)
