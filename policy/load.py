"""From the text of a policy document to a `Policy` that runs, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, TypeAlias

from policy import user_agent
from policy.action import Action, ActionConfig, Site
from policy.cel import Environment, Expression, ExpressionError, Finding, Part, compile_condition
from policy.cel import Limits as ExpressionLimits
from policy.compiled import CompiledAction, CompiledRule, NamedDocument, OwnPath, Policy
from policy.config import DecodedConfig, decode_config
from policy.config.secret_values import hide_secrets
from policy.config.shape import model_shape
from policy.document import (
    ACTION_HINTS,
    ActionNode,
    DocumentLimits,
    RuleNode,
    read_document,
)
from policy.phase import Phase
from policy.problem import Place, PolicyError, Problem, Severity, has_errors, sorted_problems
from policy.source import Mapping as SourceMapping
from policy.source import Node, Scalar, Sequence, read_source
from policy.stretch import Stretch, StretchWriter
from policy.variables import environment

USER_AGENT_PARTS = "req.user_agent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Which actions there are.

    `not_built` names those of the language that are missing here, each with a sentence on what
    it would do.
    """

    actions: Mapping[str, Action[Any]]
    not_built: Mapping[str, str] = field(default_factory=dict)


Progress: TypeAlias = Callable[[int, int], None]
"""Is told, after each rule, how many rules of how many in the document are compiled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What the operator's configuration means for a document.

    `ip_policies` are the names that `restrict-ips` may refer to; None when they are not known,
    as on the command line, and then any name is accepted; `known_secret(vault, name)` is None
    for the same reason. An endpoint without an upstream
    `must_answer`: its request phase may not run through to the end (2235). Loading a long
    document reports its `progress`, to whoever may be waiting.
    """

    document_limits: DocumentLimits = field(default_factory=DocumentLimits)
    expression_limits: ExpressionLimits = field(default_factory=ExpressionLimits)
    ip_policies: frozenset[str] | None = None
    must_answer: bool = False
    known_secret: Callable[[str, str], bool] | None = None
    progress: Progress | None = None


def load_policy(
    data: bytes | str, *, name: str, language: Language, options: LoadOptions | None = None
) -> Policy:
    """Read, check and compile a document; `name` is what messages call it.

    Raises PolicyError with every problem, warnings included. Warnings alone are kept in
    `Policy.warnings`.
    """
    tree = read_source(data, name=name)
    return load_policy_node(
        tree.root, name=name, language=language, options=options, problems=tree.problems
    )


def load_policy_node(
    root: Node | None,
    *,
    name: str,
    language: Language,
    options: LoadOptions | None = None,
    problems: Iterable[Problem] = (),
) -> Policy:
    """Check and compile a policy that stands at a node of a larger document.

    `problems` are those that reading has found already. Raises PolicyError.
    """
    return _Loader(name, language, options or LoadOptions(), list(problems)).load(root)


class _Loader:
    """The steps of loading one document; collects problems on the way."""

    def __init__(
        self, name: str, language: Language, options: LoadOptions, problems: list[Problem]
    ) -> None:
        self.name = name
        self.language = language
        self.options = options
        self.problems = problems
        self.owned: set[str] = set()
        self.documents: list[NamedDocument] = []
        self.sites: list[OwnPath] = []
        self.stretches: dict[Phase, Mapping[int, Stretch]] = {}
        self.rule_count = 0
        self.rules_done = 0
        self.variables: set[str] = set()

    def hide_secrets(self, node: Node | None) -> bool:
        """Hide what actions call secret, wherever they stand and whatever else is wrong.

        Tells whether anything secret stands in the document itself.
        """
        if isinstance(node, Sequence):
            in_items = [self.hide_secrets(each) for each in node.items]
            return any(in_items)
        if not isinstance(node, SourceMapping):
            return False
        found = [self.hide_secrets(each) for _, each in node.entries]
        name = node.get("type")
        action = self.language.actions.get(name.text) if isinstance(name, Scalar) else None
        if action is not None:
            config: type[ActionConfig] = action.config
            found.append(hide_secrets(node.get("config"), model_shape(config)))
        return any(found)

    def load(self, root: Node | None) -> Policy:
        """Go through all phases; raises PolicyError when any error was found."""
        holds_secrets = self.hide_secrets(root)
        if root is not None:
            place = root.source.concealed_place
            self.problems = [replace(each, place=place(each.place)) for each in self.problems]
        document = read_document(root, self.options.document_limits)
        self.problems += document.problems
        self.rule_count = sum(map(len, document.phases.values()))
        rules = {phase: self.phase(phase, nodes) for phase, nodes in document.phases.items()}
        if self.options.must_answer and not has_errors(self.problems):
            self.check_answers(rules.get(Phase.ON_HTTP_REQUEST, ()), root)
        if has_errors(self.problems):
            raise PolicyError(self.problems)
        if any(name.startswith(USER_AGENT_PARTS) for name in self.variables):
            # Its patterns take a quarter of a second to compile: no request should pay for it.
            user_agent.parser()
        return Policy(
            name=self.name,
            rules={phase: compiled for phase, compiled in rules.items() if compiled},
            stretches=self.stretches,
            owned_headers=frozenset(self.owned),
            documents=tuple(self.documents),
            own_paths=paths_of(self.sites),
            own_cookies=cookies_of(self.sites),
            warnings=sorted_problems(self.problems),
            holds_secrets=holds_secrets,
            variables=frozenset(self.variables),
        )

    def phase(self, phase: Phase, nodes: tuple[RuleNode, ...]) -> tuple[CompiledRule, ...]:
        """Compile the rules of one phase."""
        names = environment(
            phase,
            self.language.actions.values(),
            self.options.expression_limits,
            known_secret=self.options.known_secret,
            not_built=self.language.not_built,
        )
        rules: list[CompiledRule] = []
        writer = StretchWriter()
        ended_by: RuleNode | None = None
        for node in nodes:
            if ended_by is not None:
                self.report_unreachable_rule(node, ended_by)
                ended_by = None
            rule, parts = self.rule(phase, node, names)
            ends_phase = any(ends_always(step) for step in rule.actions)
            rules.append(rule)
            writer.add(parts, ends_phase=ends_phase)
            self.rules_done += 1
            if self.options.progress is not None:
                self.options.progress(self.rules_done, self.rule_count)
            if not node.expressions and ends_phase:
                ended_by = node
        self.variables |= names.variables_read
        writer.finish()
        self.stretches[phase] = writer.stretches
        return tuple(rules)

    def rule(
        self, phase: Phase, node: RuleNode, names: Environment
    ) -> tuple[CompiledRule, list[Part]]:
        """Compile one rule, and its part of a stretch; what has errors is left out of it."""
        compiled = [self.condition(scalar, names) for scalar in node.expressions]
        conditions = [each for each in compiled if each is not None]
        actions: list[CompiledAction] = []
        ended_by: str | None = None
        for action_node in node.actions:
            if ended_by is not None:
                self.error(
                    action_node.node.place(),
                    "unreachable-action",
                    f"{action_node.type!r} never runs: {ended_by!r} before it ends the phase",
                    hint=f"put it before {ended_by!r}, or remove it",
                    reference="ERR_NGROK_2207",
                )
                ended_by = None
            step = self.action(phase, action_node, names)
            if step is not None:
                actions.append(step)
                ended_by = action_node.type if ends_always(step) else None
        rule = CompiledRule(
            index=node.index,
            name=node.name,
            conditions=tuple(expression for expression, _ in conditions),
            actions=tuple(actions),
        )
        return rule, [part for _, part in conditions]

    def condition(self, scalar: Scalar, names: Environment) -> tuple[Expression, Part] | None:
        """Compile one expression of a rule; it must be a bool."""
        try:
            expression, part = compile_condition(scalar.text, names)
        except ExpressionError as error:
            self.problems += located(scalar, error.findings)
            return None
        self.problems += located(scalar, expression.warnings)
        return expression, part

    def action(self, phase: Phase, node: ActionNode, names: Environment) -> CompiledAction | None:
        """Check one action: that it exists, that it may stand here, and its configuration."""
        action = self.language.actions.get(node.type)
        if action is None:
            self.report_unknown_action(node)
            return None
        if phase not in action.phases:
            accepted = ", ".join(each.value for each in Phase if each in action.phases)
            self.error(
                node.type_node.place(),
                "action-not-in-phase",
                f"{node.type!r} can't be used in {phase.value}",
                hint=f"it can be used in {accepted}",
                reference="ERR_NGROK_2202",
            )
            return None
        if phase in action.phases_without_config and node.config is not None:
            self.error(
                node.config.place(),
                "unexpected-config",
                f"{node.type!r} takes no config in {phase.value}",
                hint="remove 'config'",
                reference="ERR_NGROK_2203",
            )
            return None
        decoded, problems = decode_config(node.config, action.config, names, owner=node.type_node)
        self.problems += problems
        if decoded is None:
            return None
        if decoded.sample is not None:
            self.examine(phase, action, decoded, decoded.sample)
            self.documents += (
                NamedDocument(request=request, place=node.type_node.place())
                for request in action.documents(decoded.sample)
            )
        step = CompiledAction(action=action, config=decoded)
        if decoded.sample is not None and action.site is not None:
            self.add_site(step, action.site, decoded)
        return step

    def add_site(self, step: CompiledAction, site: Site[Any], decoded: DecodedConfig[Any]) -> None:
        """Take note of an action with paths of its own; no two may have the same name (2239)."""
        auth_id = site.auth_id(decoded.sample)
        if any(other.auth_id == auth_id for other in self.sites):
            called = "without an 'auth_id'" if auth_id is None else f"called {auth_id!r}"
            self.error(
                decoded.places(() if auth_id is None else ("auth_id",)),
                "login-twice",
                f"there are two logins {called}",
                hint="give each its own 'auth_id', or put one login into a rule for all paths",
                reference="ERR_NGROK_2239",
            )
        self.sites.append(OwnPath(step=step, site=site, auth_id=auth_id))

    def examine(
        self, phase: Phase, action: Action[Any], decoded: DecodedConfig[Any], sample: Any
    ) -> None:
        """Ask an action about its own configuration."""
        if phase is Phase.ON_HTTP_REQUEST:
            self.owned |= action.sets_request_headers(sample)
        for lint in action.lint(sample):
            self.problems.append(lint.problem(decoded.places(lint.path)))
        known = self.options.ip_policies
        for index, wanted in enumerate(action.ip_policy_names(sample)):
            if known is not None and wanted not in known:
                close = get_close_matches(wanted, known, n=1)
                self.error(
                    decoded.places(("ip_policies", index)),
                    "unknown-ip-policy",
                    f"there is no IP policy {wanted!r}",
                    hint=f"did you mean {close[0]!r}?"
                    if close
                    else "declare it under 'ip_policies' in the configuration",
                    reference="ERR_NGROK_2216",
                )

    def check_answers(self, rules: tuple[CompiledRule, ...], root: Node | None) -> None:
        """Refuse a request phase that may run through where there is no upstream (2235)."""
        if any(
            not rule.conditions and any(ends_always(step) or answers(step) for step in rule.actions)
            for rule in rules
        ):
            return
        place = root.place() if root is not None else nowhere(self.name)
        self.error(
            place,
            "may-not-answer",
            "the endpoint has no upstream, and some requests reach the end of the policy",
            hint="add a last rule without expressions, such as {actions: [{type: deny}]}",
            reference="ERR_NGROK_2235",
        )

    def report_unknown_action(self, node: ActionNode) -> None:
        """Refuse an action type, as helpfully as its name allows."""
        place = node.type_node.place()
        if node.type in self.language.not_built:
            self.error(
                place,
                "action-not-built",
                f"the action {node.type!r} is part of the language but not supported yet",
                hint=self.language.not_built[node.type],
                reference="ERR_NGROK_2201",
            )
            return
        known = [*self.language.actions, *self.language.not_built]
        meant = ACTION_HINTS.get(node.type) or next(
            iter(get_close_matches(node.type, known, n=1)), None
        )
        self.error(
            place,
            "unknown-action",
            f"there is no action {node.type!r}",
            hint=f"did you mean {meant!r}?"
            if meant
            else f"accepted are {', '.join(sorted(self.language.actions))}",
            reference="ERR_NGROK_2201",
        )

    def report_unreachable_rule(self, node: RuleNode, ended_by: RuleNode) -> None:
        """Warn of a rule behind one that ends every request."""
        before = f"{ended_by.name!r}" if ended_by.name else f"number {ended_by.index + 1}"
        self.problems.append(
            Problem(
                code="unreachable-rule",
                message=f"this rule never runs: rule {before} ends the phase for every request",
                place=node.node.place(),
                severity=Severity.WARNING,
                hint="move it up, or give the rule before it an expression",
                reference="ERR_NGROK_2207",
            )
        )

    def error(self, place: Place, code: str, message: str, *, hint: str, reference: str) -> None:
        """Report what refuses the document."""
        self.problems.append(
            Problem(code=code, message=message, place=place, hint=hint, reference=reference)
        )


def paths_of(sites: Iterable[OwnPath]) -> dict[str, tuple[OwnPath, ...]]:
    """Return who answers by itself on which path."""
    found: dict[str, tuple[OwnPath, ...]] = {}
    for own in sites:
        for path in own.site.paths:
            found[path] = (*found.get(path, ()), own)
    return found


def cookies_of(sites: Iterable[OwnPath]) -> frozenset[str]:
    """Return the names of all cookies of the proxy's own."""
    return frozenset().union(*(own.site.cookies(own.step.config.sample) for own in sites))


def ends_always(step: CompiledAction) -> bool:
    """Tell whether an action ends the phase whatever the request is."""
    sample = step.config.sample
    return sample is not None and step.action.terminates(sample)


def answers(step: CompiledAction) -> bool:
    """Tell whether an action will do as the last word of an endpoint without upstream."""
    sample = step.config.sample
    return sample is not None and step.action.answers(sample)


def located(scalar: Scalar, findings: Iterable[Finding]) -> Iterable[Problem]:
    """Put the findings of an expression at their places in the document."""
    for finding in findings:
        yield Problem(
            code=finding.code,
            message=finding.message,
            place=scalar.place(finding.start, finding.end),
            severity=finding.severity,
            hint=finding.hint,
            reference=finding.reference,
        )


def nowhere(name: str) -> Place:
    """Return the beginning of an empty document."""
    return Place(file=name, line=1, column=1, end_column=1, source_line="")
