"""What is said at load about logins that are weaker than they look, or can't work."""

from __future__ import annotations

import pytest

from actions.login.lint import lint_endpoint, lint_login
from actions.login.settings import LoginSettings
from policy.exchange import Endpoint


def endpoint(url: str) -> Endpoint:
    scheme, _, host = url.partition("://")
    return Endpoint(id="ep_1", name="e", url=url, protocol=scheme, host=host, port=443)


def settings(domain: str | None) -> LoginSettings:
    return LoginSettings.model_validate({"auth_cookie_domain": domain} if domain else {})


def test_a_login_that_is_shared_is_noted() -> None:
    assert [each.code for each in lint_login(settings("example.com"))] == ["login-shared"]
    assert [*lint_login(settings(None))] == []


FOUND = {
    "https": ("https://orders.example.com", None, []),
    "http": ("http://orders.example.com", None, ["login-without-tls"]),
    "http on this machine": ("http://127.0.0.1", None, []),
    "http on any address": ("http://0.0.0.0", None, []),
    "http by name of this machine": ("http://localhost", None, []),
    "in the domain": ("https://orders.example.com", "example.com", []),
    "the domain itself": ("https://example.com", "example.com", []),
    "2241 another domain": ("https://a.example.net", "example.com", ["cookie-domain-foreign"]),
    "2241 only the same end": ("https://evilexample.com", "example.com", ["cookie-domain-foreign"]),
    "2241 below the host": ("https://example.com", "a.example.com", ["cookie-domain-foreign"]),
    "a wildcard in the domain": ("https://*.a.example.com", "example.com", []),
    "a wildcard above the domain": ("https://*.example.com", "a.example.com", []),
    "2241 another wildcard": ("https://*.example.net", "example.com", ["cookie-domain-foreign"]),
    "2241 no name at all": ("http://127.0.0.1", "example.com", ["cookie-domain-foreign"]),
}


@pytest.mark.parametrize(("url", "domain", "codes"), FOUND.values(), ids=FOUND)
def test_an_endpoint_has_to_fit_its_login(url: str, domain: str | None, codes: list[str]) -> None:
    assert [each.code for each in lint_endpoint(settings(domain), endpoint(url))] == codes
