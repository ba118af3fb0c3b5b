"""jwt-validation: let requests through that show a JSON Web Token in order (RFC 7519, RFC 8725).

Phases  on_http_request
Reads   the configured header fields, or fields of a JSON or form body of up to 1 MiB
Ends    the phase with 401 and a challenge (RFC 6750); with 403 when a token is in order but its
        issuer or audience is not accepted; with 400 when a token stands twice in its place;
        with 503 when the issuer's keys can't be had. With `enforce: false` nothing ends and the
        result is recorded

All configured tokens have to be there. Stricter than the language: a token without `exp` is
refused unless `allow_missing_exp` says otherwise; secrets (HS256 and its like) are taken from
`file:` key sets only; with several issuers, a key set speaks for the one at its own origin.

Keys are fetched ahead of time, every 15 minutes, and go on serving while the issuer is down. A
token with an unknown key makes them be fetched once, at most once a minute. A token that was in
order is remembered until it expires or its issuer changes its keys. The log names the reason of a
refusal; the client learns no more than RFC 6750 has words for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Final

from actions.jwt_validation.claims import NS_PER_S, ClaimRules
from actions.jwt_validation.key_source import (
    KeySource,
    belongs_to_none,
    fetched_source,
    inline_source,
    key_set_request,
)
from actions.jwt_validation.presented import (
    MAX_BODY,
    BodyFields,
    TokenPlace,
    body_fields,
    has_body,
    token_in_body,
    token_in_header,
)
from actions.jwt_validation.refusals import Refused
from actions.jwt_validation.result import Result, TokenResult
from actions.jwt_validation.settings import Audience, Http, Issuer, Jws, ShownToken, is_secret
from actions.jwt_validation.verification import Refusal, Verdict, Verifier, verify
from policy.action import (
    Action,
    ActionConfig,
    ActionError,
    Continue,
    Doc,
    Exchange,
    Lint,
    Outcome,
    Respond,
    Steps,
)
from policy.config_types import DurationNs, DurationRange, Pending
from policy.effect import Effect, GetDocument, ReadBody
from policy.exchange import Check, Request
from policy.phase import Phase
from policy.problem import Severity

NOTHING_SHOWN: Final[Continue[Result]] = Continue()


class Config(ActionConfig):
    issuer: Annotated[Issuer, Doc("Who may have issued a token.")]
    audience: Annotated[Audience | None, Doc("Whom a token is for; absent: anybody.")] = None
    http: Annotated[Http, Doc("Where the request shows its tokens.")]
    jws: Annotated[Jws, Doc("How tokens are signed, and where the keys are.")]
    enforce: Annotated[bool, Doc("Extension. False: record the result and continue.")] = True
    allow_missing_exp: Annotated[
        bool, Doc("Extension. True: a token without `exp` is in order.")
    ] = False
    max_age: Annotated[
        DurationNs | None,
        DurationRange(minimum="1s", maximum="8760h"),
        Doc("Extension. A token's `iat` may be so long ago."),
    ] = None
    forward_token: Annotated[
        bool, Doc("Extension. False: the upstream does not get the header fields with tokens.")
    ] = True

    @cached_property
    def verifier(self) -> Verifier:
        """What is asked of every token."""
        issuers = tuple(each.value for each in self.issuer.allow_list)
        audiences = self.audience.allow_list if self.audience is not None else ()
        return Verifier(
            algorithms=frozenset(self.jws.allowed_algorithms),
            rules=ClaimRules(
                issuers=issuers,
                audiences=tuple(each.value for each in audiences),
                allow_missing_exp=self.allow_missing_exp,
                max_age_s=None if self.max_age is None else self.max_age / NS_PER_S,
            ),
            sources=tuple(self._sources(issuers)),
        )

    def _sources(self, issuers: tuple[str, ...]) -> Iterator[KeySource]:
        for source in self.jws.sources():
            yield from (fetched_source(url, issuers) for url in source.additional_jkus)
            yield from (inline_source(keys, issuers) for keys in source.jwks)

    @cached_property
    def places(self) -> tuple[TokenPlace, ...]:
        """Where tokens stand, each with a mark of everything that is asked of a token there."""
        verifier = self.verifier
        names = [(source.name, sorted(source.issuers)) for source in verifier.sources]
        asked = [verifier.rules, sorted(verifier.algorithms), names]
        return tuple(_place(shown, asked) for shown in self.http.tokens)


def _place(shown: ShownToken, asked: list[object]) -> TokenPlace:
    everything = repr([shown.type, shown.method, shown.name, shown.prefix, *asked])
    return TokenPlace(
        kind=shown.type,
        location=shown.method,
        in_header=shown.method == "header",
        name=shown.name.lower(),
        prefix=shown.prefix,
        written_name=shown.name,
        fingerprint=sha256(everything.encode("utf-8", "surrogateescape")).digest(),
    )


def run(config: Config, exchange: Exchange) -> Steps[Result]:
    """Check the tokens of one request; yields effects for keys and for the body."""
    request = exchange.request
    if request is None:
        return NOTHING_SHOWN
    accepted: Outcome[Result] = NOTHING_SHOWN
    tokens: list[TokenResult] = []
    fields: BodyFields | None = None
    for place in config.places:
        if place.in_header:
            found = token_in_header(place, request.headers)
        else:
            read = fields if fields is not None else (yield from read_fields(request))
            if isinstance(read, Refused):
                return refuse(config, exchange, place, tokens, Refusal(read))
            fields = read
            found = token_in_body(place, fields)
        verdict: Verdict
        if isinstance(found, Refused):
            verdict = Refusal(found)
        else:
            verdict = yield from verify(config.verifier, place, found, exchange)
        if isinstance(verdict, Refusal):
            return refuse(config, exchange, place, tokens, verdict)
        accepted = verdict
        if len(config.places) > 1 and verdict.result is not None:
            tokens += verdict.result.tokens
            if verdict.admitted_until_ns is not None:
                exchange.admit_until(verdict.admitted_until_ns)
    if not config.forward_token:
        withhold(config, request)
    return Continue(Result(tokens=tokens)) if tokens else accepted


def read_fields(request: Request) -> Generator[Effect, Any, BodyFields | Refused]:
    """Read the fields of the body, where a body may be."""
    refused = has_body(request)
    if refused is not None:
        return refused
    body: bytes | None = yield ReadBody(limit_bytes=MAX_BODY)
    return body_fields(request, body)


def refuse(
    config: Config,
    exchange: Exchange,
    place: TokenPlace,
    tokens: list[TokenResult],
    refusal: Refusal,
) -> Outcome[Result]:
    """End the request, or only record what was found."""
    refused, token = refusal.refused, refusal.token
    if exchange.checks is not None:
        where = f"{place.location} {place.written_name!r}: {refused.message}"
        exchange.checks.append(Check(subject="token", passed=False, detail=where))
    if token is not None:
        tokens.append(token)
    result = Result(
        tokens=tokens,
        error=ActionError(code=refused.error_code, message=refused.message),
    )
    if not config.enforce:
        return Continue(result)
    return Respond(
        status_code=refused.status_code,
        reason=refused.reason,
        headers=refused.headers,
        error_code=refused.error_code,
        result=result,
    )


def withhold(config: Config, request: Request) -> None:
    """Keep the fields with tokens from the upstream; expressions can still read them."""
    request.withheld |= {place.name for place in config.places if place.in_header}


def key_sets(config: Config) -> tuple[GetDocument, ...]:
    """Name the key sets that are to be kept fresh: those that no request has a say in."""
    return tuple(
        key_set_request(url)
        for source in config.jws.sources()
        for url in source.additional_jkus
        if not isinstance(url, Pending)
    )


def lint(config: Config) -> tuple[Lint, ...]:
    """Refuse a configuration without keys, and warn of what is easily overlooked."""
    return (*lint_keys(config), *lint_algorithms(config), *lint_shown(config))


def lint_keys(config: Config) -> Iterator[Lint]:
    """Look at where keys come from."""
    sources = config.jws.sources()
    urls = [url for source in sources for url in source.additional_jkus]
    issuers = [each.value for each in config.issuer.allow_list]
    if not urls and not any(source.jwks for source in sources):
        yield Lint(
            code="no-key-source",
            message="without keys no token can be accepted",
            path=("jws", "keys"),
            hint="name the issuer's key set in 'sources.additional_jkus'",
            severity=Severity.ERROR,
            reference="ERR_NGROK_2234",
        )
    for url in urls:
        if isinstance(url, Pending):
            yield Lint(
                code="key-set-from-request",
                message="what decides here may be the request's: it would bring its own keys",
                path=("jws", "keys"),
                hint="use ${...} for values that clients can't choose, or write the URL out",
            )
        elif not any(isinstance(each, Pending) for each in issuers) and belongs_to_none(
            url, issuers
        ):
            yield Lint(
                code="key-set-of-no-issuer",
                message=f"the keys of {url!r} are accepted for every listed issuer",
                path=("jws", "keys"),
                hint="give each issuer an action of its own, in rules that tell them apart",
            )


def lint_algorithms(config: Config) -> Iterator[Lint]:
    """Look at the list of algorithms."""
    secrets = [name for name in config.jws.allowed_algorithms if is_secret(name)]
    if secrets and len(secrets) < len(config.jws.allowed_algorithms):
        yield Lint(
            code="algorithms-mixed",
            message="algorithms with secrets stand beside those with public keys",
            path=("jws", "allowed_algorithms"),
            hint="accept each kind in an action of its own",
        )
    urls = [url for source in config.jws.sources() for url in source.additional_jkus]
    if secrets and not any(url.startswith("file:") for url in urls):
        yield Lint(
            code="no-secret-source",
            message=f"{secrets[0]} needs a secret, and there is no file: key set",
            path=("jws", "allowed_algorithms"),
            hint="secrets are never taken from the network",
        )


def lint_shown(config: Config) -> Iterator[Lint]:
    """Look at what tokens are for, and where they stand."""
    if config.audience is None:
        yield Lint(
            code="no-audience",
            message="a token that is for another service is accepted too",
            path=("issuer",),
            hint="list this service's own names under 'audience'",
        )
    for index, shown in enumerate(config.http.tokens):
        if shown.name.lower() == "authorization" and not shown.prefix:
            yield Lint(
                code="prefix-missing",
                message="Authorization begins with a scheme, which is no part of the token",
                path=("http", "tokens", index),
                hint="add 'prefix: \"Bearer \"'",
            )


ACTION = Action(
    name="jwt-validation",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    result=Result,
    run=run,
    effects=True,
    lint=lint,
    documents=key_sets,
)
