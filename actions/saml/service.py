"""Ourselves, as a configuration and the endpoint's public URL make us."""

from __future__ import annotations

from actions.login.paths import with_auth_id
from actions.login.public_origin import PublicOrigin, public_origin
from actions.saml.parties import ServiceProvider
from actions.saml.paths import ASSERTION_CONSUMER, METADATA, SINGLE_LOGOUT
from actions.saml.settings import Config, certificate_octets
from policy.exchange import Exchange


def origin_of(exchange: Exchange) -> PublicOrigin:
    """Return the public origin of a request that a login looks at: there is one by then."""
    origin = public_origin(exchange)
    assert origin is not None
    return origin


def service_of(config: Config, exchange: Exchange) -> ServiceProvider:
    """Return who we are in this exchange."""
    return service_at(config, origin_of(exchange).text)


def service_at(config: Config, origin: str) -> ServiceProvider:
    """Return who we are at a public origin, such as `https://app.example.com`."""
    key, certificate = config.sp_private_key, config.sp_certificate
    return ServiceProvider(
        entity_id=config.entity_id or own_url(config, origin, METADATA),
        assertion_url=own_url(config, origin, ASSERTION_CONSUMER),
        logout_url=own_url(config, origin, SINGLE_LOGOUT),
        private_key=None if key is None else key.encode("ascii"),
        certificate=None if certificate is None else certificate_octets(certificate),
        signs_requests=config.signs_requests,
        name_id_format=config.nameid_format,
        wants_assertions_signed=config.want_assertions_signed,
        wants_responses_signed=config.want_responses_signed,
        allows_cbc=config.allow_cbc_encryption,
        clock_skew_ns=config.clock_skew,
    )


def own_url(config: Config, origin: str, path: str) -> str:
    """Return one of our addresses, as the provider has to know it."""
    return origin + with_auth_id(path, config.auth_id)
