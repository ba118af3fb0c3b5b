"""set-vars: keep values under names of the policy's own, as `vars.NAME`.

Phases  on_tcp_connect, on_http_request, on_http_response
Writes  vars.*, which live until the phase ends
Ends    the request with a 500 when all variables together take more than 1 MiB (2249) or nest
        deeper than 32 levels (2250); the connection is closed in on_tcp_connect. Else nothing

Variables are set in order, and a value may read those set before it. A value that is exactly one
`${...}` keeps its type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from policy.action import (
    Action,
    ActionConfig,
    Close,
    Continue,
    Doc,
    Exchange,
    Lint,
    Outcome,
    Respond,
)
from policy.config_types import Interpolated, refusal
from policy.phase import Phase
from policy.template import InterpolationError

TOO_LARGE = "variables-too-large"
TOO_DEEP = "variables-too-deep"
REFERENCES = {TOO_LARGE: "ERR_NGROK_2249", TOO_DEEP: "ERR_NGROK_2250"}

MEMORY_LIMIT_BYTES = 1 << 20
DEPTH_LIMIT = 32
# About what an interpreter spends on any value before its contents.
BYTES_PER_VALUE = 16

SET: Continue[None] = Continue()

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Assignments:
    """Names and values in order. `was_mapping`: written as one map instead of a list."""

    pairs: tuple[tuple[str, Any], ...]
    was_mapping: bool = False

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic check each entry at its own place."""
        entry = core_schema.no_info_plain_validator_function(_read_entry)
        return core_schema.no_info_wrap_validator_function(
            cls._read, core_schema.list_schema(entry, min_length=1)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the list in a JSON Schema."""
        entry = {"type": "object", "minProperties": 1, "maxProperties": 1}
        return {"type": "array", "items": entry, "minItems": 1}

    @classmethod
    def _read(cls, value: Any, read_list: core_schema.ValidatorFunctionWrapHandler) -> Assignments:
        was_mapping = isinstance(value, dict)
        entries = [{name: one} for name, one in value.items()] if was_mapping else value
        if not isinstance(entries, list):
            raise _wrong_shape("expected a list of one-entry maps")
        return cls(tuple(read_list(entries)), was_mapping)


def _read_entry(entry: Any) -> tuple[str, Any]:
    if not isinstance(entry, dict) or len(entry) != 1:
        raise _wrong_shape("each entry of the list is a map with one name and its value")
    [(name, value)] = entry.items()
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise refusal(
            "variable-name-invalid",
            f"{name!r} is not a name for a variable",
            reference="ERR_NGROK_2252",
            hint="use letters, digits and underscores, and no digit in front",
        )
    if is_too_deep(value):
        raise refusal(
            TOO_DEEP,
            f"a variable nests at most {DEPTH_LIMIT} levels",
            reference=REFERENCES[TOO_DEEP],
        )
    return name, value


def _wrong_shape(message: str) -> Exception:
    return refusal(
        "variables-shape",
        message,
        reference="ERR_NGROK_2252",
        hint="write 'vars:' and below it one '- name: value' for each variable",
    )


def keep_for_later_items(activation: Any, entry: Mapping[str, Any]) -> None:
    """Set one variable as soon as it is known, since the next one may read it."""
    exchange: Exchange = activation.exchange
    exchange.vars.update(entry)
    excess = limit_exceeded(exchange.vars)
    if excess:
        # Before the next value is computed: a chain of doublings must not get far.
        error = InterpolationError(excess, "the variables of this phase take too much room")
        error.reference = REFERENCES[excess]
        raise error


class Config(ActionConfig):
    vars: Annotated[
        Assignments,
        Interpolated(typed=True, after_item=keep_for_later_items),
        Doc("Variables to set, in order."),
    ]


def run(config: Config, exchange: Exchange) -> Outcome[None]:
    """Set the variables."""
    exchange.vars.update(config.vars.pairs)
    excess = limit_exceeded(exchange.vars)
    if excess is None:
        return SET
    if exchange.phase is Phase.ON_TCP_CONNECT:
        return Close(reason=excess, error_code=REFERENCES[excess])
    return Respond(status_code=500, reason=excess, error_code=REFERENCES[excess])


def limit_exceeded(variables: Mapping[str, Any]) -> str | None:
    """Return the reason code of a limit that variables exceed, None while they fit."""
    room = MEMORY_LIMIT_BYTES
    for name, value in variables.items():
        # Nearly all are texts, whose size and depth are plain to see.
        is_text = isinstance(value, str)
        size = BYTES_PER_VALUE + len(value) if is_text else size_of(value, room)
        room -= len(name) + size
        if room < 0:
            return TOO_LARGE
        if not is_text and is_too_deep(value):
            return TOO_DEEP
    return None


def size_of(value: Any, enough: int) -> int:
    """Estimate the bytes that a value takes; counting stops above `enough`."""
    if isinstance(value, (str, bytes)):
        return BYTES_PER_VALUE + len(value)
    size = BYTES_PER_VALUE
    for part in parts_of(value):
        size += size_of(part, enough - size)
        if size > enough:
            break
    return size


def is_too_deep(value: Any) -> bool:
    """Tell whether a value nests deeper than the limit."""
    level = [value]
    for _ in range(DEPTH_LIMIT + 1):
        level = [part for one in level for part in parts_of(one)]
        if not level:
            return False
    return True


def parts_of(value: Any) -> Sequence[Any]:
    """Return what is directly inside a list or map; nothing for a scalar."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, (list, tuple)) else ()


def lint(config: Config) -> tuple[Lint, ...]:
    """Warn of the shape that has no order of its own."""
    if not config.vars.was_mapping:
        return ()
    return (
        Lint(
            code="variables-as-map",
            message="'vars' is one map; it is read in the order of its keys",
            path=("vars",),
            hint="write a list with one '- name: value' for each variable",
        ),
    )


ACTION = Action(
    name="set-vars",
    phases=frozenset({Phase.ON_TCP_CONNECT, Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE}),
    config=Config,
    run=run,
    lint=lint,
)
