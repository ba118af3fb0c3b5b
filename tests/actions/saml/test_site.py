from __future__ import annotations

import pytest
from lxml import etree

from actions.saml.service_metadata import render_service_metadata
from actions.saml.settings import Config
from actions.saml.site import SITE
from tests.actions.login.rig import Browser, Site, field_of, reason, status
from tests.actions.saml.rig import ORIGIN, policy, site
from tests.saml import service


def test_our_metadata_is_there_for_everybody() -> None:
    answer = Browser(site()).get("/ngrok/saml/metadata")
    assert answer.response is not None
    assert (status(answer), reason(answer)) == (200, "saml-metadata")
    assert answer.response.body == render_service_metadata(service(signs_requests=True))
    assert field_of(answer, "content-type") == "application/samlmetadata+xml"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_can_only_be_read(method: str) -> None:
    answer = Browser(site()).ask(method, "/ngrok/saml/metadata")
    assert (status(answer), field_of(answer, "allow")) == (405, "GET, HEAD")


def test_each_of_several_logins_has_its_own_addresses() -> None:
    first, second = (policy(auth_id=each) for each in ("one", "two"))
    rules = first[: first.rindex("]")] + "," + second[second.index("[") + 1 :]
    alice = Browser(Site(rules, url=ORIGIN))
    for each in ("one", "two"):
        answer = alice.get(f"/ngrok/saml/metadata?auth_id={each}")
        assert answer.response is not None
        root = etree.fromstring(answer.response.body)
        own = f"{ORIGIN}/ngrok/saml/%s?auth_id={each}"
        assert root.get("entityID") == own % "metadata"
        assert [element.get("Location") for element in root[0] if element.get("Location")] == [
            own % "slo", own % "slo", own % "acs",
        ]  # fmt: skip
    assert status(alice.get("/ngrok/saml/metadata?auth_id=three")) == 404


def test_the_callback_of_other_logins_is_not_ours() -> None:
    answer = Browser(site()).get("/ngrok/oauth2/callback?state=x")
    assert status(answer) == 302
    assert reason(answer) == "login-required"


@pytest.mark.parametrize(
    ("url", "codes"),
    [
        ("https://app.example.com", []),
        ("http://app.example.com", ["login-without-tls", "saml-needs-https"]),
        ("http://127.0.0.1:4000", []),
        ("http://localhost:4000", []),
    ],
)
def test_plain_http_is_told_of_at_load(url: str, codes: list[str]) -> None:
    config = Config.model_validate({"idp_metadata_url": "https://idp.example.com/"})
    endpoint = Site(policy(), url=url).endpoint
    assert [each.code for each in SITE.lint_endpoint(config, endpoint)] == codes
