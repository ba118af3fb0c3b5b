"""What `penstock eval` shows a person: the outcome, both messages, and on request every step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TypeAlias

from penstock.json_value import json_text, json_value, literal
from penstock.output import BAD, DOUBTFUL, FAINT, GOOD, STRONG, Line, Span, line
from policy.compiled import CompiledRule, Policy
from policy.engine import Decision
from policy.evaluation import ClientResponse, Ending, Evaluation, UpstreamRequest
from policy.exchange import Check
from policy.forwarding import ERROR_CODE_FIELD
from policy.phase import Phase
from policy.trace import ActionTrace, ExpressionTrace, RuleTrace
from proxy.http1.request_head import BadRequest
from proxy.masking import masked_strings, masked_text
from proxy.refusal import bad_request, refusal_body

Secrets: TypeAlias = re.Pattern[str] | None

ERROR = 400
MAX_VALUE = 120
COLOURS = {Ending.FORWARD: GOOD, Ending.RESPOND: STRONG, Ending.CLOSE: BAD}


def evaluation_lines(
    evaluation: Evaluation, policy: Policy, *, explain: bool, secrets: Secrets
) -> Iterator[Line]:
    """Lay out an evaluation; with `explain`, every rule comes first.

    What `secrets` matches is masked: the text is made to be shown to others.
    """
    for each in unmasked_lines(evaluation, policy, explain=explain, secrets=secrets):
        yield tuple(span._replace(text=masked_text(span.text, secrets)) for span in each)


def unmasked_lines(
    evaluation: Evaluation, policy: Policy, *, explain: bool, secrets: Secrets
) -> Iterator[Line]:
    """Lay out an evaluation, masked only where values are shortened."""
    if explain:
        yield from explanation_lines(evaluation, policy, secrets)
    yield from outcome_lines(evaluation)
    for url in evaluation.would_fetch:
        yield line(f"  would fetch {url}: give what is there with --jwks FILE")
    for entry in evaluation.exchange.logs:
        yield line(f"  log: {masked_literal(entry, secrets)}")
    if evaluation.upstream_request is not None:
        yield line()
        yield from upstream_request_lines(evaluation.upstream_request)
    if evaluation.response is not None:
        yield line()
        yield from response_lines(evaluation.response)


def refusal_lines(refusal: BadRequest) -> Iterator[Line]:
    """Lay out the answer to a request that the proxy refuses before any rule."""
    answer = bad_request(refusal.status, refusal.reason)
    yield line(Span(f"respond {status_text(answer.status)}", BAD), f": {answer.reason}")
    yield line("  before any rule, because the request is not acceptable as it stands")
    yield line()
    yield from response_lines(
        ClientResponse(
            status_code=answer.status,
            headers=(*answer.headers, (ERROR_CODE_FIELD, answer.error_code)),
            body=refusal_body(answer.status),
        )
    )


def outcome_lines(evaluation: Evaluation) -> Iterator[Line]:
    """Say how it ended, and which rule decided so."""
    decision, response = evaluation.decision, evaluation.response
    if decision is None or decision.reason is None:
        status = "" if response is None else f", answered {status_text(response.status_code)}"
        yield line(Span("forward", GOOD), status)
        return
    if response is None:
        yield line(Span("close the connection", BAD), f": {decision.reason}")
    else:
        colour = BAD if response.status_code >= ERROR else STRONG
        status = status_text(response.status_code)
        yield line(Span(f"respond {status}", colour), f": {decision.reason}")
    yield line(f"  {decided_by(decision)}")


def decided_by(decision: Decision) -> str:
    """Name the action and rule behind a decision."""
    where = (
        decision.phase.value if decision.rule is None else rule_title(decision.phase, decision.rule)
    )
    return f"by {decision.action} in {where}" if decision.action else f"in {where}"


def rule_title(phase: Phase, rule: CompiledRule) -> str:
    """Name a rule by its place in the document and its label."""
    name = "" if rule.name is None else f' "{rule.name}"'
    return f"{phase.value}[{rule.index}]{name}"


def status_text(status_code: int) -> str:
    """Return a status with its words, where it has any."""
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)


def upstream_request_lines(request: UpstreamRequest) -> Iterator[Line]:
    """Lay out the request as the upstream gets it."""
    yield line(Span("> ", FAINT), f"{request.method} {request.url}")
    for name, value in request.headers:
        yield line(Span("> ", FAINT), f"{name}: {value}")


def response_lines(response: ClientResponse) -> Iterator[Line]:
    """Lay out the response as the client gets it."""
    yield line(Span("< ", FAINT), status_text(response.status_code))
    for name, value in response.headers:
        yield line(Span("< ", FAINT), f"{name}: {value}")
    if response.body:
        yield line(Span("<", FAINT))
        for each in json_text(response.body).rstrip("\n").split("\n"):
            yield line(Span("< ", FAINT), each)


def explanation_lines(evaluation: Evaluation, policy: Policy, secrets: Secrets) -> Iterator[Line]:
    """Lay out every rule of the policy: what its expressions saw, what its actions did."""
    own_path = evaluation.trace.own_path
    if own_path is not None:
        yield line(Span("a path of its own", STRONG), ": ", Span("before the rules", GOOD))
        yield from action_lines(own_path, secrets)
    reached = {(record.phase, record.index): record for record in evaluation.trace.rules}
    for phase in Phase:
        for rule in policy.rules.get(phase, ()):
            record = reached.get((phase, rule.index))
            title = rule_title(phase, rule)
            if record is None:
                yield line(Span(f"{title}: not reached", FAINT))
                continue
            yield line(Span(title, STRONG), ": ", verdict(record))
            yield from rule_lines(record, secrets)
    if evaluation.vars:
        yield line("vars")
        yield from value_lines(evaluation.vars.items(), indent=2, secrets=secrets)
    yield line()


def verdict(record: RuleTrace) -> Span:
    """Say whether a rule matched, and why not."""
    if any(expression.error is not None for expression in record.expressions):
        return Span("failed", BAD)
    if not record.matched:
        return Span("not matched", DOUBTFUL)
    return Span("matched" if record.expressions else "matched, it has no expressions", GOOD)


def rule_lines(record: RuleTrace, secrets: Secrets) -> Iterator[Line]:
    """Lay out the steps of a rule that was reached."""
    for expression in record.expressions:
        yield from expression_lines(expression, secrets)
    for text in record.skipped_expressions:
        yield line(Span(f"  {text}  not evaluated", FAINT))
    for action in record.actions:
        yield from action_lines(action, secrets)


def expression_lines(record: ExpressionTrace, secrets: Secrets) -> Iterator[Line]:
    """Lay out one expression and below it its parts."""
    value = Span(f"failed: {record.error}", BAD) if record.error else truth(record.value)
    yield line(f"  {one_line(record.text)}  is ", value)
    yield from value_lines(telling_parts(record), indent=6, secrets=secrets)


def telling_parts(record: ExpressionTrace) -> list[tuple[str, object]]:
    """Return the parts that say something: not the whole, not twice, not what stands there."""
    parts: dict[str, object] = {}
    for part in record.parts:
        text = one_line(part.text)
        value = Failed(str(part.error)) if part.error else part.value
        if text not in (one_line(record.text), literal(value)):
            parts.setdefault(text, value)
    return [(text, value) for text, value in parts.items() if not is_only_read_from(text, parts)]


def is_only_read_from(text: str, parts: Mapping[str, object]) -> bool:
    """Tell whether a part is a map out of which other parts take what they need."""
    inside = (f"{text}.", f"{text}[")
    return isinstance(parts[text], Mapping) and any(each.startswith(inside) for each in parts)


class Failed(str):
    """The message of a part that has no value."""

    __slots__ = ()


def value_lines(
    values: Iterable[tuple[str, object]], *, indent: int, secrets: Secrets
) -> Iterator[Line]:
    """Lay out names and their values, the values one below the other."""
    listed = list(values)
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        shown = f"failed: {value}" if isinstance(value, Failed) else masked_literal(value, secrets)
        yield line(
            f"{'':{indent}}{name:<{width}}  ", Span(shortened(masked_text(shown, secrets)), FAINT)
        )


def masked_literal(value: object, secrets: Secrets) -> str:
    """Write a value down; text is masked before its quotes and backslashes are escaped."""
    if secrets is not None and isinstance(value, (str, Mapping, list, tuple)):
        value = masked_strings(json_value(value), secrets)
    return literal(value)


def truth(value: object) -> Span:
    """Show what an expression came to."""
    return Span(literal(value), GOOD if value else DOUBTFUL)


def one_line(text: str) -> str:
    """Fold an expression that is written over several lines."""
    return " ".join(text.split())


def shortened(text: str) -> str:
    """Cut a value that would fill the screen."""
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}... ({len(text)} characters)"


def action_lines(record: ActionTrace, secrets: Secrets) -> Iterator[Line]:
    """Lay out one action that ran, and its result."""
    outcome = {"continue": "continue", "close": f"close: {record.reason}"}.get(
        record.outcome, f"respond {record.status_code}: {record.reason}"
    )
    yield line("  -> ", Span(record.type, STRONG), f": {outcome}")
    yield from check_lines(record.checks)
    yield from value_lines(result_fields(record.result), indent=6, secrets=secrets)


def check_lines(checks: Iterable[Check]) -> Iterator[Line]:
    """Lay out what an action looked at, and what of it was not in order."""
    listed = list(checks)
    width = max((len(check.subject) for check in listed), default=0)
    for check in listed:
        mark = Span("ok ", GOOD) if check.passed else Span("no ", BAD)
        yield line("      ", mark, f" {check.subject:<{width}}  ", Span(check.detail, FAINT))


def result_fields(result: object) -> Iterator[tuple[str, object]]:
    """Return the variables that an action left behind, as far as they are set."""
    names: Iterable[str] = getattr(result, "__dataclass_fields__", {})
    values = ((name, getattr(result, name)) for name in names)
    return ((name, value) for name, value in values if value is not None)
