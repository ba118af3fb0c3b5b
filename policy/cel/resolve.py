"""Finds out what a written name means: a loop's element, a variable, a type, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from policy.cel import check_errors, typed
from policy.cel.environment import Environment
from policy.cel.finding import Finding
from policy.cel.hints import VARIABLE_HINTS
from policy.cel.syntax import Ident, Node, Select
from policy.cel.types import DYN, ERROR, TYPE, CelType
from policy.cel.values import TypeValue

Scope: TypeAlias = Mapping[str, CelType]

TYPE_NAMES: Final = (
    "bool", "bytes", "double", "google.protobuf.Duration", "google.protobuf.Timestamp", "int",
    "list", "map", "null_type", "string", "type", "uint",
)  # fmt: skip


@dataclass(slots=True)
class Context:
    """One check: the declarations it reads and the findings it collects."""

    environment: Environment
    findings: list[Finding] = field(default_factory=list)

    def report(self, finding: Finding) -> CelType:
        """Note a finding; the part it is about has the type that is returned."""
        self.findings.append(finding)
        return ERROR

    def failure(self, node: Node, finding: Finding) -> typed.TypedNode:
        """Report a part that can't be used; unchecked, make it fail at run time instead."""
        if not self.environment.checked:
            return typed.Failure(finding.code, finding.message, DYN, node.start, node.end)
        self.report(finding)
        return typed.Constant(None, ERROR, node.start, node.end)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a chain of names begins with, and the selections that are left over."""

    node: typed.TypedNode
    rest: tuple[Select, ...]


def resolve_chain(node: Ident | Select, scope: Scope, context: Context) -> Resolved | None:
    """Resolve `a.b.c` to the longest variable or type it begins with; None if it is no chain."""
    selects, root = _chain(node)
    if root is None:
        return None
    if not root.absolute and root.name in scope:
        local = typed.Local(root.name, scope[root.name], root.start, root.end)
        return Resolved(local, tuple(selects))
    names = [root.name, *(select.field for select in selects)]
    for length in range(len(names), 0, -1):
        written = ".".join(names[:length])
        part = selects[length - 2] if length > 1 else root
        for name in context.environment.candidates(written, absolute=root.absolute):
            found = _read(name, part, context)
            if found is not None:
                return Resolved(found, tuple(selects[length - 1 :]))
    return Resolved(_unknown(node, names, selects, context), ())


def is_name_of_nothing(node: Node, scope: Scope, context: Context) -> bool:
    """Tell whether a plain name could only be a namespace: neither local nor variable."""
    _, root = _chain(node)
    if root is None or (root.name in scope and not root.absolute):
        return False
    return root.name not in context.environment.variables


def _chain(node: Node) -> tuple[list[Select], Ident | None]:
    selects: list[Select] = []
    while isinstance(node, Select):
        selects.append(node)
        node = node.operand
    selects.reverse()
    return selects, node if isinstance(node, Ident) else None


def _read(name: str, part: Ident | Select, context: Context) -> typed.TypedNode | None:
    variable = context.environment.variables.get(name)
    if variable is None:
        if name in TYPE_NAMES:
            return typed.Constant(TypeValue(name), TYPE, part.start, part.end)
        return None
    phase = context.environment.phase
    if phase not in variable.phases:
        return context.failure(
            part,
            check_errors.not_in_phase(
                "variable", name, part.start, part.end, phase=phase, phases=variable.phases
            ),
        )
    context.environment.variables_read.add(name)
    return typed.VariableRead(variable, variable.type, part.start, part.end)


def _unknown(
    node: Ident | Select, names: list[str], selects: list[Select], context: Context
) -> typed.TypedNode:
    environment = context.environment
    full = ".".join(names)
    if environment.is_namespace(full) and environment.members(full):
        return context.failure(
            node,
            check_errors.namespace_as_value(
                full, node.start, node.end, members=environment.members(full)
            ),
        )
    # The written name ends with the first part that leads nowhere.
    length = 1
    while length < len(names) and environment.is_namespace(".".join(names[:length])):
        length += 1
    part = selects[length - 2] if length > 1 else node if not selects else _root(selects[0])
    name = ".".join(names[:length])
    finding = check_errors.unknown_variable(
        name,
        part.start,
        part.end,
        phase=environment.phase,
        known=environment.variable_names,
        hint=_hint(names, environment),
    )
    return context.failure(part, finding)


def _root(node: Node) -> Node:
    while isinstance(node, Select):
        node = node.operand
    return node


def _hint(names: list[str], environment: Environment) -> str | None:
    for length in range(len(names), 0, -1):
        written = ".".join(names[:length])
        hint = environment.hints.get(written) or VARIABLE_HINTS.get(written)
        if hint:
            return hint
    return None
