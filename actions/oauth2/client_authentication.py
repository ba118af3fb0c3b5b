"""How we prove to a provider that we are the client we say we are (RFC 6749, section 2.3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote_plus

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"

Method = Literal["client_secret_basic", "client_secret_post"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Client:
    """Us, as a provider knows us. Has no representation that could show the secret."""

    id: str
    secret: str
    method: Method = BASIC


def authenticated(client: Client, url: str, form: str) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Return the header fields and the body of a form that is sent in our name."""
    # Imported with the first login: that takes a while, and most policies have none.
    from authlib.oauth2.auth import ClientAuth

    name, secret = client.id, client.secret
    if client.method == BASIC:
        # Each is encoded like a form first, else a colon in the id would end it (D2-7).
        name, secret = quote_plus(name), quote_plus(secret)
    fields = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    auth = ClientAuth(name, secret, client.method)
    _, fields, body = auth.prepare("POST", url, fields, form)
    return tuple(fields.items()), str(body).encode("ascii")
