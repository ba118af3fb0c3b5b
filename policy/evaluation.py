"""Plays one exchange through all phases, with an upstream's answer at hand instead of a network.

The evaluator on the command line and policy tests use it. What decides is the same engine that
runs in the proxy; only the effects are answered from values.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias, TypeVar, assert_never

from policy.action import Close, Continue, Respond
from policy.compiled import Policy
from policy.effect import (
    BadDocument,
    Compute,
    Document,
    Effect,
    Fetch,
    Fetched,
    FetchFailed,
    GetDocument,
    Now,
    Once,
    ReadBody,
    Unavailable,
    Wait,
)
from policy.engine import Decision, begin_request, run_phase
from policy.exchange import Exchange, Request, Response
from policy.fields import Fields
from policy.forwarding import (
    ERROR_CODE_FIELD,
    Line,
    received_fields,
    restore_location,
    upstream_fields,
)
from policy.memory_store import MemoryStore
from policy.phase import Phase
from policy.store import StoreDelete, StoreFind, StoreGet, StorePut, StoreTake
from policy.trace import Trace

T = TypeVar("T")

NS_PER_S = 1_000_000_000
WOULD_FETCH = "would be fetched"
Contents: TypeAlias = Callable[[str], bytes | None]


def no_content(_url: str) -> bytes | None:
    """Know of no URL what would be fetched from it."""
    return None


class Ending(StrEnum):
    """How an exchange ended: what a client is left with."""

    FORWARD = "forward"
    RESPOND = "respond"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamAnswer:
    """What the upstream is said to answer, if it is asked at all."""

    status_code: int = 200
    headers: tuple[Line, ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """The request as it reaches the upstream."""

    method: str
    url: str
    headers: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientResponse:
    """The response as it reaches the client, without framing."""

    status_code: int
    headers: tuple[Line, ...]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Evaluation:
    """What became of one exchange.

    `decision` is the one that ended the exchange early, None when no rule did. `response` is
    None for a closed connection, `upstream_request` is None when the upstream was not asked.
    `vars` are the variables of all phases, of one name the last phase's. `would_fetch` are the
    URLs whose content was asked for and is not known.
    """

    exchange: Exchange
    trace: Trace = field(default_factory=Trace)
    ending: Ending = Ending.FORWARD
    decision: Decision | None = None
    upstream_request: UpstreamRequest | None = None
    response: ClientResponse | None = None
    vars: dict[str, Any] = field(default_factory=dict)
    would_fetch: list[str] = field(default_factory=list)


def evaluate(
    policy: Policy,
    exchange: Exchange,
    request: Request,
    body: bytes,
    upstream: UpstreamAnswer,
    *,
    contents: Contents = no_content,
    store: MemoryStore | None = None,
) -> Evaluation:
    """Play a request on a new connection through every phase, in their order.

    `contents` stands for the network: what would be fetched from a URL, None for not known.
    `store` is what earlier requests have left, None for nothing.
    """
    play = _Play(policy, exchange, request, body, contents=contents, store=store)
    admission = play.phase(Phase.ON_TCP_CONNECT)
    if not isinstance(admission.outcome, Continue):
        # There is no request yet that could be answered.
        return play.close(admission)

    exchange.request = request
    exchange.changed()
    begin_request(policy, exchange)
    decision = play.phase(Phase.ON_HTTP_REQUEST)
    match decision.outcome:
        case Continue():
            return play.forward(upstream)
        case Respond() as outcome if outcome.runs_response_phase:
            return play.respond_through(decision, outcome)
        case Respond() as outcome:
            return play.respond(decision, outcome)
        case Close():
            return play.close(decision)


def read(content: bytes, parse: Callable[[bytes], Any]) -> Document | Unavailable:
    """Read a document as the proxy would after fetching it."""
    try:
        return Document(value=parse(content), version=1)
    except BadDocument as error:
        return Unavailable(reason=error.reason)


class _Play:
    """One run: the engine's phases, and what they add up to."""

    def __init__(
        self,
        policy: Policy,
        exchange: Exchange,
        request: Request,
        body: bytes,
        *,
        contents: Contents,
        store: MemoryStore | None,
    ) -> None:
        self.contents = contents
        self.world = World(
            body=body,
            now_ns=exchange.surroundings.now_ns,
            contents=self._content,
            store=store,
        )
        self.policy = policy
        self.exchange = exchange
        self.request = request
        self.evaluation = Evaluation(exchange=exchange)

    def phase(self, phase: Phase) -> Decision:
        """Run one phase and keep its variables."""
        run = run_phase(self.policy, phase, self.exchange, self.evaluation.trace)
        decision = self.world.answered(run)
        self.evaluation.vars |= self.exchange.vars
        return decision

    def _content(self, url: str) -> bytes | None:
        content = self.contents(url)
        if content is None and url not in self.evaluation.would_fetch:
            self.evaluation.would_fetch.append(url)
        return content

    def forward(self, upstream: UpstreamAnswer) -> Evaluation:
        """Let the upstream answer, then run the response phase on its answer."""
        self.evaluation.upstream_request = UpstreamRequest(
            method=self.request.method,
            url=self._upstream_url(),
            headers=tuple(upstream_fields(self.exchange, owned=self.policy.owned_headers)),
        )
        response = Response(
            status_code=upstream.status_code, headers=received_fields(upstream.headers)
        )
        restore_location(self.request, response)
        return self._respond_with(response, upstream.body)

    def _upstream_url(self) -> str:
        """Return what is asked for: a rewritten scheme or host leads to no other upstream."""
        path_and_query = "" if self.request.url.path == "*" else self.request.url.uri
        return f"{self.exchange.endpoint.url}{path_and_query}"

    def respond_through(self, decision: Decision, outcome: Respond[Any]) -> Evaluation:
        """Run the response phase on a response that a request rule made."""
        self.evaluation.ending = Ending.RESPOND
        self.evaluation.decision = decision
        response = Response(
            status_code=outcome.status_code, headers=Fields(response_lines(outcome))
        )
        return self._respond_with(response, outcome.body)

    def _respond_with(self, response: Response, body: bytes) -> Evaluation:
        self.exchange.response = response
        self.exchange.changed()
        decision = self.phase(Phase.ON_HTTP_RESPONSE)
        match decision.outcome:
            case Continue():
                return self._finish(response.status_code, tuple(response.headers), body)
            case Respond() as outcome:
                return self.respond(decision, outcome)
            case Close():
                return self.close(decision)

    def respond(self, decision: Decision, outcome: Respond[Any]) -> Evaluation:
        """Answer with the response of a rule, as it is."""
        self.evaluation.ending = Ending.RESPOND
        self.evaluation.decision = decision
        return self._finish(outcome.status_code, response_lines(outcome), outcome.body)

    def close(self, decision: Decision) -> Evaluation:
        """Answer nothing."""
        self.evaluation.ending = Ending.CLOSE
        self.evaluation.decision = decision
        return self.evaluation

    def _finish(self, status_code: int, lines: tuple[Line, ...], body: bytes) -> Evaluation:
        bodiless = status_code in (204, 304) or self.request.method == "HEAD"
        self.evaluation.response = ClientResponse(
            status_code=status_code, headers=lines, body=b"" if bodiless else body
        )
        return self.evaluation


def response_lines(outcome: Respond[Any]) -> tuple[Line, ...]:
    """Return the fields of a response made here, with the error code that explains it."""
    if outcome.error_code is None:
        return outcome.headers
    return (*outcome.headers, (ERROR_CODE_FIELD, outcome.error_code))


class World:
    """What is outside of an exchange, as values that answer its effects."""

    def __init__(
        self,
        *,
        body: bytes = b"",
        now_ns: Callable[[], int],
        contents: Contents = no_content,
        store: MemoryStore | None = None,
    ) -> None:
        """Prepare; see `evaluate`."""
        self._body = body
        self._now_ns = now_ns
        self._contents = contents
        self._store = MemoryStore(now=lambda: now_ns() / NS_PER_S) if store is None else store

    def answered(self, steps: Generator[Effect, Any, T]) -> T:
        """Drive a phase, or a piece of work within one, to its end."""
        step = partial(steps.send, None)
        while True:
            try:
                effect = step()
            except StopIteration as stop:
                end: T = stop.value
                return end
            try:
                step = partial(steps.send, self._reply_to(effect))
            except Exception as error:  # noqa: BLE001 - it is for whoever asked
                step = partial(steps.throw, error)

    def _reply_to(self, effect: Effect) -> object:
        match effect:
            case ReadBody(limit_bytes=limit):
                return self._body if len(self._body) <= limit else None
            case Now():
                return self._now_ns()
            case Fetch(url=url):
                content = self._contents(url)
                if content is None:
                    return FetchFailed(reason=WOULD_FETCH)
                return Fetched(status_code=200, body=content)
            case GetDocument(url=url, parse=parse):
                content = self._contents(url)
                return Unavailable(reason=WOULD_FETCH) if content is None else read(content, parse)
            case StoreGet() | StorePut() | StoreTake() | StoreDelete() | StoreFind():
                return self._store.answer(effect)
            case Once(work=work):
                return self.answered(work())
            case Wait():
                return None
            case Compute(run=run):
                return run()
            case _:
                assert_never(effect)
