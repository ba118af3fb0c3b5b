"""Every message about the shape of a policy document: what was found, and what to write."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from policy.phase import Phase
from policy.problem import Problem, Severity
from policy.source import Mapping, Node, Scalar, describe

UNPARSABLE: Final = "ERR_NGROK_2236"
WRONG_FIELD: Final = "ERR_NGROK_2203"
NO_ACTION: Final = "ERR_NGROK_2206"
TOO_MANY_RULES: Final = "ERR_NGROK_2264"
TOO_MANY_ENTRIES: Final = "ERR_NGROK_2265"

# Keys that stand for phases elsewhere, or did in the past.
_PHASE_HINTS: Final = {
    "inbound": (
        "old-phase",
        "is the old name of a phase",
        "write 'on_http_request' ('on_tcp_connect' on a TCP or TLS endpoint)",
    ),
    "outbound": ("old-phase", "is the old name of a phase", "write 'on_http_response'"),
    "on_tls_request": (
        "unknown-phase",
        "is not a phase",
        "write 'on_tcp_connect' with the action 'terminate-tls'",
    ),
    "enabled": (
        "unknown-phase",
        "belongs to the old form of policies",
        "drop it; a policy without rules does nothing",
    ),
    "actions": (
        "unknown-phase",
        "belongs into a rule of a phase",
        "write 'on_http_request:' above it, and '- ' before it",
    ),
    "expressions": (
        "unknown-phase",
        "belongs into a rule of a phase",
        "write 'on_http_request:' above it, and '- ' before it",
    ),
    "traffic_policy": (
        "unknown-phase",
        "is the key of a policy inside another document",
        "put the phases at the top of the file",
    ),
}
_RULE_HINTS: Final = {
    "if": "write 'expressions' with a list of expressions",
    "when": "write 'expressions' with a list of expressions",
    "condition": "write 'expressions' with a list of expressions",
    "conditions": "write 'expressions' with a list of expressions",
    "match": "write 'expressions' with a list of expressions",
    "config": "'config' belongs to an action: put '- type: ...' before it, under 'actions'",
    "then": "write 'actions' with a list of actions",
    "do": "write 'actions' with a list of actions",
}


# --- the document ------------------------------------------------------------------------------


def document_not_map(node: Node) -> Problem:
    """Report a document whose top is no map of phases."""
    return Problem(
        code="document-shape",
        message=f"a policy is a map of phases, found {describe(node)}",
        place=node.place(),
        hint="begin with 'on_http_request:' and put the rules below it, indented",
        reference=UNPARSABLE,
    )


def unknown_phase(key: Scalar, known: tuple[str, ...]) -> Problem:
    """Report a top-level key that is no phase."""
    code, message, hint = _PHASE_HINTS.get(
        key.text,
        ("unknown-phase", "is not a phase", near(key.text, known) or all_of("phases", known)),
    )
    return Problem(
        code=code,
        message=f"{key.text!r} {message}",
        place=key.place(),
        hint=hint,
        reference=UNPARSABLE,
    )


def phase_is_map(key: Scalar) -> Problem:
    """Warn of a phase that holds one rule instead of a list."""
    return _warning(
        "phase-is-map",
        f"{key.text!r} holds one rule, not a list of rules",
        key,
        "put '- ' before the rule",
    )


def phase_not_list(node: Node, phase: Phase) -> Problem:
    """Report a phase that holds no rules at all."""
    return Problem(
        code="phase-shape",
        message=f"{phase.value} is a list of rules, found {describe(node)}",
        place=node.place(),
        hint="put each rule below it, indented, behind '- '",
        reference=UNPARSABLE,
    )


def too_many_rules(node: Node, count: int, limit: int) -> Problem:
    """Report more rules than the limit; the place is that of the first beyond it."""
    return Problem(
        code="too-many-rules",
        message=f"the policy has {count} rules; at most {limit} are accepted",
        place=node.place(),
        reference=TOO_MANY_RULES,
    )


# --- rules -------------------------------------------------------------------------------------


def rule_not_map(node: Node) -> Problem:
    """Report a rule that is no map."""
    return Problem(
        code="rule-shape",
        message=f"a rule is a map with 'actions', found {describe(node)}",
        place=node.place(),
        hint="write '- actions:' and put the actions below it, indented",
        reference=UNPARSABLE,
    )


def rule_is_action(node: Mapping) -> Problem:
    """Warn of an action in the place of a rule."""
    return _warning(
        "rule-is-action",
        "an action stands where a rule is expected; it is taken as a rule without conditions",
        node.key("type") or node,
        "write '- actions:' above it and indent it",
    )


def unknown_rule_key(key: Scalar, known: tuple[str, ...]) -> Problem:
    """Report a key that a rule does not have."""
    hint = _RULE_HINTS.get(key.text) or near(key.text, known) or all_of("keys", known)
    return Problem(
        code="unknown-key",
        message=f"a rule has no {key.text!r}",
        place=key.place(),
        hint=hint,
        reference=WRONG_FIELD,
    )


def means_actions(key: Scalar) -> bool:
    """Tell whether an unknown key of a rule stands for its actions, and is reported as that."""
    if key.text in ("name", "expressions", "actions"):
        return False
    hint = _RULE_HINTS.get(key.text) or near(key.text, ("name", "expressions", "actions"))
    return hint is not None and "'actions'" in hint and key.text != "config"


def name_not_text(node: Node) -> Problem:
    """Report a rule's name that is a list or map."""
    return Problem(
        code="wrong-type",
        message=f"a rule's name is text, found {describe(node)}",
        place=node.place(),
        reference=WRONG_FIELD,
    )


def expressions_not_list(node: Scalar) -> Problem:
    """Report one expression where a list of them belongs."""
    return Problem(
        code="wrong-type",
        message=f"'expressions' is a list, found {describe(node)}",
        place=node.place(),
        hint="put it on a line of its own, behind '- '",
        reference=WRONG_FIELD,
    )


def expression_not_text(node: Node) -> Problem:
    """Report an expression that YAML did not read as text."""
    hint = 'put the expression in quotes: - "..."'
    if isinstance(node, Scalar) and not node.text:
        hint = "write an expression behind '- ', or drop the line"
    return Problem(
        code="wrong-type",
        message=f"an expression is text, found {describe(node)}",
        place=node.place(),
        hint=hint,
        reference=WRONG_FIELD,
    )


def too_many_entries(node: Node, key: str, count: int, limit: int) -> Problem:
    """Report more expressions or actions than the limit."""
    return Problem(
        code="too-many-entries",
        message=f"the rule has {count} {key}; at most {limit} are accepted",
        place=node.place(),
        reference=TOO_MANY_ENTRIES,
    )


# --- actions -----------------------------------------------------------------------------------


def no_actions(node: Node) -> Problem:
    """Report a rule that does nothing."""
    return Problem(
        code="no-actions",
        message="a rule needs at least one action",
        place=node.place(),
        hint="put '- type: ...' below 'actions:', indented",
        reference=NO_ACTION,
    )


def actions_is_map(node: Node) -> Problem:
    """Warn of one action instead of a list."""
    return _warning(
        "actions-is-map",
        "'actions' holds one action, not a list of actions",
        node,
        "put '- ' before 'type'",
    )


def actions_not_list(node: Node) -> Problem:
    """Report actions that are neither list nor map."""
    hint = "put '- type: ...' below 'actions:', indented"
    if isinstance(node, Scalar):
        hint = f"put '- type: {node.text}' below 'actions:', indented"
    return Problem(
        code="wrong-type",
        message=f"'actions' is a list, found {describe(node)}",
        place=node.place(),
        hint=hint,
        reference=WRONG_FIELD,
    )


def action_not_map(node: Node) -> Problem:
    """Report an action that is no map."""
    hint = None
    if isinstance(node, Scalar) and node.text:
        hint = f"write '- type: {node.text}'"
    return Problem(
        code="action-shape",
        message=f"an action is a map with 'type', found {describe(node)}",
        place=node.place(),
        hint=hint or "write '- type: ...'",
        reference=WRONG_FIELD,
    )


def no_action_type(node: Mapping) -> Problem:
    """Report an action that does not say which."""
    return Problem(
        code="no-action-type",
        message="an action needs a 'type'",
        place=(node.key("type") or node).place(),
        hint="write '- type: ...', with 'config' on the next line",
        reference=WRONG_FIELD,
    )


def action_type_not_text(node: Node) -> Problem:
    """Report a type that is no text."""
    return Problem(
        code="wrong-type",
        message=f"the type of an action is text, found {describe(node)}",
        place=node.place(),
        reference=WRONG_FIELD,
    )


def action_name(key: Scalar) -> Problem:
    """Warn of a name that has no meaning here."""
    return _warning(
        "action-name",
        "an action has no 'name'; it is ignored",
        key,
        "give the name to the rule",
    )


def unknown_action_key(key: Scalar, known: tuple[str, ...]) -> Problem:
    """Report a key beside `type`: most likely a field of the configuration."""
    hint = near(key.text, known) or f"put {key.text!r} below 'config:', indented"
    return Problem(
        code="unknown-key",
        message=f"an action has no {key.text!r} beside 'type' and 'config'",
        place=key.place(),
        hint=hint,
        reference=WRONG_FIELD,
    )


# --- words -------------------------------------------------------------------------------------


def near(name: str, known: tuple[str, ...]) -> str | None:
    """Return the remedy that names the nearest known name, None when none is near."""
    plain = name.lower().replace("-", "_")
    found = get_close_matches(plain, known, n=1, cutoff=0.7)
    return f"did you mean {found[0]!r}?" if found else None


def all_of(what: str, known: tuple[str, ...]) -> str:
    """Return the remedy that names everything that is accepted."""
    return f"the {what} are {', '.join(known)}"


def _warning(code: str, message: str, node: Node, hint: str) -> Problem:
    return Problem(
        code=code, message=message, place=node.place(), severity=Severity.WARNING, hint=hint
    )
