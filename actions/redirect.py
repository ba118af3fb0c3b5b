"""redirect: send the client to another URL.

Phases  on_http_request
Reads   the normalised full URL of the request
Ends    the phase with a 3xx (RFC 9110, section 15.4) when the URL changes; without a match, or
        when the result is the URL that was asked for, nothing happens. The response phase runs

All matches of `from` are replaced by `to`, `$1` standing for the first group. A relative result
is resolved against the request's URL, characters that a URL can't hold are percent-encoded. A
control character is refused with a 500: it can only be a mistake or an attack (T-AH-2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from actions.header_names import ResponseHeaders
from actions.url_replacement import (
    INTERNAL_ERROR,
    INVALID_TARGET,
    lint_replacement,
    replace_in,
)
from policy.action import (
    Action,
    ActionConfig,
    ActionError,
    Continue,
    Doc,
    Exchange,
    Lint,
    Respond,
)
from policy.config_types import Interpolated, Regex, StatusRange
from policy.phase import Phase
from policy.url import Url, UrlError, percent_encode_illegal, resolve_reference

REDIRECTED = "redirected"


class Config(ActionConfig):
    field_hints: ClassVar[Mapping[str, str]] = {"location": "the field is called 'to'"}

    from_: Annotated[
        Regex | None, Interpolated(), Doc("Pattern to replace in the URL; absent: all of it.")
    ] = Field(default=None, alias="from")
    to: Annotated[str, Interpolated(), Doc("What to put there; `$1` to `$99` are groups.")]
    status_code: Annotated[
        int, StatusRange(300, 308, excluded=(304,)), Doc("Status of the response.")
    ] = 302
    headers: Annotated[ResponseHeaders, Interpolated(), Doc("More fields, at most 10.")] = Field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    matches: Annotated[list[str], Doc("Every stretch of the URL that was replaced.")]
    url: Annotated[str, Doc("The resulting URL.")]
    error: Annotated[ActionError | None, Doc("Why the result could not be used.")] = None


def run(config: Config, exchange: Exchange) -> Continue[Result] | Respond[Result]:
    """Redirect when the URL changes."""
    request = exchange.request
    if request is None:
        return Continue()
    text, matches = replace_in(request.url, config.from_, config.to)
    try:
        target = location(request.url, text)
    except UrlError as error:
        return invalid(list(matches), error)
    result = Result(matches=list(matches), url=target)
    if not matches or target == request.url.text:
        return Continue(result)
    return Respond(
        status_code=config.status_code,
        reason=REDIRECTED,
        headers=(*response_headers(config), ("location", target)),
        runs_response_phase=True,
        result=result,
    )


def location(url: Url, text: str) -> str:
    """Make a Location value of a replaced URL. Raises UrlError for control characters."""
    return resolve_reference(url, percent_encode_illegal(text))


def response_headers(config: Config) -> list[tuple[str, str]]:
    """Return the configured fields, of which none can speak of another target."""
    lines = [(name.lower(), value) for name, value in config.headers.items()]
    return [line for line in lines if line[0] != "location"]


def invalid(matches: list[str], error: UrlError) -> Respond[Result]:
    """End the request: its data would have got into a header field unescaped."""
    problem = ActionError(code=INTERNAL_ERROR, message=f"no usable URL: {error.reason}")
    return Respond(
        status_code=500,
        reason=INVALID_TARGET,
        error_code=INTERNAL_ERROR,
        result=Result(matches=matches, url="", error=problem),
    )


def lint(config: Any) -> tuple[Lint, ...]:
    """Warn of the usual mistakes with patterns over whole URLs."""
    return lint_replacement(config.from_, config.to)


ACTION = Action(
    name="redirect",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    result=Result,
    run=run,
    # Without a pattern the URL stays the same only for the target itself.
    answers=lambda config: config.from_ is None,
    lint=lint,
)
