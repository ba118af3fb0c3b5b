"""All targets."""

from __future__ import annotations

from fuzz.documents import DOCUMENT_TARGETS
from fuzz.messages import MESSAGE_TARGETS
from fuzz.saml import SAML_TARGETS

TARGETS = (*MESSAGE_TARGETS, *DOCUMENT_TARGETS, *SAML_TARGETS)
