"""The declared names against which an expression is checked, in one phase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policy.cel.declarations import Function, Message, Variable
from policy.cel.functions import STANDARD_FUNCTIONS
from policy.cel.limits import Limits
from policy.cel.secret_references import KnownSecret
from policy.phase import Phase


class Environment:
    """Variables, functions and limits of one phase; made once and shared by all expressions.

    `variables` and `functions` name those of all phases: what belongs to another phase is
    reported as such. `hints` maps names that authors write by mistake to the remedy.
    `container` is the namespace in which names are looked up first. With `checked` false
    nothing is refused for its types or names; such mistakes fail at run time instead.
    `known_secret(vault, name)` tells which secrets there are; None where that can't be known.
    `variables_read` collects the names of the variables that expressions read.
    """

    def __init__(
        self,
        *,
        phase: Phase,
        variables: Iterable[Variable] = (),
        functions: Iterable[Function] = STANDARD_FUNCTIONS,
        messages: Iterable[Message] = (),
        limits: Limits | None = None,
        hints: Mapping[str, str] | None = None,
        container: str = "",
        checked: bool = True,
        known_secret: KnownSecret | None = None,
    ) -> None:
        self.phase = phase
        self.limits = limits or Limits()
        self.hints = dict(hints or {})
        self.container = container
        self.checked = checked
        self.known_secret = known_secret
        self.variables = {variable.name: variable for variable in variables}
        self.functions = {function.name: function for function in functions}
        self.messages = {message.name: message for message in messages}
        self.variables_read: set[str] = set()
        self.function_namespaces = {
            name.rpartition(".")[0] for name in self.functions if "." in name
        }
        self._members: dict[str, list[str]] = {}
        for name in self.variables:
            parts = name.split(".")
            for length in range(1, len(parts)):
                self._members.setdefault(".".join(parts[:length]), []).append(name)

    def members(self, namespace: str) -> list[str]:
        """Return the variables below a namespace that this phase has; empty if it is none."""
        return [
            name
            for name in self._members.get(namespace, ())
            if self.phase in self.variables[name].phases
        ]

    def is_namespace(self, name: str) -> bool:
        """Tell whether a name is the beginning of a variable's name."""
        return name in self._members

    @property
    def function_names(self) -> list[str]:
        """The names of the functions of this phase, without those accepted for other names."""
        return [
            f.name for f in self.functions.values() if f.alias_of is None and self.phase in f.phases
        ]

    @property
    def variable_names(self) -> list[str]:
        """The names of the variables of this phase."""
        return [v.name for v in self.variables.values() if self.phase in v.phases]

    def candidates(self, name: str, *, absolute: bool) -> list[str]:
        """Return the full names that a written name may mean, innermost container first."""
        if absolute or not self.container:
            return [name]
        parts = self.container.split(".")
        containers = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        return [*(f"{container}.{name}" for container in containers), name]
