"""What to write instead of names that examples and other tools use, but this language lacks."""

from __future__ import annotations

from typing import Final

_COOKBOOK = "there is no such function; see the function reference for the documented equivalent"

VARIABLE_HINTS: Final = {
    "req.path": "write 'req.url.path'",
    "req.query": "write 'req.url.query'",
    "req.query_params": "write 'req.url.query_params'",
    "req.scheme": "write 'req.url.scheme'",
    "req.ip": "write 'conn.client_ip'",
    "req.body": "bodies are no variables; the find-replace actions and verify-webhook read them",
    "res.body": "bodies are no variables; the find-replace actions read them",
    "res.status": "write 'res.status_code'",
    "request": "write 'req', for example 'req.method'",
    "response": "write 'res', for example 'res.status_code'",
    "ngrok.geo": "write 'conn.geo'",
    "geo": "write 'conn.geo'",
    "conn.ngrok.geo": "write 'conn.geo'",
    "conn.ts.end": "a connection's end is not known while its policy runs",
    "ip": "write 'conn.client_ip'",
}
"""By the beginning of the written name."""

FUNCTION_HINTS: Final = {
    "get": "write getReqHeader('name')[0], or req.headers['name'][0]",
    "toLowerCase": "write s.lower()",
    "toUpperCase": "write s.upper()",
    "lowercase": "write s.lower()",
    "uppercase": "write s.upper()",
    "length": "write size(x)",
    "len": "write size(x)",
    "regex": "write s.matches('...')",
    "match": "write s.matches('...')",
    "b64.encode": "write base64.encode(b)",
    "b64.decode": "write base64.decode(s)",
    "http.header": "write getReqHeader('name')",
    "http.path_segment": "write req.url.path.split('/')",
    "http.request_body": "bodies are no variables; the find-replace actions read them",
    "security.secret": "write secrets.get('vault', 'name')",
}
"""By the written name."""

ARGUMENT_HINTS: Final = {
    "sort": "to sort by something else than the value write list.sortBy(x, x.name)",
}
"""By the name of a function that is called with a wrong number of arguments."""

CONSTANT_HINTS: Final = {
    "timestamp": "write it like '2026-01-31T12:00:00Z' or '2026-01-31T12:00:00+01:00'",
    "duration": "write a number and a unit (ns, us, ms, s, m, h), for example '90s' or '1h30m'",
    "base64.decode": "base64 is padded with '=' to a multiple of four characters",
    "decodeBase64": "base64 is padded with '=' to a multiple of four characters",
}
"""By the name of a function that can't work with a constant."""

FUNCTION_NAMESPACE_HINTS: Final = {
    "b64": "write base64.encode(b) or base64.decode(s)",
    "http": "the request is in req.*: req.headers, req.url.path and so on",
    "utility": _COOKBOOK,
    "security": "write secrets.get('vault', 'name')",
    "object": _COOKBOOK,
}
"""By the namespace of the written name."""
