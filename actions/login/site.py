"""What every login action answers by itself: its paths (language spec, section 5.13)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from actions.login.backchannel import backchannel_logout
from actions.login.begin import begin_login
from actions.login.callback import callback
from actions.login.cookies import own_cookies, shared_cookies
from actions.login.gate import unauthenticated
from actions.login.lint import lint_endpoint
from actions.login.logout import logout
from actions.login.navigation import is_navigation
from actions.login.paths import BACKCHANNEL_LOGOUT, LOGIN, LOGOUT
from actions.login.protocol import LoginProtocol
from actions.login.return_target import asked_target
from actions.login.settings import LoginSettings
from actions.login.visit import Visit, visit
from policy.action import Outcome, Respond, Site
from policy.effect import Effect
from policy.exchange import Exchange

C = TypeVar("C", bound=LoginSettings)

LOGIN_ASKED_FOR: Final = "login-asked-for"

Served: TypeAlias = Generator[Effect, Any, Outcome[Any]]
Serve: TypeAlias = Callable[[Visit], Served]


def login_site(
    protocol: LoginProtocol[C], more: Mapping[str, Serve] = MappingProxyType({})
) -> Site[C]:
    """Make the site of a login action; `more` are paths that its protocol answers itself."""
    served: dict[str, Serve] = {
        LOGIN: ask_for_login,
        protocol.callback_path: callback,
        BACKCHANNEL_LOGOUT: backchannel_logout,
        **more,
    }

    def serve(config: C, exchange: Exchange, is_last: bool) -> Served:  # noqa: FBT001 - a Site's
        at = visit(protocol, config, exchange)
        if isinstance(at, Respond):
            return at
        path = at.request.url.path
        if path == LOGOUT:
            return (yield from logout(at, is_last=is_last))
        return (yield from served[path](at))

    return Site(
        paths=frozenset((*served, LOGOUT)),
        auth_id=lambda config: config.auth_id,
        cookies=own_cookies,
        serve=serve,
        lint_endpoint=lint_endpoint,
        shared_cookies=shared_cookies,
    )


def ask_for_login(at: Visit) -> Served:
    """Begin a login because somebody wants one, also if there is a session.

    Nobody wants one who loads an image: what is no navigation is told so, as anywhere (D2-38).
    """
    if not (is_navigation(at.request) or at.config.unauthenticated == "redirect"):
        return unauthenticated(at, reason=LOGIN_ASKED_FOR, result=None)
    target = asked_target(at.request)
    return (yield from begin_login(at, target=target, reason=LOGIN_ASKED_FOR, force=True))
