"""`getReqCookie` and `getResCookie`: the first cookie of a name, or a zero cookie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from policy.cel import Function, Overload
from policy.cel.types import STRING
from policy.cookies import ABSENT, Cookie
from policy.phase import HTTP_PHASES, RESPONSE_PHASES
from policy.variables.types import COOKIE


class Cookies(Protocol):
    """The attributes of an activation that these functions read."""

    req_cookies: Mapping[str, list[Cookie]]
    res_cookies: Mapping[str, list[Cookie]]


def request_cookie(values: Cookies, name: str) -> Cookie:
    """Return the first cookie of a name, in the order sent."""
    found = values.req_cookies.get(name)
    return found[0] if found else ABSENT


def response_cookie(values: Cookies, name: str) -> Cookie:
    """Return the cookie of a name with the longest path."""
    found = values.res_cookies.get(name)
    return found[0] if found else ABSENT


COOKIE_FUNCTIONS: Final = (
    Function(
        name="getReqCookie",
        doc="The first request cookie of a name; without it a cookie of empty fields.",
        overloads=(
            Overload(parameters=(STRING,), result=COOKIE, call=request_cookie, raises=False),
        ),
        phases=HTTP_PHASES,
        needs_activation=True,
    ),
    Function(
        name="getResCookie",
        doc="The response cookie of a name with the longest path; without it empty fields.",
        overloads=(
            Overload(parameters=(STRING,), result=COOKIE, call=response_cookie, raises=False),
        ),
        phases=RESPONSE_PHASES,
        needs_activation=True,
    ),
)
