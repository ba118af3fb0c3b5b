"""Short forms for declaring functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict, Unpack

from policy.cel.declarations import Doubt, Function, Inline, Overload, Prepare
from policy.cel.types import CelType
from policy.phase import ALL_PHASES, Phase


class OverloadOptions(TypedDict, total=False):
    """What an overload may say beyond its signature; see `Overload`."""

    raises: bool
    counts_work: bool
    cost: int
    inline: Inline | None
    prepare: Prepare | None
    prepared: int
    doubt: Doubt | None


def method(
    parameters: tuple[CelType, ...],
    result: CelType,
    call: Callable[..., Any],
    **options: Unpack[OverloadOptions],
) -> Overload:
    """Declare `target.name(...)`; the first parameter is the target."""
    return Overload(parameters=parameters, result=result, call=call, method=True, **options)


def plain(
    parameters: tuple[CelType, ...],
    result: CelType,
    call: Callable[..., Any],
    **options: Unpack[OverloadOptions],
) -> Overload:
    """Declare `name(...)`."""
    return Overload(parameters=parameters, result=result, call=call, **options)


def function(
    name: str,
    doc: str,
    *overloads: Overload,
    phases: frozenset[Phase] = ALL_PHASES,
    needs_activation: bool = False,
    alias_of: str | None = None,
    secret: bool = False,
) -> Function:
    """Declare a function with its overloads."""
    return Function(
        name=name,
        doc=doc,
        overloads=overloads,
        phases=phases,
        needs_activation=needs_activation,
        alias_of=alias_of,
        secret=secret,
    )
