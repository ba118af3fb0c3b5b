"""The shape of a policy document: phases, rules and actions (language spec, sections 1.1 to 1.5).

Sloppy but unmistakable shapes are accepted with a warning; everything else is reported, all of it.
Which action types exist is decided later, against the list of actions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from policy import document_messages as messages
from policy.phase import Phase
from policy.problem import Problem, sorted_problems
from policy.source import Mapping, Node, Scalar, Sequence, is_null

ACTION_HINTS: Final = {
    "oidc": "openid-connect",
    "openid": "openid-connect",
    "webhook-validation": "verify-webhook",
    "webhook-verification": "verify-webhook",
    "add-header": "add-headers",
    "set-headers": "add-headers",
    "remove-header": "remove-headers",
    "ip-restriction": "restrict-ips",
    "ip-restrictions": "restrict-ips",
    "ip-policy": "restrict-ips",
    "compress": "compress-response",
    "compression": "compress-response",
    "rewrite": "url-rewrite",
    "rewrite-url": "url-rewrite",
    "jwt": "jwt-validation",
    "forward": "forward-internal",
    "respond": "custom-response",
    "response": "custom-response",
    "close": "close-connection",
    "block": "deny",
    "set-variables": "set-vars",
}
"""Types that authors write by mistake, and the ones that they mean."""

PHASE_KEYS: Final = tuple(phase.value for phase in Phase)
RULE_KEYS: Final = ("name", "expressions", "actions")
ACTION_KEYS: Final = ("type", "config")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """How many rules a policy and how many entries a rule may have; None: as many as fit."""

    rules: int | None = None
    entries_per_rule: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionNode:
    """One action as written; `config` is None when there is none."""

    type: str
    type_node: Scalar
    config: Node | None
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNode:
    """One rule as written. `index` counts from 0 in its phase."""

    index: int
    name: str | None
    node: Node
    expressions: tuple[Scalar, ...]
    actions: tuple[ActionNode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A policy by phases, with every problem of its shape. Phases without rules are left out.

    `phase_keys` are the keys of the phases, for their places.
    """

    phases: dict[Phase, tuple[RuleNode, ...]]
    phase_keys: dict[Phase, Scalar] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read_document(node: Node | None, limits: DocumentLimits | None = None) -> Document:
    """Read the shape of a policy; an empty document (None) is a policy without rules."""
    reader = _Reader(limits or DocumentLimits())
    if node is not None and not is_null(node):
        reader.read(node)
    return Document(
        phases=reader.phases,
        phase_keys=reader.phase_keys,
        problems=sorted_problems(reader.problems),
    )


class _Reader:
    def __init__(self, limits: DocumentLimits) -> None:
        self.limits = limits
        self.problems: list[Problem] = []
        self.phases: dict[Phase, tuple[RuleNode, ...]] = {}
        self.phase_keys: dict[Phase, Scalar] = {}

    def read(self, root: Node) -> None:
        if not isinstance(root, Mapping):
            self.problems.append(messages.document_not_map(root))
            return
        for key, node in root.entries:
            if key.text not in PHASE_KEYS:
                self.problems.append(messages.unknown_phase(key, PHASE_KEYS))
            elif not is_null(node):
                self._read_phase(Phase(key.text), key, node)
        self._check_rule_count()

    def _read_phase(self, phase: Phase, key: Scalar, node: Node) -> None:
        if isinstance(node, Mapping):
            self.problems.append(messages.phase_is_map(key))
            items: tuple[Node, ...] = (node,)
        elif isinstance(node, Sequence):
            items = node.items
        else:
            self.problems.append(messages.phase_not_list(node, phase))
            return
        rules = [self._read_rule(index, item) for index, item in enumerate(items)]
        usable = tuple(rule for rule in rules if rule is not None)
        if usable:
            self.phases[phase] = usable
            self.phase_keys[phase] = key

    def _check_rule_count(self) -> None:
        limit = self.limits.rules
        rules = [rule for phase in self.phases.values() for rule in phase]
        if limit is not None and len(rules) > limit:
            self.problems.append(messages.too_many_rules(rules[limit].node, len(rules), limit))

    # --- rules ---------------------------------------------------------------------------------

    def _read_rule(self, index: int, node: Node) -> RuleNode | None:
        if not isinstance(node, Mapping):
            self.problems.append(messages.rule_not_map(node))
            return None
        if node.get("type") is not None and node.get("actions") is None:
            return self._read_bare_action(index, node)
        for key, _ in node.entries:
            if key.text not in RULE_KEYS:
                self.problems.append(messages.unknown_rule_key(key, RULE_KEYS))
        rule = RuleNode(
            index=index,
            name=self._read_name(node),
            node=node,
            expressions=tuple(self._read_expressions(node)),
            actions=tuple(self._read_actions(node)),
        )
        self._check_entries(node)
        return rule

    def _read_bare_action(self, index: int, node: Mapping) -> RuleNode | None:
        self.problems.append(messages.rule_is_action(node))
        action = self._read_action(node)
        if action is None:
            return None
        return RuleNode(index=index, name=None, node=node, expressions=(), actions=(action,))

    def _read_name(self, rule: Mapping) -> str | None:
        name = rule.get("name")
        if name is None or is_null(name):
            return None
        if not isinstance(name, Scalar):
            self.problems.append(messages.name_not_text(name))
            return None
        # A number or boolean is as good a label as any other text.
        return name.text

    def _read_expressions(self, rule: Mapping) -> Iterator[Scalar]:
        node = rule.get("expressions")
        if node is None or is_null(node):
            return
        if isinstance(node, Scalar):
            self.problems.append(messages.expressions_not_list(node))
            return
        if isinstance(node, Mapping):
            self.problems.append(messages.expression_not_text(node))
            return
        for item in node.items:
            if isinstance(item, Scalar) and isinstance(item.value, str | bool | int | float):
                yield item
            else:
                self.problems.append(messages.expression_not_text(item))

    def _check_entries(self, rule: Mapping) -> None:
        limit = self.limits.entries_per_rule
        for key in ("expressions", "actions"):
            node = rule.get(key)
            if limit is not None and isinstance(node, Sequence) and len(node.items) > limit:
                self.problems.append(
                    messages.too_many_entries(node.items[limit], key, len(node.items), limit)
                )

    # --- actions -------------------------------------------------------------------------------

    def _read_actions(self, rule: Mapping) -> Iterator[ActionNode]:
        node = rule.get("actions")
        items: tuple[Node, ...] = ()
        if isinstance(node, Mapping):
            self.problems.append(messages.actions_is_map(rule.key("actions") or node))
            items = (node,)
        elif isinstance(node, Sequence):
            items = node.items
        elif node is not None and not is_null(node):
            self.problems.append(messages.actions_not_list(node))
            return
        if not items and not any(messages.means_actions(key) for key, _ in rule.entries):
            self.problems.append(messages.no_actions(rule.key("actions") or rule))
        for item in items:
            action = self._read_action(item)
            if action is not None:
                yield action

    def _read_action(self, node: Node) -> ActionNode | None:
        if not isinstance(node, Mapping):
            self.problems.append(messages.action_not_map(node))
            return None
        self._check_action_keys(node)
        type_node = node.get("type")
        if type_node is None or is_null(type_node):
            self.problems.append(messages.no_action_type(node))
            return None
        if not isinstance(type_node, Scalar) or not isinstance(type_node.value, str):
            self.problems.append(messages.action_type_not_text(type_node))
            return None
        config = node.get("config")
        return ActionNode(
            type=type_node.text,
            type_node=type_node,
            config=None if is_null(config) else config,
            node=node,
        )

    def _check_action_keys(self, action: Mapping) -> None:
        for key, _ in action.entries:
            if key.text == "name":
                self.problems.append(messages.action_name(key))
            elif key.text not in ACTION_KEYS:
                self.problems.append(messages.unknown_action_key(key, ACTION_KEYS))
