"""Finds the secrets that an expression names, so that a missing one is known at load (T-YA-9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass

from policy.cel import syntax
from policy.cel.finding import Finding

KnownSecret = Callable[[str, str], bool]


def missing_secrets(tree: syntax.Node, is_known: KnownSecret) -> Iterator[Finding]:
    """Report every `secrets.get('vault', 'name')` of literal names for which there is no secret."""
    for call in secret_calls(tree):
        vault, name = (literal_text(argument) for argument in call.arguments)
        if vault is not None and name is not None and not is_known(vault, name):
            yield Finding(
                code="unknown-secret",
                message=f"there is no secret {name!r} in a vault {vault!r}",
                start=call.start,
                end=call.end,
                hint="declare the vault under 'secrets' in the configuration, or add the secret",
                reference="ERR_NGROK_2232",
            )


def secret_calls(node: object) -> Iterator[syntax.Call]:
    """Find the calls in a syntax tree."""
    if isinstance(node, tuple):
        for part in node:
            yield from secret_calls(part)
    elif is_dataclass(node):
        if (
            isinstance(node, syntax.Call)
            and node.function == "get"
            and isinstance(node.target, syntax.Ident)
            and node.target.name == "secrets"
            and len(node.arguments) == 2
        ):
            yield node
        for field in fields(node):
            yield from secret_calls(getattr(node, field.name))


def literal_text(node: syntax.Node) -> str | None:
    """Return the text of a string literal, None for everything else."""
    if isinstance(node, syntax.Literal) and isinstance(node.value, str):
        return node.value
    return None
