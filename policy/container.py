"""Finds the policies inside larger documents (language spec, section 1.1).

An agent's configuration, a Kubernetes object and an API's request each hold policies at places of
their own. A policy that stands there as text is read too, with places in the outer file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy import container_messages as messages
from policy.document import PHASE_KEYS
from policy.problem import PolicyError, Problem
from policy.source import Mapping, Node, Scalar, Sequence, is_null, parse_embedded

# What a policy itself, or the old form of one, has at its top.
_POLICY_KEYS: Final = frozenset({*PHASE_KEYS, "inbound", "outbound", "on_tls_request"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainedPolicy:
    """One policy: `path` leads to it in the document ("" for the whole), `root` is its top.

    `problems` are those that reading it from a text has found.
    """

    path: str
    root: Node | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReference:
    """A policy that stands elsewhere: in a file (`is_file`) or under another object's name."""

    path: str
    target: Scalar
    is_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contained:
    """Everything about policies that a document holds, in its order."""

    policies: tuple[ContainedPolicy, ...] = ()
    references: tuple[PolicyReference, ...] = ()
    problems: tuple[Problem, ...] = ()


def find_policies(root: Node | None) -> Contained:
    """Find the policies of a document. What is no known container is taken as a policy itself."""
    found = _Found()
    if not isinstance(root, Mapping) or any(key.text in _POLICY_KEYS for key, _ in root.entries):
        found.policies.append(ContainedPolicy(path="", root=root))
    else:
        _search(root, found)
    return Contained(
        policies=tuple(found.policies),
        references=tuple(found.references),
        problems=tuple(found.problems),
    )


class _Found:
    """What the search has found so far."""

    def __init__(self) -> None:
        self.policies: list[ContainedPolicy] = []
        self.references: list[PolicyReference] = []
        self.problems: list[Problem] = []

    def policy(self, node: Node | None, path: str) -> None:
        """Take a policy, from its text where it stands as one."""
        if node is None or is_null(node):
            return
        if not isinstance(node, Scalar):
            self.policies.append(ContainedPolicy(path=path, root=node))
            return
        if not isinstance(node.value, str):
            self.problems.append(messages.policy_not_text(node, path))
            return
        try:
            tree = parse_embedded(node)
        except PolicyError as error:
            self.problems += error.problems
            return
        self.policies.append(ContainedPolicy(path=path, root=tree.root, problems=tree.problems))

    def reference(self, node: Node | None, path: str, *, is_file: bool) -> None:
        """Take the name of a file or object that holds the policy."""
        if node is None or is_null(node):
            return
        if isinstance(node, Scalar) and isinstance(node.value, str):
            self.references.append(PolicyReference(path=path, target=node, is_file=is_file))
        else:
            self.problems.append(messages.reference_not_text(node, path))


def _search(root: Mapping, found: _Found) -> None:
    if _is_kubernetes(root):
        _search_kubernetes(root, found)
    elif isinstance(root.get("endpoints"), Sequence):
        _search_agent_v3(root, found)
    elif isinstance(root.get("tunnels"), Mapping):
        _search_agent_v2(root, found)
    elif root.key("traffic_policy"):
        found.policy(root.get("traffic_policy"), "traffic_policy")
    elif {key.text for key, _ in root.entries} <= {"enabled", "value"} and root.key("value"):
        _search_edge_module(root, found)
    else:
        found.policies.append(ContainedPolicy(path="", root=root))


# --- agent -------------------------------------------------------------------------------------


def _search_agent_v3(root: Mapping, found: _Found) -> None:
    for index, endpoint in enumerate(_items(root.get("endpoints"))):
        if isinstance(endpoint, Mapping):
            path = f"endpoints[{index}]"
            _inline_or_file(endpoint, path, ("traffic_policy",), found)


def _search_agent_v2(root: Mapping, found: _Found) -> None:
    tunnels = root.get("tunnels")
    for name, tunnel in tunnels.entries if isinstance(tunnels, Mapping) else ():
        if isinstance(tunnel, Mapping):
            path = f"tunnels.{name.text}"
            _inline_or_file(tunnel, path, ("traffic_policy", "policy"), found)


def _inline_or_file(holder: Mapping, path: str, names: tuple[str, ...], found: _Found) -> None:
    given = [name for name in (*names, "traffic_policy_file") if not is_null(holder.get(name))]
    if len(given) > 1:
        key = holder.key(given[1])
        found.problems.append(messages.given_twice(key or holder, given))
    for name in given:
        child = holder.get(name)
        if name == "traffic_policy_file":
            found.reference(child, f"{path}.{name}", is_file=True)
        else:
            found.policy(child, f"{path}.{name}")


def _items(node: Node | None) -> Iterator[Node]:
    yield from node.items if isinstance(node, Sequence) else ()


# --- edge module -------------------------------------------------------------------------------


def _search_edge_module(root: Mapping, found: _Found) -> None:
    enabled = root.get("enabled")
    if isinstance(enabled, Scalar) and enabled.value is False:
        found.problems.append(messages.module_disabled(enabled))
        return
    found.policy(root.get("value"), "value")


# --- Kubernetes --------------------------------------------------------------------------------


def _is_kubernetes(root: Mapping) -> bool:
    return bool(root.key("apiVersion") and root.key("kind"))


def _search_kubernetes(root: Mapping, found: _Found) -> None:
    kind = root.get("kind")
    spec = root.get("spec")
    name = kind.text if isinstance(kind, Scalar) else ""
    if name not in _KINDS:
        found.problems.append(messages.unknown_kind(kind or root, name, tuple(_KINDS)))
    elif not isinstance(spec, Mapping):
        found.problems.append(messages.no_policy_in_object(root, name))
    else:
        _KINDS[name](root, spec, found)


def _traffic_policy_object(root: Mapping, spec: Mapping, found: _Found) -> None:
    if is_null(spec.get("policy")):
        found.problems.append(messages.no_policy_in_object(root, "NgrokTrafficPolicy"))
    found.policy(spec.get("policy"), "spec.policy")


def _cloud_endpoint(_root: Mapping, spec: Mapping, found: _Found) -> None:
    inline, name = spec.get("trafficPolicy"), spec.get("trafficPolicyName")
    if not is_null(inline) and not is_null(name):
        names = ["trafficPolicy", "trafficPolicyName"]
        found.problems.append(messages.given_twice(spec.key("trafficPolicyName") or spec, names))
    if isinstance(inline, Mapping):
        found.policy(inline.get("policy"), "spec.trafficPolicy.policy")
    found.reference(name, "spec.trafficPolicyName", is_file=False)


def _agent_endpoint(_root: Mapping, spec: Mapping, found: _Found) -> None:
    policy = spec.get("trafficPolicy")
    if not isinstance(policy, Mapping):
        return
    inline, target = policy.get("inline"), policy.get("targetRef")
    if not is_null(inline) and not is_null(target):
        names = ["inline", "targetRef"]
        found.problems.append(messages.given_twice(policy.key("targetRef") or policy, names))
    found.policy(inline, "spec.trafficPolicy.inline")
    if isinstance(target, Mapping):
        found.reference(target.get("name"), "spec.trafficPolicy.targetRef.name", is_file=False)


_KINDS: Final = {
    "NgrokTrafficPolicy": _traffic_policy_object,
    "CloudEndpoint": _cloud_endpoint,
    "AgentEndpoint": _agent_endpoint,
}
