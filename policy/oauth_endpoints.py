"""Where an OAuth provider answers, when it is not where everybody knows it to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OauthEndpoints:
    """The operator's own addresses of one provider; "" for one that is as usual.

    `authorize_url` is where browsers are sent, `token_url` where codes become tokens,
    `token_info_url` where a token can be asked about, and `api_url` what the paths of the
    provider's API are put behind. All are https, or http on a literal loopback address.
    """

    authorize_url: str = ""
    token_url: str = ""
    token_info_url: str = ""
    api_url: str = ""
