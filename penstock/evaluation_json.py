"""The object that `penstock eval --json` promises; documented in docs/machine-formats.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from penstock.json_value import json_text, json_value
from policy.cel import SubValue
from policy.compiled import CompiledRule, Policy
from policy.evaluation import Ending, Evaluation
from policy.forwarding import ERROR_CODE_FIELD, Line
from policy.phase import Phase
from policy.trace import ActionTrace, ExpressionTrace, RuleTrace
from proxy.http1.request_head import BadRequest
from proxy.masking import masked_strings, secrets_pattern
from proxy.refusal import bad_request, refusal_body


def secrets_of(evaluation: Evaluation) -> re.Pattern[str] | None:
    """Match every credential in an evaluation: what is printed is often kept (T-LG-1)."""
    upstream, response = evaluation.upstream_request, evaluation.response
    return secrets_pattern(
        evaluation.exchange,
        () if upstream is None else upstream.headers,
        () if response is None else response.headers,
    )


def evaluation_json(
    evaluation: Evaluation, policy: Policy, secrets: re.Pattern[str] | None
) -> dict[str, object]:
    """Lay out an evaluation, without what `secrets` matches."""
    document = _document(evaluation, policy)
    for part in ("response", "upstream_request", "variables", "own_path", "trace"):
        document[part] = masked_strings(document[part], secrets)
    return document


def _document(evaluation: Evaluation, policy: Policy) -> dict[str, object]:
    decision = evaluation.decision
    response = evaluation.response
    upstream = evaluation.upstream_request
    own_path = evaluation.trace.own_path
    return {
        "outcome": evaluation.ending.value,
        "status": None if response is None else response.status_code,
        "reason": None if decision is None else decision.reason,
        "phase": None if decision is None else decision.phase.value,
        "rule": None if decision is None or decision.rule is None else rule_json(decision.rule),
        "action": None if decision is None else decision.action,
        "response": None
        if response is None
        else {
            "status": response.status_code,
            "headers": headers_json(response.headers),
            "body": json_text(response.body),
        },
        "upstream_request": None
        if upstream is None
        else {
            "method": upstream.method,
            "url": json_text(upstream.url),
            "headers": headers_json(upstream.headers),
        },
        "variables": {
            "actions": {"ngrok": json_value(evaluation.exchange.results)},
            "vars": json_value(evaluation.vars),
        },
        "would_fetch": list(evaluation.would_fetch),
        "own_path": None if own_path is None else action_json(own_path),
        "trace": list(trace_json(evaluation, policy)),
    }


def refusal_json(refusal: BadRequest) -> dict[str, object]:
    """Lay out the answer to a request that the proxy refuses before any rule."""
    answer = bad_request(refusal.status, refusal.reason)
    headers = (*answer.headers, (ERROR_CODE_FIELD, answer.error_code))
    return {
        "outcome": Ending.RESPOND.value,
        "status": answer.status,
        "reason": answer.reason,
        "phase": None,
        "rule": None,
        "action": None,
        "response": {
            "status": answer.status,
            "headers": headers_json(headers),
            "body": json_text(refusal_body(answer.status)),
        },
        "upstream_request": None,
        "variables": {"actions": {"ngrok": {}}, "vars": {}},
        "would_fetch": [],
        "own_path": None,
        "trace": [],
    }


def trace_json(evaluation: Evaluation, policy: Policy) -> Iterator[dict[str, object]]:
    """Lay out every rule of the policy in document order; `matched` is null for one not reached."""
    reached = {(rule.phase, rule.index): rule for rule in evaluation.trace.rules}
    for phase in Phase:
        for rule in policy.rules.get(phase, ()):
            yield {
                "phase": phase.value,
                "rule": rule_json(rule),
                **reached_json(reached.get((phase, rule.index)), rule),
            }


def reached_json(record: RuleTrace | None, rule: CompiledRule) -> dict[str, object]:
    """Lay out what happened to one rule."""
    if record is None:
        skipped = [condition.text for condition in rule.conditions]
        return {
            "matched": None,
            "expressions": [],
            "skipped_expressions": skipped,
            "actions": [],
        }
    return {
        "matched": record.matched,
        "expressions": [expression_json(each) for each in record.expressions],
        "skipped_expressions": list(record.skipped_expressions),
        "actions": [action_json(each) for each in record.actions],
    }


def expression_json(record: ExpressionTrace) -> dict[str, object]:
    """Lay out one evaluated expression with the values of its parts."""
    return {
        "expression": record.text,
        "value": json_value(record.value),
        "error": record.error,
        "parts": [part_json(part) for part in record.parts],
    }


def part_json(part: SubValue) -> dict[str, object]:
    """Lay out one part of an expression."""
    error = None if part.error is None else str(part.error)
    return {"text": part.text, "value": json_value(part.value), "error": error}


def action_json(record: ActionTrace) -> dict[str, object]:
    """Lay out one action that ran."""
    return {
        "type": record.type,
        "outcome": record.outcome,
        "status": record.status_code,
        "reason": record.reason,
        "checks": json_value(record.checks),
        "result": json_value(record.result),
    }


def rule_json(rule: CompiledRule) -> dict[str, object]:
    """Name a rule."""
    return {"index": rule.index, "name": rule.name}


def headers_json(lines: Iterable[Line]) -> list[list[str]]:
    """Lay out header lines in their order."""
    return [[json_text(name), json_text(value)] for name, value in lines]
