"""Every message about an expression that is refused or doubted at load, in one place.

Codes are stable. A message says what was found against what is accepted; the hint says what to
do about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from policy.cel.declarations import Doubt, InvalidConstantError
from policy.cel.finding import Finding
from policy.cel.literals import plain_body_start
from policy.cel.types import CelType
from policy.phase import Phase
from policy.problem import Severity

# --- text and syntax


def expression_too_long(length: int, limit: int) -> Finding:
    return Finding(
        code="expression-too-long",
        message=f"the expression has {length} characters; at most {limit} are accepted",
        start=0,
        end=limit,
        hint="split it over several expressions: a rule's expressions are joined with 'and'",
    )


def expression_too_big(start: int, limit: int) -> Finding:
    return Finding(
        code="expression-too-big",
        message=f"the expression has more than {limit} parts",
        start=start,
        end=start + 1,
        hint="split it over several expressions, or test a list with 'in'",
    )


def brackets_too_deep(start: int, limit: int) -> Finding:
    return Finding(
        code="expression-too-deep",
        message=f"brackets are nested deeper than {limit} levels",
        start=start,
        end=start + 1,
    )


def tree_too_deep(end: int, limit: int) -> Finding:
    return Finding(
        code="expression-too-deep",
        message=f"the expression is nested deeper than {limit} levels",
        start=0,
        end=end,
        hint="join texts with [...].join(), and set parts of it with set-vars",
    )


def no_statements(word: str, start: int, end: int) -> Finding:
    return Finding(
        code="syntax-error",
        message=f"{word!r} is no part of an expression",
        start=start,
        end=end,
        hint="an expression has no variables of its own; use the set-vars action",
    )


def unexpected_character(character: str, start: int) -> Finding:
    hints = {
        "=": "compare with '=='",
        "&": "write '&&'",
        "|": "write '||'",
        ";": "an expression has no statements",
        "`": "quote strings with ' or \"",
        "#": "a comment begins with '//'",
    }
    return Finding(
        code="syntax-error",
        message=f"unexpected character {character!r}",
        start=start,
        end=start + 1,
        hint=hints.get(character),
    )


def unterminated_string(start: int, end: int) -> Finding:
    return Finding(
        code="syntax-error",
        message="the string that begins here is not closed",
        start=start,
        end=end,
    )


def malformed_number(text: str, start: int, end: int) -> Finding:
    return Finding(
        code="syntax-error",
        message=f"{text!r} is not a number",
        start=start,
        end=end,
        hint="numbers look like 10, 0x1f, 10u, 1.5 and 1e3; put quotes around text",
    )


def bad_literal(message: str, start: int, end: int) -> Finding:
    return Finding(code="syntax-error", message=message, start=start, end=end)


def interpolation_in_string(start: int, end: int) -> Finding:
    return Finding(
        code="interpolation-in-string",
        message="'${' inside a string of an expression is not replaced by a value",
        start=start,
        end=end,
        hint="join with '+': 'a' + vars.x; for these two characters themselves write '$' + '{'",
    )


def interpolation_in_expression(start: int, end: int) -> Finding:
    return Finding(
        code="needless-interpolation",
        message="an expression needs no '${...}'",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint="write the expression without '${' and '}'",
    )


def empty_expression(end: int) -> Finding:
    return Finding(code="syntax-error", message="the expression is empty", start=0, end=end)


def unexpected_token(text: str, start: int, end: int, *, wants_value: bool) -> Finding:
    hints = {
        "for": "loop over a list with list.map(x, ...) or list.filter(x, ...)",
        "and": "write '&&'",
        "or": "write '||'",
        "not": "write '!'",
        "if": "write 'condition ? a : b'",
    }
    wanted = "a value" if wants_value else "an operator or the end"
    return Finding(
        code="syntax-error",
        message=f"unexpected {text!r}; expected {wanted}",
        start=start,
        end=end,
        hint=hints.get(text),
    )


def unclosed_bracket(start: int, end: int) -> Finding:
    return Finding(
        code="syntax-error",
        message="the bracket that opens here is not closed",
        start=start,
        end=end,
    )


def unexpected_end(end: int, *, wants_value: bool) -> Finding:
    wanted = "a value" if wants_value else "':' and what to give otherwise"
    return Finding(
        code="syntax-error",
        message=f"the expression ends too early; expected {wanted}",
        start=end,
        end=end,
    )


def reserved_word(name: str, start: int, end: int) -> Finding:
    return Finding(
        code="syntax-error",
        message=f"{name!r} is a reserved word",
        start=start,
        end=end,
        hint="put quotes around text",
    )


def bad_has(start: int, end: int) -> Finding:
    return Finding(
        code="bad-macro",
        message="has() takes one field or element: has(a.b) or has(a['b'])",
        start=start,
        end=end,
    )


def bad_macro_variable(function: str, start: int, end: int) -> Finding:
    return Finding(
        code="bad-macro",
        message=f"the first argument of {function}() is a new name for each element",
        start=start,
        end=end,
        hint=f"for example {function}(x, x != '')",
    )


# --- names


def unknown_variable(
    name: str, start: int, end: int, *, phase: Phase, known: Iterable[str], hint: str | None
) -> Finding:
    return Finding(
        code="unknown-variable",
        message=f"{name!r} is not defined in {phase.value}",
        start=start,
        end=end,
        hint=hint or did_you_mean(name, known),
    )


def namespace_as_value(name: str, start: int, end: int, *, members: Iterable[str]) -> Finding:
    some = ", ".join(sorted(members)[:4])
    return Finding(
        code="namespace-as-value",
        message=f"{name!r} is a namespace and has no value of its own",
        start=start,
        end=end,
        hint=f"it holds {some}" if some else None,
    )


def not_in_phase(
    kind: str, name: str, start: int, end: int, *, phase: Phase, phases: Iterable[Phase]
) -> Finding:
    where = ", ".join(p.value for p in Phase if p in set(phases))
    return Finding(
        code="not-in-phase",
        message=f"{kind} {name!r} is not available in {phase.value}; it is in {where}",
        start=start,
        end=end,
    )


def unknown_field(
    name: str, owner: CelType, start: int, end: int, *, known: Iterable[str]
) -> Finding:
    return Finding(
        code="unknown-field",
        message=f"{owner} has no field {name!r}",
        start=start,
        end=end,
        hint=did_you_mean(name, known),
    )


def unknown_function(
    name: str, start: int, end: int, *, known: Iterable[str], hint: str | None
) -> Finding:
    return Finding(
        code="unknown-function",
        message=f"there is no function {name!r}",
        start=start,
        end=end,
        hint=hint or did_you_mean(name, known),
    )


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return the remedy that names the nearest known name, None when none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"did you mean {near[0]!r}?" if near else None


def wrong_argument_count(
    function: str,
    count: int,
    accepted: Iterable[str],
    start: int,
    end: int,
    *,
    hint: str | None,
) -> Finding:
    return Finding(
        code="wrong-argument-count",
        message=f"{function}() is called with {count} arguments",
        start=start,
        end=end,
        hint=hint or f"it takes {' or '.join(accepted)}",
    )


def key_without_quotes(name: str, start: int, end: int) -> Finding:
    return Finding(
        code="unknown-variable",
        message=f"{name!r} is not defined, so it can't be a map's key",
        start=start,
        end=end,
        hint=f"put quotes around a key: '{name}'",
    )


# --- types


def no_overload(
    function: str, found: Iterable[CelType], accepted: Iterable[str], start: int, end: int
) -> Finding:
    return Finding(
        code="wrong-argument-type",
        message=f"{function} does not take ({', '.join(map(str, found))})",
        start=start,
        end=end,
        hint=f"it takes {' or '.join(accepted)}",
    )


def no_operator(
    operator: str,
    found: Iterable[CelType],
    start: int,
    end: int,
    *,
    hint: str | None = None,
) -> Finding:
    return Finding(
        code="wrong-operand-type",
        message=f"{operator!r} does not work on {' and '.join(map(str, found))}",
        start=start,
        end=end,
        hint=hint,
    )


def wrong_result_type(found: CelType, expected: CelType, start: int, end: int) -> Finding:
    hint = None
    if str(expected) == "bool":
        hint = "compare it with something, for example with '=='"
    return Finding(
        code="wrong-result-type",
        message=f"the expression gives {found}; expected {expected}",
        start=start,
        end=end,
        hint=hint,
    )


def not_a_loop_target(found: CelType, start: int, end: int) -> Finding:
    return Finding(
        code="wrong-argument-type",
        message=f"only lists and maps can be looped over, not {found}",
        start=start,
        end=end,
    )


def bad_map_key(found: CelType, start: int, end: int) -> Finding:
    return Finding(
        code="wrong-operand-type",
        message=f"a map's key can't be {found}; it is a string, int, uint or bool",
        start=start,
        end=end,
    )


def unknown_message(name: str, start: int, end: int) -> Finding:
    return Finding(
        code="unknown-type",
        message=f"there is no type {name!r} to build",
        start=start,
        end=end,
        hint="a map is written {'key': value}",
    )


def never_equal(left: CelType, right: CelType, operator: str, start: int, end: int) -> Finding:
    hint = None
    if "list(" in f"{left}{right}" and operator != "in":
        hint = "take one element of the list, as in list[0], or test with 'in'"
    return Finding(
        code="never-equal",
        message=f"{operator!r} compares {left} with {right}, which are never equal",
        start=start,
        end=end,
        hint=hint,
    )


# --- accepted, but doubtful


def never_null(found: CelType, operator: str, start: int, end: int) -> Finding:
    return Finding(
        code="never-null",
        message=f"{operator!r} compares {found} with null; an absent value is never null here",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint="an absent text reads as '', an absent number as 0; test with has() or compare those",
    )


def number_against_text(operator: str, start: int, end: int) -> Finding:
    return Finding(
        code="number-against-text",
        message=f"{operator!r} compares an int with a string; the string is read as a number",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint="write the number without quotes",
    )


def alias_used(name: str, right: str, start: int, end: int) -> Finding:
    return Finding(
        code="alias-used",
        message=f"{name!r} is accepted for {right!r}",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint=f"write {right!r}",
    )


# --- constants


def invalid_constant(error: InvalidConstantError, literal: str, start: int, end: int) -> Finding:
    """Point at the part of the literal that can't work, where it can be told."""
    if error.start is not None and error.end is not None:
        inside = plain_body_start(literal)
        if inside is not None:
            start, end = start + inside + error.start, start + inside + error.end
    return Finding(
        code=error.code,
        message=error.message,
        start=start,
        end=end,
        hint=error.hint,
    )


def constant_fails(
    function: str, message: str, start: int, end: int, *, hint: str | None
) -> Finding:
    return Finding(
        code="always-fails",
        message=f"{function}() always fails with this value: {message}",
        start=start,
        end=end,
        hint=hint,
    )


def doubtful(doubt: Doubt, start: int, end: int) -> Finding:
    return Finding(
        code=doubt.code,
        message=doubt.message,
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint=doubt.hint,
    )


def constant_condition(start: int, end: int) -> Finding:
    return Finding(
        code="constant-condition",
        message="this condition does not depend on the traffic: it is always the same",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
    )


def same_on_both_sides(operator: str, start: int, end: int) -> Finding:
    return Finding(
        code="constant-condition",
        message=f"both sides of {operator!r} are the same",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
    )


def unanchored_regex(name: str, start: int, end: int, *, hint: str) -> Finding:
    return Finding(
        code="unanchored-regex",
        message=f"this pattern may match only a part of {name}, whatever stands around it",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint=hint,
    )
