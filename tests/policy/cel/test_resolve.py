"""Which variable a written name means."""

from __future__ import annotations

from tests.policy.cel.requests import value_of


def test_a_name_can_be_text_and_namespace() -> None:
    assert value_of("req.url.startsWith('https://') && req.url.path == '/admin/users'")
    assert value_of("conn.client_ip == '203.0.113.7' && !conn.client_ip.is_tor_node")


def test_a_leading_dot_skips_local_names() -> None:
    assert value_of("['a'].exists(req, .req.method == 'GET')") is True
