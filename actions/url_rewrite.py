"""url-rewrite: give the upstream another path or query than the client asked for.

Phases  on_http_request
Reads   the normalised full URL of the request
Writes  req.url; only path and query reach the upstream, which is neither another host nor told
        another `Host` by this
Ends    the request with a 500 when the new path is not canonical (T-PA-5): policy and upstream
        would disagree on what is asked for. Else nothing

All matches of `from` are replaced by `to`, `$1` standing for the first group. A result that is
no URL sets `error` and leaves the request as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

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
from policy.config_types import Interpolated, Regex
from policy.exchange import Request
from policy.phase import Phase
from policy.url import Url, UrlError, normalise_escapes, parse_url, percent_encode_illegal

# What makes a text no URL at all; every other refusal is about its path and what hides in it.
NO_URL = frozenset({"no-absolute-url", "bad-authority", "bad-host", "bad-port", "bad-userinfo"})


class Config(ActionConfig):
    from_: Annotated[
        Regex | None, Interpolated(), Doc("Pattern to replace in the URL; absent: all of it.")
    ] = Field(default=None, alias="from")
    to: Annotated[str, Interpolated(), Doc("What to put there; `$1` to `$99` are groups.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    matches: Annotated[list[str], Doc("Every stretch of the URL that was replaced.")]
    url: Annotated[str, Doc("The URL after the rewrite.")]
    error: Annotated[ActionError | None, Doc("Why the result could not be used.")] = None


def run(config: Config, exchange: Exchange) -> Continue[Result] | Respond[Result]:
    """Rewrite the URL, or end the request over a path that can be read in two ways."""
    request = exchange.request
    if request is None:
        return Continue()
    text, matches = replace_in(request.url, config.from_, config.to)
    if not matches:
        return Continue(Result(matches=[], url=request.url.text))
    try:
        rewritten = rewritten_url(
            request.url, text, keeps_encoded_slashes=exchange.endpoint.keeps_encoded_slashes
        )
    except UrlError as error:
        return unusable(request, list(matches), error)
    if request.received_url is None:
        request.received_url = request.url
    request.url = rewritten
    exchange.changed()
    return Continue(Result(matches=list(matches), url=rewritten.text))


def rewritten_url(url: Url, text: str, *, keeps_encoded_slashes: bool = False) -> Url:
    """Read a replaced URL. Raises UrlError, also for a path with something left to resolve."""
    encoded = percent_encode_illegal(text)
    if encoded.startswith("/"):
        # Not resolved as a link would be: what climbs or hides in a path has to be seen.
        encoded = f"{url.scheme}://{url.authority}{encoded}"
    rewritten = parse_url(encoded, keeps_encoded_slashes=keeps_encoded_slashes)
    written = rewritten.raw_path or "/"
    path = normalise_escapes(written, keeps_encoded_slashes=keeps_encoded_slashes)
    if path != rewritten.path:
        raise UrlError("path-not-canonical")
    return rewritten


def unusable(
    request: Request, matches: list[str], error: UrlError
) -> Continue[Result] | Respond[Result]:
    """Go on unchanged without a URL; refuse a URL that is dangerous."""
    problem = ActionError(code=INTERNAL_ERROR, message=f"no usable URL: {error.reason}")
    result = Result(matches=matches, url=request.url.text, error=problem)
    if error.reason in NO_URL:
        return Continue(result)
    return Respond(status_code=500, reason=INVALID_TARGET, error_code=INTERNAL_ERROR, result=result)


def lint(config: Any) -> tuple[Lint, ...]:
    """Warn of the usual mistakes with patterns over whole URLs."""
    return lint_replacement(config.from_, config.to)


ACTION = Action(
    name="url-rewrite",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    result=Result,
    run=run,
    lint=lint,
)
