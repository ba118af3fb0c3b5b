"""What a SAML provider has sent, from a file: to find out why it is refused."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from actions.saml.paths import RESPONSE
from actions.saml.refusal import MessageRefused
from proxy.failure import Failure

MAX_FILE: Final = 1024 * 1024
HINT: Final = (
    "name a file with the form's SAMLResponse: as a browser's developer tools show it, the whole "
    "body of the request, or its XML"
)


def read_saml_response(path: Path) -> str:
    """Return the value of a form's `SAMLResponse`; raises Failure for a file of no use."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", hint=HINT) from None
    if len(content) > MAX_FILE or not content.strip():
        raise Failure(f"{path}: it is empty, or longer than {MAX_FILE} bytes", hint=HINT)
    return encoded_response(content)


def encoded_response(content: bytes) -> str:
    """Return XML, base64 or a whole form as the value of its field."""
    text = content.strip()
    if text.startswith(b"<"):
        # As it is: what was signed must not lose a space.
        return b64encode(content.lstrip()).decode("ascii")
    if f"{RESPONSE}=".encode() in text:
        fields = parse_qs(text.decode("ascii", "replace"), keep_blank_values=True)
        return fields.get(RESPONSE, [""])[0]
    return text.decode("ascii", "replace")


def answered_request(encoded: str) -> str | None:
    """Return the id of the request that a response says it answers; None for none."""
    # The XML libraries take a while to load, and most evaluations do without them.
    from actions.saml.binding import decode_posted
    from actions.saml.markup import parse

    try:
        return parse(decode_posted(encoded)).get("InResponseTo")
    except MessageRefused:
        return None
