"""What a policy may consult beyond the exchange itself: a clock, chance, the operator's data.

Everything comes as a value or a look-up that does not block, so that tests and the evaluator
can fix each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from policy.effect import Document, GetDocument
from policy.ip_intelligence import NO_INTELLIGENCE, IpIntelligence
from policy.ip_policy import IpPolicy
from policy.oauth_endpoints import OauthEndpoints
from policy.store import Kind, Record


def no_secret(_vault: str, _name: str) -> str | None:
    """Know no secret."""
    return None


def no_record(_kind: Kind[Any], _key: str, /) -> Record[Any] | None:
    """Have no record at hand."""
    return None


def no_count(_what: str, _outcome: str, /) -> None:
    """Count nothing."""


def no_document(_request: GetDocument, /) -> Document | None:
    """Have no document at hand."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Made once per configuration and shared by all its exchanges.

    `now_ns` gives nanoseconds since the epoch, `random_fraction` a number in [0, 1),
    `random_integer(low, high)` one of low to high, both included; `random_bytes(count)` nobody
    can foresee, so that secrets can be made of them. `secret(vault, name)` is None
    for a secret that there is not. `ip_policies` are the lists that `restrict-ips` may name,
    `oauth_providers` the addresses of providers that are elsewhere than usual.
    `document_at_hand` answers GetDocument where that is possible at once. None says nothing of
    whether there is one, only that it has to be asked for by the effect. `record_at_hand` is the
    same for a record of the store, by kind and key: who uses what it gives adds it to the
    exchange's `records`.
    `count(what, outcome)` adds one to a number that an operator sees; both are codes, of which
    there are few.
    """

    now_ns: Callable[[], int]
    random_fraction: Callable[[], float]
    random_integer: Callable[[int, int], int]
    random_bytes: Callable[[int], bytes]
    ip_policies: Mapping[str, IpPolicy] = field(default_factory=dict)
    intelligence: IpIntelligence = NO_INTELLIGENCE
    secret: Callable[[str, str], str | None] = no_secret
    oauth_providers: Mapping[str, OauthEndpoints] = field(default_factory=dict)
    document_at_hand: Callable[[GetDocument], Document | None] = no_document
    record_at_hand: Callable[[Kind[Any], str], Record[Any] | None] = no_record
    count: Callable[[str, str], None] = no_count
