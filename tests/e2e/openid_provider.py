"""A certified OpenID provider in a process of its own, and what it says happened."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import node
from tests.e2e.processes import free_port, running

PROGRAM = Path(__file__).parent / "provider"
CLIENT_ID = "orders"
CLIENT_SECRET = "only-for-tests-0123456789-0123456789"


@dataclass(frozen=True)
class OpenIdProvider:
    """Where it is. `log` has what it did."""

    issuer: str
    log: Path

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return what happened so far, of one sort or all."""
        lines = self.log.read_text().splitlines()
        events = [json.loads(line) for line in lines if line.startswith('{"event"')]
        return [event for event in events if name in ("", event["event"])]

    def refreshes(self) -> int:
        """Count the refresh tokens that were exchanged."""
        return sum(event["type"] == "refresh_token" for event in self.events("granted"))


@contextmanager
def openid_provider(
    folder: Path,
    origins: Sequence[str],
    *,
    access_token_s: int = 3600,
    needs_par: bool = False,
    port: int = 0,
) -> Iterator[OpenIdProvider]:
    """Run a provider that knows Penstock at these origins as its client."""
    program, installed = node.need_program(PROGRAM)
    port, log = port or free_port(), folder / "provider.log"
    client = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [f"{origin}/ngrok/oauth2/callback" for origin in origins],
        "post_logout_redirect_uris": [f"{origin}/ngrok/logout" for origin in origins],
        "grant_types": ["authorization_code", "refresh_token"],
        "backchannel_logout_uri": f"{origins[0]}/ngrok/backchannel-logout",
        "backchannel_logout_session_required": True,
    }
    settings = {
        "port": port,
        "clients": [client],
        "accessTokenSeconds": access_token_s,
        "par": needs_par,
    }
    environment = {**os.environ, "PROVIDER_SETTINGS": json.dumps(settings)}
    command = [program, str(installed / "server.mjs")]
    with running(command, port=port, log=log, environment=environment):
        yield OpenIdProvider(issuer=f"http://127.0.0.1:{port}", log=log)


def login_policy(provider: OpenIdProvider, more: str = "") -> str:
    """Write a policy with a login in front of everything; `more` are other fields of it."""
    return f"""
on_http_request:
  - actions:
      - type: openid-connect
        config:
          issuer_url: {provider.issuer}
          client_id: {CLIENT_ID}
          client_secret: {CLIENT_SECRET}
          {more}
      - type: add-headers
        config: {{headers: {{x-user: "${{actions.ngrok.oidc.identity.email}}"}}}}
"""
