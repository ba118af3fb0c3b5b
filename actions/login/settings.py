"""What every login action is configured with (language spec, section 5.13)."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Final, Literal

from actions.login.cookie_names import session_names
from policy.action import ActionConfig, Doc
from policy.config_types import DurationNs, DurationRange, Parsed, refusal
from policy.duration import parse_duration_ns

DEFAULT_AUTH_ID: Final = "default"
DAY_NS: Final = parse_duration_ns("24h")

_AUTH_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"\.?{_LABEL}(?:\.{_LABEL})+")


def read_auth_id(text: str) -> str:
    """Read the name of a login; it becomes part of cookies' names and of URLs."""
    if _AUTH_ID.fullmatch(text):
        return text
    raise refusal(
        "auth-id-invalid",
        f"{text!r} can't name a login",
        reference="ERR_NGROK_2204",
        hint="use up to 64 letters, digits, '-' and '_'",
    )


def read_cookie_domain(text: str) -> str:
    """Read a domain whose hosts share a login; raises the refusal of what is none."""
    domain = text.lower()
    if _DOMAIN.fullmatch(domain) and not domain.rpartition(".")[2].isdigit():
        return domain.removeprefix(".")
    raise refusal(
        "cookie-domain-invalid",
        f"{text!r} is not a domain that cookies can be for",
        reference="ERR_NGROK_2243",
        hint="write a domain with at least two labels, as example.com; other scripts in punycode",
    )


AuthId = Annotated[str, Parsed(read_auth_id, "name of letters, digits, '-' and '_'")]
CookieDomain = Annotated[str, Parsed(read_cookie_domain, "domain")]


class LoginSettings(ActionConfig):
    """Fields that all login actions share."""

    auth_id: Annotated[
        AuthId | None, Doc("Tells several logins of one endpoint apart, in cookies and URLs.")
    ] = None
    max_session_duration: Annotated[
        DurationNs,
        DurationRange(minimum="1m", maximum="8760h"),
        Doc("A session ends so long after the login, whatever happens."),
    ] = DAY_NS
    idle_session_timeout: Annotated[
        DurationNs | None,
        DurationRange(minimum="1m", maximum="8760h"),
        Doc("A session ends after so long without a request; absent: it may lie idle."),
    ] = None
    idle_session_duration: Annotated[
        DurationNs | None,
        DurationRange(minimum="1m", maximum="8760h"),
        Doc("The same under its other name; give one of the two."),
    ] = None
    userinfo_refresh_interval: Annotated[
        DurationNs | None,
        DurationRange(minimum="1m", maximum="8760h"),
        Doc("Ask the provider about the user again so often; absent: never."),
    ] = None
    allow_cors_preflight: Annotated[
        bool, Doc("True: CORS preflights (OPTIONS) pass without a login.")
    ] = False
    auth_cookie_domain: Annotated[
        CookieDomain | None,
        Doc("Share the session among the hosts of a domain; absent: this host only."),
    ] = None
    unauthenticated: Annotated[
        Literal["auto", "401", "redirect"],
        Doc(
            "Extension. Whom to send to the login: `auto` only page navigations, `redirect` "
            "everyone, `401` nobody."
        ),
    ] = "auto"

    @property
    def idle_ns(self) -> int | None:
        """How long a session may lie idle; None for as long as it lasts."""
        return self.idle_session_timeout or self.idle_session_duration

    @property
    def login_name(self) -> str:
        """What cookies and records are named after."""
        return self.auth_id or DEFAULT_AUTH_ID

    @cached_property
    def session_cookies(self) -> tuple[str, str]:
        """How the session's cookie is named on http and on https."""
        is_shared = self.auth_cookie_domain is not None
        return session_names(self.login_name, is_shared=is_shared)
