"""Examines one login: what its provider says, and what does not depend on the provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from actions.oauth.settings import Config as OauthSettings
from actions.oauth2.token_endpoint import Granted, NotGranted
from actions.openid_connect.settings import OpenIdSettings
from penstock.doctor import oauth, openid, saml
from penstock.doctor.credentials import check_credentials, check_probe
from penstock.doctor.finding import Finding, Verdict
from penstock.doctor.logins import Login
from penstock.doctor.network import Answer, check_clock
from penstock.doctor.registration import check_redirect_uri, redirect_uri
from proxy.fetcher import Fetcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All findings on one login, in the order of the way that a login takes."""

    login: Login
    provider: str
    redirect_uri: str
    findings: tuple[Finding, ...]

    @property
    def has_failed(self) -> bool:
        """Tell whether anything keeps people from logging in."""
        return any(each.verdict is Verdict.FAILED for each in self.findings)


async def examine(
    login: Login, fetcher: Fetcher, *, probes: bool, saml_response: str | None = None
) -> Examination:
    """Examine one login; with `probes` its credentials are tried at the provider.

    A login by SAML is shown `saml_response`, and says what it thinks of it.
    """
    uri = redirect_uri(login)
    asked = uri if probes else None
    settings = login.settings
    if isinstance(settings, OpenIdSettings):
        at_openid = await openid.gather(login, settings, fetcher, asked)
        provider = settings.issuer_url
        found: list[Finding | None] = [check(at_openid) for check in openid.CHECKS]
        answers, probed = at_openid.answers, at_openid.probe
    elif isinstance(settings, OauthSettings):
        at_oauth = await oauth.gather(login, settings, fetcher, asked)
        provider = settings.chosen_provider.title
        found = [check(at_oauth) for check in oauth.CHECKS]
        answers, probed = at_oauth.answers, at_oauth.probe
    else:
        at_saml = await saml.gather(login, settings, fetcher)
        return Examination(
            login=login,
            provider=at_saml.title,
            redirect_uri=uri,
            findings=tuple(saml.findings(at_saml, saml_response)),
        )
    found += _own_checks(login, answers, probed)
    return Examination(
        login=login, provider=provider, redirect_uri=uri, findings=tuple(_made(found))
    )


def _own_checks(
    login: Login, answers: list[Answer], probed: Granted | NotGranted | None
) -> Iterable[Finding]:
    return (
        check_clock(answers),
        check_redirect_uri(login),
        check_credentials(login),
        check_probe(login, probed),
    )


def _made(findings: Iterable[Finding | None]) -> Iterator[Finding]:
    return (each for each in findings if each is not None)
