"""A configuration with a field of each kind, for the tests of decoding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from policy.action import ActionConfig, Doc
from policy.cel import Environment, Variable, types
from policy.config_types import (
    DurationNs,
    DurationRange,
    FormerName,
    HeaderMap,
    Interpolated,
    MinLen,
    NetworkSet,
    Reference,
    Regex,
    StatusRange,
    refusal,
)
from policy.phase import Phase


class Token(ActionConfig):
    name: Annotated[str, Interpolated()]
    method: Literal["header", "body"] = "header"


def colon_in_fixed_text(literals: tuple[str, ...]) -> str | None:
    return None if any(":" in literal for literal in literals) else "the ':' must be fixed text"


def assign(activation: Any, item: Mapping[str, object]) -> None:
    activation.vars.update(item)


class Config(ActionConfig):
    field_hints: ClassVar[Mapping[str, str]] = {"content": "the field is called 'body'"}

    to: Annotated[str, Interpolated(), MinLen(2), Doc("Where to.")]
    from_: Annotated[Regex | None, Field(alias="from"), Interpolated()] = None
    status_code: Annotated[int, StatusRange()] = 200
    headers: Annotated[HeaderMap, Interpolated()] = Field(default_factory=dict)
    body: Annotated[str, Interpolated()] = ""
    allow: Annotated[NetworkSet | None, Interpolated()] = None
    tokens: list[Token] | Token = Field(default_factory=list)
    window: Annotated[DurationNs, FormerName("rolling_window"), DurationRange(maximum="2m")] = 0
    algorithm: Annotated[Literal["gzip", "br"], Reference("ERR_NGROK_2214")] = "gzip"
    field: Annotated[Literal["data", "retry"], Interpolated()] = "data"
    ratio: Annotated[float, Field(ge=0, le=1)] = 0.5
    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = ("a",)
    pair: Annotated[tuple[str, ...], Interpolated(), Field(max_length=2)] = ()
    credential: Annotated[str, Interpolated(check=colon_in_fixed_text)] = "a:b"
    metadata: Annotated[dict[str, Any], Interpolated(typed=True, lenient=True)] = Field(
        default_factory=dict
    )
    vars: Annotated[
        list[dict[str, Any]] | dict[str, Any], Interpolated(typed=True, after_item=assign)
    ] = Field(default_factory=list)
    enforce: bool = True

    @field_validator("body")
    @classmethod
    def _no_shouting(cls, body: str) -> str:
        if body.isupper() and "${" not in body:
            raise ValueError("a body is not shouted")
        return body

    @model_validator(mode="after")
    def _no_body_for_204(self) -> Config:
        if self.status_code == 204 and self.body:
            raise refusal("status-forbids-body", "204 has no body", reference="ERR_NGROK_3604")
        return self


def variable(name: str, kind: types.CelType) -> Variable:
    attribute = name.replace(".", "_")
    return Variable(name=name, type=kind, doc="", phases=frozenset(Phase), attribute=attribute)


ENVIRONMENT = Environment(
    phase=Phase.ON_HTTP_REQUEST,
    variables=[
        variable("req.method", types.STRING),
        variable("conn.client_ip", types.STRING),
        variable("vars", types.MapType(types.STRING, types.DYN, missing=None)),
    ],
)
