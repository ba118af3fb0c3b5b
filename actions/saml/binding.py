"""How messages travel: in a form field (POST), or deflated in a query with a signature (Redirect).

SAML bindings, sections 3.4 and 3.5. What is received is measured before it is unpacked, and
unpacked no further than a message may be long (D3-1, D3-26).
"""

from __future__ import annotations

import re
import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote_plus, unquote_to_bytes

from actions.saml.algorithms import Algorithms
from actions.saml.keys import PrivateKey, has_signed, own_method, sign, usable_key
from actions.saml.markup import MESSAGE
from actions.saml.refusal import MessageRefused, shown

MessageName = Literal["SAMLRequest", "SAMLResponse"]

MAX_ENCODED: Final = MESSAGE.max_bytes * 4 // 3 + 8192
DEFLATE: Final = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]*+={0,2}[\r\n]*+")
_ORDER: Final = ("SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that came in a query, with whose signature covers it."""

    name: str
    xml: bytes
    relay_state: str | None


def decode_posted(encoded: str) -> bytes:
    """Return the XML of a form field; line breaks in base64 are usual, all else is not."""
    if len(encoded) > MAX_ENCODED:
        detail = f"{len(encoded)} characters of base64, at most {MAX_ENCODED}"
        raise MessageRefused(reason="message-too-large", detail=detail)
    if not encoded.strip("\r\n") or not _BASE64.fullmatch(encoded):
        raise MessageRefused(reason="message-encoding", detail="no base64")
    return _decoded(encoded.replace("\r", "").replace("\n", ""))


def encode_posted(xml: bytes) -> str:
    """Return XML as a form field's value."""
    return b64encode(xml).decode("ascii")


def redirect_url(
    endpoint: str,
    name: MessageName,
    xml: bytes,
    *,
    relay_state: str | None,
    key: PrivateKey | None,
) -> str:
    """Return where a browser is sent to bring a message; signed if there is a key.

    The signature covers the parameters as they stand in the URL, in the order of the standard.
    """
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b64encode(compressor.compress(xml) + compressor.flush()).decode("ascii")
    query = f"{name}={quote_plus(packed)}"
    if relay_state is not None:
        query += f"&RelayState={quote_plus(relay_state)}"
    if key is not None:
        query += f"&SigAlg={quote_plus(own_method(key).uri)}"
        signature = b64encode(sign(key, query.encode("ascii"))).decode("ascii")
        query += f"&Signature={quote_plus(signature)}"
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def receive_redirected(
    query: str, certificates: Sequence[bytes], algorithms: Algorithms
) -> Received:
    """Return the message in a query as it was received; raises MessageRefused unless signed.

    Other parameters may stand there as well, but each of ours once, and in its order: the
    signature is over the octets as they came (SA-19).
    """
    found = _parameters(query)
    names = [name for name, _ in found]
    wanted = [name for name in _ORDER if name in names]
    if names != wanted or len({"SAMLRequest", "SAMLResponse"} & set(names)) != 1:
        detail = f"in this order: {', '.join(names) or 'nothing'}"
        raise MessageRefused(reason="query-parameters", detail=detail)
    raw = dict(found)
    if "Signature" not in raw or "SigAlg" not in raw:
        raise MessageRefused(reason="signature-missing", detail="no SigAlg and Signature")
    _check_octets(raw, names, certificates, algorithms)
    relay_state = _text(raw["RelayState"]) if "RelayState" in raw else None
    return Received(name=names[0], xml=_inflated(_text(raw[names[0]])), relay_state=relay_state)


def _parameters(query: str) -> list[tuple[str, str]]:
    if len(query) > MAX_ENCODED:
        raise MessageRefused(reason="message-too-large", detail="the query is too long")
    found = []
    for part in query.split("&"):
        raw_name, _, value = part.partition("=")
        name, text = _text(raw_name), _text(value)
        if name == "SAMLEncoding" and text != DEFLATE:
            raise MessageRefused(reason="message-encoding", detail="another encoding than DEFLATE")
        if name in _ORDER:
            if raw_name != name:
                detail = f"{name} in disguise"
                raise MessageRefused(reason="query-parameters", detail=detail)
            found.append((name, value))
    return found


def _check_octets(
    raw: dict[str, str], names: list[str], certificates: Sequence[bytes], algorithms: Algorithms
) -> None:
    uri = _text(raw["SigAlg"])
    method = algorithms.method(uri)
    if method is None:
        raise MessageRefused(reason="signature-algorithm", detail=next(shown((uri,))))
    signed = "&".join(f"{name}={raw[name]}" for name in names if name != "Signature")
    signature = _decoded(_text(raw["Signature"]))
    octets = signed.encode("ascii")
    keys = [usable_key(each, algorithms) for each in certificates]
    if not any(key is not None and has_signed(key, octets, signature, method) for key in keys):
        detail = "made by none of the configured certificates, or over another query"
        raise MessageRefused(reason="signature-invalid", detail=detail)


def _text(raw: str) -> str:
    try:
        return unquote_to_bytes(raw.replace("+", " ").encode("ascii")).decode("utf-8")
    except UnicodeError:
        raise MessageRefused(reason="query-parameters", detail="no UTF-8") from None


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise MessageRefused(reason="message-encoding", detail="no base64") from None


def _inflated(text: str) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        xml = inflater.decompress(_decoded(text), MESSAGE.max_bytes + 1)
    except zlib.error:
        raise MessageRefused(reason="message-encoding", detail="not deflated") from None
    if len(xml) > MESSAGE.max_bytes:
        raise MessageRefused(reason="message-too-large", detail="it inflates to too much")
    if not inflater.eof or inflater.unused_data:
        raise MessageRefused(reason="message-encoding", detail="not deflated as a whole")
    return xml
