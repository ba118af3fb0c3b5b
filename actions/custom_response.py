"""custom-response: answer here, with a status, fields and a body of the policy's own.

Phases  on_http_request: the upstream is not asked; the response phase still runs
        on_http_response: replaces the upstream's response whole, its fields included
Ends    the phase always

Without a content-type among the fields it is read off the body, so that a JSON error does not
reach a browser as a page: a JSON object or array, an HTML or XML document, else plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from actions.header_names import ResponseHeaders
from policy.action import Action, ActionConfig, Doc, Exchange, Lint, Respond, always
from policy.config_types import Interpolated, Parsed, Pending, StatusRange, refusal
from policy.phase import Phase

ANSWERED = "custom-response"

# RFC 9110, sections 15.3.5 and 15.4.5. Informational statuses are out of range anyway.
BODILESS = frozenset({204, 304})
_XML = re.compile(r"\s*<\?xml\s", re.IGNORECASE)
_HTML = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)


class Config(ActionConfig):
    field_hints: ClassVar[Mapping[str, str]] = {"content": "the field is called 'body'"}

    status_code: Annotated[int, StatusRange(), Doc("Status of the response.")] = 200
    headers: Annotated[ResponseHeaders, Interpolated(), Doc("Fields of the response.")] = Field(
        default_factory=dict
    )
    body: Annotated[
        str,
        Parsed(str, "text"),
        Interpolated(),
        Doc("Body of the response; none for 204 and 304."),
    ] = ""

    @field_validator("body")
    @classmethod
    def _refuse_body_where_none_fits(cls, body: str, info: ValidationInfo) -> str:
        status_code = info.data.get("status_code")
        if body and status_code in BODILESS:
            raise refusal(
                "status-forbids-body",
                f"a response with status {status_code} has no body",
                reference="ERR_NGROK_3604",
                hint="drop the body, or use another status",
            )
        return body

    @cached_property
    def response(self) -> Respond[None]:
        """The response, made once for a configuration that is the same for all requests."""
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        if self.body and not any(name == "content-type" for name, _ in headers):
            headers.insert(0, ("content-type", content_type(self.body)))
        return Respond(
            status_code=self.status_code,
            reason=ANSWERED,
            headers=tuple(headers),
            body=self.body.encode("utf-8", "surrogateescape"),
            runs_response_phase=True,
        )


def run(config: Config, _exchange: Exchange) -> Respond[None]:
    """Answer with the configured response."""
    return config.response


def content_type(body: str) -> str:
    """Tell from a body's text what it is."""
    if _XML.match(body):
        kind = "application/xml"
    elif _HTML.match(body):
        kind = "text/html"
    else:
        kind = "application/json" if is_json_container(body) else "text/plain"
    return f"{kind}; charset=utf-8"


def is_json_container(body: str) -> bool:
    """Tell whether a body is one JSON object or array. A bare number or word is plain text."""
    if not body.lstrip(" \t\r\n").startswith(("{", "[")):
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def lint(config: Config) -> tuple[Lint, ...]:
    """Warn where whoever fills the body also chooses what a browser takes it for."""
    named = any(name.lower() == "content-type" for name in config.headers)
    if named or not isinstance(config.body, Pending) or not config.body.startswith("${"):
        return ()
    return (
        Lint(
            code="content-type-from-value",
            message="the body starts with a value, and its content type is read off that value",
            path=("body",),
            hint="set 'content-type' in 'headers'",
        ),
    )


ACTION = Action(
    name="custom-response",
    phases=frozenset({Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE}),
    config=Config,
    run=run,
    terminates=always,
    lint=lint,
)
