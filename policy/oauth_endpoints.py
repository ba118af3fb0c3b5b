"""Where an OAuth provider answers, when it is not where everybody knows it to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OauthEndpoints:
    """The operator's own addresses of one provider; "" for one that is as usual.

    `authorization_url` is where browsers are sent, `tokens_url` where codes become tokens, and
    `api_url` what the paths of the provider's API are put behind. All are https, or http on a
    literal loopback address; none has a query, or a slash at its end.
    """

    authorization_url: str = ""
    tokens_url: str = ""
    api_url: str = ""
