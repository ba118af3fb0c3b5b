"""The paths that SAML needs beside those of every login (language spec, section 5.24)."""

from __future__ import annotations

from typing import Final

METADATA: Final = "/ngrok/saml/metadata"
ASSERTION_CONSUMER: Final = "/ngrok/saml/acs"
SINGLE_LOGOUT: Final = "/ngrok/saml/slo"

# Names of parameters that the bindings of SAML give (SAML bindings, sections 3.4 and 3.5).
RESPONSE: Final = "SAMLResponse"
REQUEST: Final = "SAMLRequest"
RELAY_STATE: Final = "RelayState"
# What the bindings allow; ours have 43 characters.
MAX_RELAY_STATE: Final = 80
