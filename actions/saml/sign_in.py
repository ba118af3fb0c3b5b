"""Answers the browser that a provider sends back with who has signed in.

It comes by POST from another site, with the cookie that it was sent away with. Without a request
of ours (where the policy allows that) there is no such cookie, and the relay state is not looked
at: it could lead anywhere (T-RD-3).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Final

from actions.login.begin import refusal_page
from actions.login.callback import BAD_CALLBACK, counted, finished, open_session, take_pending
from actions.login.protocol import LoginRefused
from actions.login.return_target import HOME
from actions.login.visit import Visit
from actions.saml.answer import signed_in
from actions.saml.form import BadForm, read_form
from actions.saml.parties import DEFAULT_MAX_AGE_NS
from actions.saml.paths import MAX_RELAY_STATE, RELAY_STATE, RESPONSE
from actions.saml.settings import Config
from policy.action import Respond
from policy.effect import Effect

RESPONSES: Final = frozenset({RESPONSE})


def sign_in(at: Visit) -> Generator[Effect, Any, Respond[Any]]:
    """Answer with a session, or with a page that says that there is none."""
    return counted(at, (yield from _signed_in(at)))


def _signed_in(at: Visit) -> Generator[Effect, Any, Respond[Any]]:
    config = at.config
    assert isinstance(config, Config)
    try:
        form = yield from read_form(at, RESPONSES)
    except BadForm as bad:
        return refusal_page(at, replace(BAD_CALLBACK, detail=f"SAML: {bad}"))
    state = form.get(RELAY_STATE, "")
    pending = yield from take_pending(at, state if len(state) <= MAX_RELAY_STATE else "")
    if isinstance(pending, LoginRefused) and config.allow_idp_initiated:
        return (yield from _begun_by_provider(at, config, form))
    return (yield from finished(at, pending, form))


def _begun_by_provider(
    at: Visit, config: Config, form: Mapping[str, str]
) -> Generator[Effect, Any, Respond[Any]]:
    # There is no request of ours to count from: a sign-in is fresh as long as its message is.
    since_ns = at.now_ns - DEFAULT_MAX_AGE_NS if config.force_authn else None
    outcome = yield from signed_in(
        config, at.exchange, form[RESPONSE], request_id=None, since_ns=since_ns
    )
    if isinstance(outcome, LoginRefused):
        return refusal_page(at, outcome)
    return (yield from open_session(at, outcome, target=HOME))
