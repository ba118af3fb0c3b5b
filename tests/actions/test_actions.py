"""actions/__init__.py: every action of the language is either built or refused by name."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import actions
from actions import ACTIONS, NOT_BUILT
from policy.action import Action

LANGUAGE = {
    "add-headers", "ai-gateway", "basic-auth", "circuit-breaker", "close-connection",
    "compress-response", "custom-response", "deny", "forward-internal", "http-request",
    "jwt-validation", "log", "oauth", "openid-connect", "owasp-crs-request", "owasp-crs-response",
    "rate-limit", "redirect", "remove-headers", "request-body-find-replace",
    "response-body-find-replace", "restrict-ips", "saml", "set-vars", "sse-find-replace",
    "terminate-tls", "url-rewrite", "verify-webhook",
}  # fmt: skip


def test_every_action_of_the_language_is_accounted_for() -> None:
    assert ACTIONS.keys() | NOT_BUILT.keys() == LANGUAGE
    assert not ACTIONS.keys() & NOT_BUILT.keys()


def test_every_module_with_an_action_is_listed() -> None:
    modules = [
        importlib.import_module(f"actions.{found.name}")
        for found in pkgutil.iter_modules(actions.__path__)
    ]
    built = {module.ACTION.name for module in modules if hasattr(module, "ACTION")}
    assert built == ACTIONS.keys()


@pytest.mark.parametrize("name", ACTIONS)
def test_a_module_is_named_after_its_action(name: str) -> None:
    module = importlib.import_module(f"actions.{name.replace('-', '_')}")
    assert isinstance(module.ACTION, Action)
    assert module.__doc__ is not None
    assert module.__doc__.startswith(f"{name}: ")


@pytest.mark.parametrize("sentence", NOT_BUILT.values(), ids=NOT_BUILT)
def test_what_is_missing_is_described_in_a_sentence(sentence: str) -> None:
    assert sentence.endswith(".")
