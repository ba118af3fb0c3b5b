"""jwt-validation: let requests through that show a JSON Web Token in order (RFC 7519, RFC 8725).

Phases  on_http_request
Reads   the configured header fields, or fields of a JSON or form body of up to 1 MiB
Ends    the phase with 401 and a challenge (RFC 6750); with 403 when a token is in order but its
        issuer or audience is not accepted; with 400 when a token stands twice in its place;
        with 503 when the issuer's keys can't be had. With `enforce: false` nothing ends and the
        result is recorded

All configured tokens have to be there. Stricter than the language: a token without `exp` is
refused unless `allow_missing_exp` says otherwise; secrets (HS256 and its like) are taken from
`file:` key sets only; with several issuers, a key set speaks for its own alone.

Keys are fetched ahead of time, every 15 minutes, and go on serving while the issuer is down. A
token with an unknown key makes them be fetched once, at most once a minute. A token that was in
order is remembered until it expires or its issuer changes its keys. The log names the reason of a
refusal; the client learns no more than RFC 6750 has words for.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from actions.jwt_validation.asked import Asked, Words, doubtful, make_ready, words_of
from actions.jwt_validation.claims import NS_PER_S, ClaimRules
from actions.jwt_validation.decision import Prepared, decide
from actions.jwt_validation.key_source import key_set_request, key_sources
from actions.jwt_validation.lint import described_sets, lint_algorithms, lint_keys, lint_shown
from actions.jwt_validation.result import Result
from actions.jwt_validation.settings import Audience, Http, Issuer, Jws
from policy.action import Action, ActionConfig, Doc, Exchange, Lint, Outcome, Steps
from policy.config_types import DurationNs, DurationRange, Pending
from policy.effect import GetDocument
from policy.phase import Phase


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
    def asked(self) -> Asked:
        """What is asked of every token."""
        audiences = self.audience.allow_list if self.audience is not None else ()
        rules = ClaimRules(
            issuers=tuple(each.value for each in self.issuer.allow_list),
            audiences=tuple(each.value for each in audiences),
            allow_missing_exp=self.allow_missing_exp,
            max_age_s=None if self.max_age is None else self.max_age / NS_PER_S,
        )
        words = Words(
            rules=rules,
            algorithms=tuple(self.jws.allowed_algorithms),
            key_sets=tuple(described_sets(self.jws)),
            shown=tuple(map(words_of, self.http.tokens)),
            forwards=self.forward_token,
        )
        return make_ready(words)


def prepare(config: Config) -> Prepared:
    """Make ready what is asked of tokens."""
    return Prepared(config.asked, enforce=config.enforce)


def run(prepared: Prepared, exchange: Exchange) -> Outcome[Result] | Steps[Result]:
    """Check the tokens of one request."""
    return decide(prepared, exchange)


def documents(config: Config) -> tuple[GetDocument, ...]:
    """Name what is to be kept fresh: key sets, and metadata, that no request has a say in."""
    described = tuple(described_sets(config.jws))
    fixed = [each.url for each in described if each.url and not isinstance(each.url, Pending)]
    issuers = [each.value for each in config.issuer.allow_list]
    texts = (*issuers, *(text for each in described for text in (each.url, *each.owners)))
    if any(isinstance(text, Pending) for text in texts):
        return tuple(map(key_set_request, fixed))
    metadata = doubtful(key_sources(described, issuers), issuers)
    return (*map(key_set_request, fixed), *metadata.values())


def lint(config: Config) -> tuple[Lint, ...]:
    """Refuse a configuration without keys, and warn of what is easily overlooked."""
    return (
        *lint_keys(config.issuer, config.jws),
        *lint_algorithms(config.jws),
        *lint_shown(config.http, has_audience=config.audience is not None),
    )


ACTION = Action(
    name="jwt-validation",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    result=Result,
    prepare=prepare,
    run=run,
    effects=True,
    lint=lint,
    documents=documents,
)
