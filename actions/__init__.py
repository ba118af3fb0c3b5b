"""One module per action of the language; all of them are listed here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions import (
    add_headers,
    basic_auth,
    close_connection,
    custom_response,
    deny,
    jwt_validation,
    log,
    oauth,
    openid_connect,
    redirect,
    remove_headers,
    restrict_ips,
    saml,
    set_vars,
    url_rewrite,
)
from policy.action import Action
from policy.load import Language

ACTIONS: Mapping[str, Action[Any]] = {
    module.ACTION.name: module.ACTION
    for module in (
        add_headers,
        basic_auth,
        close_connection,
        custom_response,
        deny,
        jwt_validation,
        log,
        oauth,
        openid_connect,
        redirect,
        remove_headers,
        restrict_ips,
        saml,
        set_vars,
        url_rewrite,
    )
}

# The rest of the language, and what each action would do, for the message that refuses it.
NOT_BUILT: Mapping[str, str] = {
    "ai-gateway": "It routes requests to AI providers; it is not planned.",
    "circuit-breaker": "It answers 503 for a while when the upstream keeps failing.",
    "compress-response": "It compresses responses as the client accepts it.",
    "forward-internal": "It hands a request or connection to another endpoint.",
    "http-request": "It makes a request to another service and keeps the answer.",
    "owasp-crs-request": "It runs the OWASP Core Rule Set on requests.",
    "owasp-crs-response": "It runs the OWASP Core Rule Set on responses.",
    "rate-limit": "It limits how many requests a client makes.",
    "request-body-find-replace": "It replaces text in request bodies.",
    "response-body-find-replace": "It replaces text in response bodies.",
    "sse-find-replace": "It replaces text in server-sent events.",
    "terminate-tls": "It sets how TLS is terminated.",
    "verify-webhook": "It checks the signature of a webhook.",
}

LANGUAGE = Language(actions=ACTIONS, not_built=NOT_BUILT)
