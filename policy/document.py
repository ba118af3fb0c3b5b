"""The shape of a policy document: phases, rules, expressions, actions (language spec, section 1).

Reading goes on behind every problem, so that none hides another. Shapes that older documents use
are accepted with a warning, or refused with the name of what to write instead (section 1.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from policy.phase import Phase
from policy.problem import Place, Problem, Severity
from policy.source import Mapping, Node, Scalar, Sequence, describe, is_null, why_text

# Action types that documents use by mistake, and what they mean.
ACTION_HINTS: Final = {
    "oidc": "openid-connect",
    "webhook-validation": "verify-webhook",
    "webhook-verification": "verify-webhook",
    "add-header": "add-headers",
    "remove-header": "remove-headers",
    "ip-restriction": "restrict-ips",
    "ip-restrictions": "restrict-ips",
}
FORMER_PHASES: Final = {
    "inbound": "on_http_request (on_tcp_connect on a tcp or tls endpoint)",
    "outbound": "on_http_response",
    "on_tls_request": "on_tcp_connect with the action terminate-tls",
}
PHASE_NAMES: Final = [phase.value for phase in Phase]
RULE_KEYS: Final = ["name", "expressions", "actions"]
ACTION_KEYS: Final = ["type", "config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """How many rules a phase, and entries a rule, may have; None for any number."""

    rules: int | None = None
    entries_per_rule: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionNode:
    """One action as written. `config` is None when absent or null."""

    type: str
    type_node: Scalar
    config: Node | None
    node: Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNode:
    """One rule as written. `index` counts from 0 in its phase."""

    index: int
    name: str | None
    expressions: tuple[Scalar, ...]
    actions: tuple[ActionNode, ...]
    node: Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What could be read, and everything that is wrong or doubtful, in document order."""

    phases: dict[Phase, tuple[RuleNode, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read_document(root: Node | None, limits: DocumentLimits | None = None) -> Document:
    """Read a policy from its root node; an absent root is a policy without rules."""
    reader = _Reader(limits or DocumentLimits())
    phases = reader.phases(root) if root is not None and not is_null(root) else {}
    return Document(phases=phases, problems=tuple(reader.problems))


class _Reader:
    """Collects problems while it walks the tree."""

    def __init__(self, limits: DocumentLimits) -> None:
        self.limits = limits
        self.problems: list[Problem] = []

    def phases(self, root: Node) -> dict[Phase, tuple[RuleNode, ...]]:
        """Read the top level."""
        if not isinstance(root, Mapping):
            self.error(
                root.place(),
                "not-a-policy",
                f"a policy is a map of phases, not {describe(root)}",
                hint=f"begin with a phase: {', '.join(PHASE_NAMES)}",
                reference="ERR_NGROK_2236",
            )
            return {}
        phases: dict[Phase, tuple[RuleNode, ...]] = {}
        for key, node in root.entries:
            if key.text in PHASE_NAMES:
                phases[Phase(key.text)] = tuple(self.rules(node))
            elif key.text in FORMER_PHASES:
                self.error(
                    key.place(),
                    "former-phase",
                    f"the phase {key.text!r} is no longer part of the language",
                    hint=f"write {FORMER_PHASES[key.text]}",
                    reference="ERR_NGROK_2203",
                )
            elif key.text != "enabled" or not set(FORMER_PHASES) & {
                k.text for k, _ in root.entries
            }:
                self.unknown_key(key, PHASE_NAMES, "phase")
        return phases

    def rules(self, node: Node) -> Iterator[RuleNode]:
        """Read the rules of one phase."""
        items = self.listed(node, "rules", "a phase")
        if self.limits.rules is not None and len(items) > self.limits.rules:
            self.error(
                items[self.limits.rules].place(),
                "too-many-rules",
                f"{len(items)} rules in one phase",
                hint=f"at most {self.limits.rules} are allowed",
                reference="ERR_NGROK_2264",
            )
        for index, item in enumerate(items):
            if not isinstance(item, Mapping):
                self.error(
                    item.place(),
                    "rule-not-a-map",
                    f"a rule is a map with 'actions', not {describe(item)}",
                    reference="ERR_NGROK_2203",
                )
            elif item.get("type") is not None and item.get("actions") is None:
                yield from self.bare_action(item, index)
            else:
                yield self.rule(item, index)

    def bare_action(self, node: Mapping, index: int) -> Iterator[RuleNode]:
        """Read a rule that is itself an action."""
        self.warning(
            node.place(),
            "action-in-place-of-rule",
            "an action stands where a rule is expected; it is taken as a rule of its own",
            hint="put it into the 'actions' list of a rule",
        )
        action = self.action(node)
        if action is not None:
            yield RuleNode(index=index, name=None, expressions=(), actions=(action,), node=node)

    def rule(self, node: Mapping, index: int) -> RuleNode:
        """Read one rule."""
        for key, _ in node.entries:
            if key.text == "if":
                self.error(
                    key.place(),
                    "unknown-key",
                    "'if' is not a key of a rule",
                    hint="write 'expressions' with a list of expressions",
                    reference="ERR_NGROK_2203",
                )
            elif key.text not in RULE_KEYS:
                self.unknown_key(key, RULE_KEYS, "rule")
        expressions = tuple(self.expressions(node.get("expressions")))
        actions = tuple(self.actions(node))
        self.check_size(node, "expressions", len(expressions))
        self.check_size(node, "actions", len(actions))
        return RuleNode(
            index=index,
            name=self.name(node.get("name")),
            expressions=expressions,
            actions=actions,
            node=node,
        )

    def name(self, node: Node | None) -> str | None:
        """Read a rule's label."""
        if is_null(node):
            return None
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        assert node is not None
        self.wrong_type(node, "name", "text")
        return None

    def expressions(self, node: Node | None) -> Iterator[Scalar]:
        """Read the conditions of a rule."""
        if node is None or is_null(node):
            return
        if not isinstance(node, Sequence):
            self.wrong_type(
                node, "expressions", "a list of expressions", hint="write [ ] around it"
            )
            return
        for item in node.items:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                yield item
            else:
                hint = "put the expression in quotes"
                self.wrong_type(item, "an entry of 'expressions'", "text", hint=hint)

    def actions(self, rule: Mapping) -> Iterator[ActionNode]:
        """Read the actions of a rule; there must be one."""
        node = rule.get("actions")
        items = () if node is None else self.listed(node, "actions", "'actions'")
        if not items and (node is None or is_null(node) or isinstance(node, Sequence)):
            self.error(
                (rule.key("actions") or rule).place(),
                "rule-without-action",
                "a rule needs at least one action",
                hint="add 'actions' with a list such as [{type: deny}]",
                reference="ERR_NGROK_2206",
            )
        for item in items:
            if isinstance(item, Mapping):
                action = self.action(item)
                if action is not None:
                    yield action
            else:
                hint = "write {type: ...}"
                self.wrong_type(item, "an action", "a map with 'type' and 'config'", hint=hint)

    def action(self, node: Mapping) -> ActionNode | None:
        """Read one action; None when its type can't be told."""
        for key, _ in node.entries:
            if key.text == "name":
                self.warning(
                    key.place(),
                    "name-of-action",
                    "an action has no name; it is ignored",
                    hint="name the rule instead",
                )
            elif key.text not in ACTION_KEYS:
                self.misplaced_field(key)
        type_node = node.get("type")
        if type_node is None:
            self.error(
                node.place(),
                "action-without-type",
                "an action needs a 'type'",
                hint="write for example {type: deny}",
                reference="ERR_NGROK_2201",
            )
            return None
        if not isinstance(type_node, Scalar) or not isinstance(type_node.value, str):
            self.wrong_type(type_node, "type", "the name of an action")
            return None
        config = node.get("config")
        return ActionNode(
            type=type_node.value,
            type_node=type_node,
            config=None if is_null(config) else config,
            node=node,
        )

    def misplaced_field(self, key: Scalar) -> None:
        """Refuse a key beside `type`: it is misspelt, or belongs into `config`."""
        close = get_close_matches(key.text, ACTION_KEYS, n=1)
        self.error(
            key.place(),
            "field-beside-type",
            f"{key.text!r} is not a key of an action",
            hint=f"did you mean {close[0]!r}?"
            if close
            else "fields of an action stand in 'config'",
            reference="ERR_NGROK_2203",
        )

    def listed(self, node: Node, what: str, where: str) -> tuple[Node, ...]:
        """Return the items of a list; one map is taken as a list of one."""
        match node:
            case Sequence():
                return node.items
            case Mapping():
                self.warning(
                    node.place(),
                    f"{what}-not-a-list",
                    f"{where} holds a list; this one map is taken as a list of one",
                    hint="write '- ' before it",
                )
                return (node,)
            case Scalar() if is_null(node):
                return ()
            case Scalar():
                self.wrong_type(node, where, f"a list of {what}")
                return ()

    def check_size(self, node: Mapping, key: str, count: int) -> None:
        """Hold a rule to the operator's limit."""
        limit = self.limits.entries_per_rule
        if limit is not None and count > limit:
            self.error(
                (node.key(key) or node).place(),
                f"too-many-{key}",
                f"{count} {key} in one rule",
                hint=f"at most {limit} are allowed",
                reference="ERR_NGROK_2265",
            )

    def unknown_key(self, key: Scalar, known: list[str], where: str) -> None:
        """Refuse a key, naming the nearest one that exists."""
        close = get_close_matches(key.text, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"accepted are {', '.join(known)}"
        message = f"{key.text!r} is not a {where}"
        if known is not PHASE_NAMES:
            message = f"{key.text!r} is not a key of a {where}"
        self.error(key.place(), "unknown-key", message, hint=hint, reference="ERR_NGROK_2203")

    def wrong_type(self, node: Node, what: str, accepted: str, *, hint: str | None = None) -> None:
        """Refuse a value of the wrong kind, showing how it was read."""
        self.error(
            node.place(),
            "wrong-type",
            f"{what} is {accepted}, not {describe(node)}",
            hint=why_text(node) or hint,
            reference="ERR_NGROK_2203",
        )

    def error(
        self,
        place: Place,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        reference: str | None = None,
    ) -> None:
        """Report what refuses the document."""
        self.problems.append(
            Problem(code=code, message=message, place=place, hint=hint, reference=reference)
        )

    def warning(self, place: Place, code: str, message: str, *, hint: str) -> None:
        """Report what is accepted, and how it should be written."""
        self.problems.append(
            Problem(code=code, message=message, place=place, hint=hint, severity=Severity.WARNING)
        )
