"""Every message about names, types and constants that an expression can't use.

Codes are stable. A message says what was found against what is accepted; the hint says what to
do about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from policy.cel.declarations import InvalidConstantError
from policy.cel.finding import Finding
from policy.cel.literals import plain_body_start
from policy.cel.types import CelType
from policy.phase import Phase


def unknown_variable(
    name: str, start: int, end: int, *, phase: Phase, known: Iterable[str], hint: str | None
) -> Finding:
    """Report a name that nothing declares, with the nearest one that is."""
    return Finding(
        code="unknown-variable",
        message=f"{name!r} is not defined in {phase.value}",
        start=start,
        end=end,
        hint=hint or did_you_mean(name, known),
    )


def namespace_as_value(name: str, start: int, end: int, *, members: Iterable[str]) -> Finding:
    """Report the beginning of names where a value is wanted."""
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
    """Report a variable or function of another phase."""
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
    """Report a field that its owner lacks."""
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
    """Report a function that there is not, with the nearest one that there is."""
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
    """Report a call with more or fewer arguments than any overload takes."""
    return Finding(
        code="wrong-argument-count",
        message=f"{function}() is called with {count} arguments",
        start=start,
        end=end,
        hint=hint or f"it takes {' or '.join(accepted)}",
    )


def key_without_quotes(name: str, start: int, end: int) -> Finding:
    """Report `headers[x-a]` for `headers['x-a']`."""
    return Finding(
        code="unknown-variable",
        message=f"{name!r} is not defined, so it can't be a map's key",
        start=start,
        end=end,
        hint=f"put quotes around a key: '{name}'",
    )


def no_overload(
    function: str, found: Iterable[CelType], accepted: Iterable[str], start: int, end: int
) -> Finding:
    """Report a call whose argument types no overload takes."""
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
    """Report an operator whose operand types it does not take."""
    return Finding(
        code="wrong-operand-type",
        message=f"{operator!r} does not work on {' and '.join(map(str, found))}",
        start=start,
        end=end,
        hint=hint,
    )


def wrong_result_type(found: CelType, expected: CelType, start: int, end: int) -> Finding:
    """Report an expression of another type than is wanted."""
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
    """Report a macro over what is neither list nor map."""
    return Finding(
        code="wrong-argument-type",
        message=f"only lists and maps can be looped over, not {found}",
        start=start,
        end=end,
    )


def bad_map_key(found: CelType, start: int, end: int) -> Finding:
    """Report a map literal's key of a type that keys can't have."""
    return Finding(
        code="wrong-operand-type",
        message=f"a map's key can't be {found}; it is a string, int, uint or bool",
        start=start,
        end=end,
    )


def unknown_message(name: str, start: int, end: int) -> Finding:
    """Report a message type that there is not."""
    return Finding(
        code="unknown-type",
        message=f"there is no type {name!r} to build",
        start=start,
        end=end,
        hint="a map is written {'key': value}",
    )


def never_equal(left: CelType, right: CelType, operator: str, start: int, end: int) -> Finding:
    """Report a comparison of types whose values are never equal."""
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
    """Report a part that fails whatever the request is."""
    return Finding(
        code="always-fails",
        message=f"{function}() always fails with this value: {message}",
        start=start,
        end=end,
        hint=hint,
    )
