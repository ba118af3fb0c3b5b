"""Chooses the endpoint that answers for a request's Host (language spec, section 1.6).

An exact name wins over wildcards, a longer wildcard over a shorter one, and any of them over the
one endpoint that answers for every host. `*.example.com` covers names of any depth below
`example.com`, and not `example.com` itself. Ports play no part: behind an agent or a load
balancer, the port a client sees is not the one that we listen on.
"""

from __future__ import annotations

from collections.abc import Iterable

from proxy.endpoint import ServedEndpoint

WILDCARD = "*."


class EndpointTable:
    """All served endpoints by host. Never changes; a reload makes a new one."""

    __slots__ = ("_catch_all", "_exact", "_wildcards", "only")

    def __init__(
        self, served: Iterable[ServedEndpoint], *, catch_all: ServedEndpoint | None = None
    ) -> None:
        """Index endpoints by `endpoint.host`. Two for one host are a configuration error."""
        self._catch_all = catch_all
        self._exact: dict[str, ServedEndpoint] = {}
        self._wildcards: dict[str, ServedEndpoint] = {}
        for each in served:
            host = each.endpoint.host.lower()
            if host.startswith(WILDCARD):
                self._wildcards[host.removeprefix(WILDCARD)] = each
            else:
                self._exact[host] = each
        endpoints = self.all()
        # The endpoint that a connection is for before it has said anything; None if undecided.
        self.only: ServedEndpoint | None = endpoints[0] if len(endpoints) == 1 else None

    def all(self) -> tuple[ServedEndpoint, ...]:
        """Return every endpoint, the one for all hosts last."""
        last = () if self._catch_all is None else (self._catch_all,)
        return (*self._exact.values(), *self._wildcards.values(), *last)

    def find(self, host: str) -> ServedEndpoint | None:
        """Return the endpoint for a host, without port or brackets; None is answered with 404."""
        name = host.lower()
        found = self._exact.get(name)
        if found is None and self._wildcards:
            found = self._longest_wildcard(name)
        return found or self._catch_all

    def _longest_wildcard(self, name: str) -> ServedEndpoint | None:
        label, dot, parent = name.partition(".")
        while dot and label:
            found = self._wildcards.get(parent)
            if found is not None:
                return found
            label, dot, parent = parent.partition(".")
        return None
