"""Every message about an expression that can't be read.

Codes are stable. A message says what was found against what is accepted; the hint says what to
do about it.
"""

from __future__ import annotations

from policy.cel.finding import Finding
from policy.problem import Severity


def expression_too_long(length: int, limit: int) -> Finding:
    """Report more text than the limit."""
    return Finding(
        code="expression-too-long",
        message=f"the expression has {length} characters; at most {limit} are accepted",
        start=0,
        end=limit,
        hint="split it over several expressions: a rule's expressions are joined with 'and'",
    )


def expression_too_big(start: int, limit: int) -> Finding:
    """Report more tokens or nodes than the limit."""
    return Finding(
        code="expression-too-big",
        message=f"the expression has more than {limit} parts",
        start=start,
        end=start + 1,
        hint="split it over several expressions, or test a list with 'in'",
    )


def brackets_too_deep(start: int, limit: int) -> Finding:
    """Report more open brackets than the limit."""
    return Finding(
        code="expression-too-deep",
        message=f"brackets are nested deeper than {limit} levels",
        start=start,
        end=start + 1,
    )


def tree_too_deep(end: int, limit: int) -> Finding:
    """Report a tree of more levels than the limit."""
    return Finding(
        code="expression-too-deep",
        message=f"the expression is nested deeper than {limit} levels",
        start=0,
        end=end,
        hint="join texts with [...].join(), and set parts of it with set-vars",
    )


def no_statements(word: str, start: int, end: int) -> Finding:
    """Report `var x = ...`: there is no assignment."""
    return Finding(
        code="syntax-error",
        message=f"{word!r} is no part of an expression",
        start=start,
        end=end,
        hint="an expression has no variables of its own; use the set-vars action",
    )


def unexpected_character(character: str, start: int) -> Finding:
    """Report a character that begins no token."""
    hints = {
        "=": "compare with '=='",
        "&": "write '&&'",
        "|": "write '||'",
        ";": "an expression has no statements",
        **dict.fromkeys("`\u2018\u2019\u201c\u201d", "quote strings with ' or \""),
        "\xa0": "it is a no-break space; type an ordinary one",
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
    """Report a string without its closing quote."""
    return Finding(
        code="syntax-error",
        message="the string that begins here is not closed",
        start=start,
        end=end,
    )


def malformed_number(text: str, start: int, end: int) -> Finding:
    """Report a number that runs into letters."""
    return Finding(
        code="syntax-error",
        message=f"{text!r} is not a number",
        start=start,
        end=end,
        hint="numbers look like 10, 0x1f, 10u, 1.5 and 1e3; put quotes around text",
    )


def bad_literal(message: str, start: int, end: int) -> Finding:
    """Report a literal without a value."""
    return Finding(code="syntax-error", message=message, start=start, end=end)


def interpolation_in_string(start: int, end: int) -> Finding:
    """Report `${` inside a string of an expression."""
    return Finding(
        code="interpolation-in-string",
        message="'${' inside a string of an expression is not replaced by a value",
        start=start,
        end=end,
        hint="join with '+': 'a' + vars.x; for these two characters themselves write '$' + '{'",
    )


def interpolation_in_expression(start: int, end: int) -> Finding:
    """Report `${x}` outside of strings, which is read as `(x)`."""
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
    """Report no expression at all."""
    return Finding(code="syntax-error", message="the expression is empty", start=0, end=end)


def unexpected_token(text: str, start: int, end: int, *, wants_value: bool) -> Finding:
    """Report a token that can't stand where it does."""
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
    """Report a bracket without its partner."""
    return Finding(
        code="syntax-error",
        message="the bracket that opens here is not closed",
        start=start,
        end=end,
    )


def unexpected_end(end: int, *, wants_value: bool) -> Finding:
    """Report an expression that ends too early."""
    wanted = "a value" if wants_value else "':' and what to give otherwise"
    return Finding(
        code="syntax-error",
        message=f"the expression ends too early; expected {wanted}",
        start=end,
        end=end,
    )


def reserved_word(name: str, start: int, end: int) -> Finding:
    """Report a word that names can't be."""
    return Finding(
        code="syntax-error",
        message=f"{name!r} is a reserved word",
        start=start,
        end=end,
        hint="put quotes around text",
    )


def bad_has(start: int, end: int) -> Finding:
    """Report `has()` of something else than a read."""
    return Finding(
        code="bad-macro",
        message="has() takes one field or element: has(a.b) or has(a['b'])",
        start=start,
        end=end,
    )


def bad_macro_variable(function: str, start: int, end: int) -> Finding:
    """Report a macro whose first argument is no plain name."""
    return Finding(
        code="bad-macro",
        message=f"the first argument of {function}() is a new name for each element",
        start=start,
        end=end,
        hint=f"for example {function}(x, x != '')",
    )
