"""Reads the form that a browser brings from a provider (SAML bindings, section 3.5).

One message, one relay state at most, each once: of two, nobody could say which one counts (SA-23).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from actions.login.visit import Visit
from actions.saml.paths import RELAY_STATE
from policy.effect import Effect, ReadBody
from policy.media_type import FORM, media_type

# A message of 256 KiB in base64, in lines of their own, as browsers write them.
MAX_BODY: Final = 512 * 1024
MAX_FIELDS: Final = 16


class BadForm(ValueError):  # noqa: N818 - what was received, not what failed
    """What was sent is no such form; the text says why, for the log."""


def read_form(at: Visit, messages: frozenset[str]) -> Generator[Effect, Any, Mapping[str, str]]:
    """Return the fields of a form with just one of these messages; raises BadForm."""
    if at.request.method != "POST":
        raise BadForm("it came by another method than POST")
    types = at.request.headers.all("content-type")
    if len(types) != 1 or media_type(types[0]) != FORM:
        raise BadForm(f"it is no {FORM}")
    body = yield ReadBody(limit_bytes=MAX_BODY)
    if body is None:
        raise BadForm(f"it is longer than {MAX_BODY} bytes")
    return fields_of(body, messages)


def fields_of(body: bytes, messages: frozenset[str]) -> Mapping[str, str]:
    """Return the fields of a body; raises BadForm."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise BadForm("its fields can't be read") from None
    names = [name for name, _ in pairs]
    if sum(name in messages for name in names) != 1:
        raise BadForm(f"not just one of {', '.join(sorted(messages))}")
    if names.count(RELAY_STATE) > 1:
        raise BadForm(f"more than one {RELAY_STATE}")
    return dict(pairs)
