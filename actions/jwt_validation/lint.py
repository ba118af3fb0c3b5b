"""What is wrong with a configuration as a whole, and what is easily overlooked in it."""

from __future__ import annotations

from collections.abc import Iterator

from actions.jwt_validation.key_source import Described, key_sources, undecided
from actions.jwt_validation.settings import Http, Issuer, Jws, is_secret
from policy.action import Lint
from policy.config_types import Pending
from policy.problem import Severity

KEYS = ("jws", "keys")
SAY_WHOSE = "say whose keys these are with 'issuers', beside 'additional_jkus' or 'jwks'"


def lint_keys(issuer: Issuer, jws: Jws) -> Iterator[Lint]:
    """Look at where keys come from, and whose they are."""
    described = tuple(described_sets(jws))
    if not described:
        yield Lint(
            code="no-key-source",
            message="without keys no token can be accepted",
            path=KEYS,
            hint="name the issuer's key set in 'sources.additional_jkus'",
            severity=Severity.ERROR,
            reference="ERR_NGROK_2234",
        )
    for each in described:
        if isinstance(each.url, Pending):
            yield Lint(
                code="key-set-from-request",
                message="what decides here may be the request's: it would bring its own keys",
                path=KEYS,
                hint="use ${...} for values that clients can't choose, or write the URL out",
            )
    issuers = [each.value for each in issuer.allow_list]
    texts = (*issuers, *(text for each in described for text in (each.url, *each.owners)))
    if described and not any(isinstance(text, Pending) for text in texts):
        yield from _lint_owners(described, issuers)


def _lint_owners(described: tuple[Described, ...], issuers: list[str]) -> Iterator[Lint]:
    strangers = {owner for each in described for owner in each.owners} - set(issuers)
    for stranger in sorted(strangers):
        yield Lint(
            code="issuer-not-listed",
            message=f"{stranger!r} has keys here and is not among the issuers",
            path=KEYS,
            hint="write it as in 'issuer.allow_list': issuers are compared exactly",
            severity=Severity.ERROR,
        )
    sources = key_sources(described, issuers)
    for source in undecided(sources):
        if source.name not in {each.url for each in described if each.owners}:
            shared = ", ".join(map(repr, sorted(source.issuers)))
            yield Lint(
                code="key-set-of-no-issuer",
                message=f"the keys of {source.name} are accepted for {shared}",
                path=KEYS,
                hint=SAY_WHOSE,
            )
    served = frozenset[str]().union(*(source.issuers for source in sources))
    for lonely in dict.fromkeys(each for each in issuers if each not in served):
        yield Lint(
            code="issuer-without-keys",
            message=f"no key set belongs to {lonely!r}, unless its metadata names one",
            path=KEYS,
            hint=SAY_WHOSE,
        )


def lint_algorithms(jws: Jws) -> Iterator[Lint]:
    """Look at the list of algorithms."""
    secrets = [name for name in jws.allowed_algorithms if is_secret(name)]
    if secrets and len(secrets) < len(jws.allowed_algorithms):
        yield Lint(
            code="algorithms-mixed",
            message="algorithms with secrets stand beside those with public keys",
            path=("jws", "allowed_algorithms"),
            hint="accept each kind in an action of its own",
        )
    urls = [each.url or "" for each in described_sets(jws)]
    if secrets and not any(url.startswith("file:") for url in urls):
        yield Lint(
            code="no-secret-source",
            message=f"{secrets[0]} needs a secret, and there is no file: key set",
            path=("jws", "allowed_algorithms"),
            hint="secrets are never taken from the network",
        )


def lint_shown(http: Http, *, has_audience: bool) -> Iterator[Lint]:
    """Look at what tokens are for, and where they stand."""
    if not has_audience:
        yield Lint(
            code="no-audience",
            message="a token that is for another service is accepted too",
            path=("issuer",),
            hint="list this service's own names under 'audience'",
        )
    for index, shown in enumerate(http.tokens):
        if shown.name.lower() == "authorization" and not shown.prefix:
            yield Lint(
                code="prefix-missing",
                message="Authorization begins with a scheme, which is no part of the token",
                path=("http", "tokens", index),
                hint="add 'prefix: \"Bearer \"'",
            )


def described_sets(jws: Jws) -> Iterator[Described]:
    """Go through the key sets that a policy describes."""
    for source in jws.sources():
        owners = tuple(source.issuers)
        for url in source.additional_jkus:
            yield Described(url, owners=owners)
        for keys in source.jwks:
            yield Described(None, keys, owners)
