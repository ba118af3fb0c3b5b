"""What is found about a login when its endpoint is known."""

from __future__ import annotations

import pytest

from policy.problem import PolicyError
from policy.source import parse_source
from proxy.assembly import assemble
from proxy.plan import EndpointPlan, InlinePolicy, UpstreamPlan
from proxy.settings_types import UpstreamTarget, read_public_url
from tests.proxy.serving import plan_for

POLICY = """
on_http_request:
  - actions:
      - type: openid-connect
        config:
          issuer_url: https://login.example.com
          client_id: orders
          client_secret: "${secrets.get('main', 'x')}"
          auth_cookie_domain: DOMAIN
"""


def codes(url: str, domain: str) -> list[str]:
    text = POLICY.replace("DOMAIN", domain).replace("${secrets.get('main', 'x')}", "s" * 32)
    policy = InlinePolicy(node=parse_source(text, name="p.yml"), name="p.yml")
    target = UpstreamPlan(target=UpstreamTarget("http", "127.0.0.1", 8080, ""))
    endpoint = EndpointPlan(name="orders", url=read_public_url(url), upstream=target, policy=policy)
    assembly = assemble(plan_for(8080, endpoints=(endpoint,)))
    return [each.code for each in assembly.warnings if each.code.startswith("login")]


def test_what_is_weak_is_a_warning_said_once() -> None:
    assert codes("https://orders.example.com", "example.com") == ["login-shared"]
    found = codes("http://orders.example.com", "example.com")
    assert sorted(found) == ["login-shared", "login-without-tls"]


def test_2241_what_can_t_work_is_refused_at_its_place() -> None:
    with pytest.raises(PolicyError) as refused:
        codes("https://orders.example.net", "example.com")
    [problem] = [each for each in refused.value.problems if each.code == "cookie-domain-foreign"]
    assert (problem.reference, problem.place.line) == ("ERR_NGROK_2241", 9)
