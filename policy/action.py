"""The face of every action: its name, phases, configuration, result, and what it can decide."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from policy.continuation import Continue
from policy.effect import Effect, GetDocument
from policy.exchange import Endpoint, Exchange
from policy.phase import Phase
from policy.problem import Place, Problem, Severity

__all__ = [
    "Action", "ActionConfig", "ActionError", "Close", "Continue", "Doc", "Exchange", "Outcome",
    "Respond", "Site", "Terminates",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doc:
    """One sentence on a field, inside `Annotated`; the reference page and schema show it."""

    text: str


class ActionConfig(BaseModel):
    """Base of every action's `Config`: strict types, unknown fields refused, never changed."""

    # What to write instead of a field that authors try and that does not exist.
    field_hints: ClassVar[Mapping[str, str]] = {}

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True, defer_build=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionError:
    """The `error` part of a result; read as null while unset."""

    code: str
    message: str


R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond(Generic[R]):
    """End the phase with a response made here; the upstream is not asked (or its answer dropped).

    `reason` is the stable code that the completion event names. `error_code` ("ERR_NGROK_3203")
    is sent as the `ngrok-error-code` header. `runs_response_phase` follows language spec,
    section 1.3: true for custom-response and redirect, false for every denial. An answer on a
    path of ours that `rules_may_replace` is a default only: rules with expressions that match the
    path still run, and may send the browser elsewhere in its place.
    """

    status_code: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error_code: str | None = None
    runs_response_phase: bool = False
    rules_may_replace: bool = False
    result: R | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Generic[R]):
    """Close the client's connection without a response."""

    reason: str
    error_code: str | None = None
    result: R | None = None


Outcome: TypeAlias = Continue[R] | Respond[R] | Close[R]
Steps: TypeAlias = Generator[Effect, Any, Outcome[R]]

C = TypeVar("C", bound=ActionConfig)


def never(_config: Any) -> bool:
    """Say of an action that nothing in its configuration makes it end every request."""
    return False


def as_it_is(config: Any) -> Any:
    """Prepare nothing: an action runs with its configuration itself."""
    return config


def always(_config: Any) -> bool:
    """Say of an action that it ends the phase whenever it runs."""
    return True


Terminates: TypeAlias = Callable[[Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(Generic[C]):
    """What an action answers by itself, wherever its rule stands and whatever it asks for.

    Requests for one of `paths` are given to `serve` before the first rule. `auth_id` tells
    several such actions of a policy apart: it is named in the URL's query, and no two may have
    the same. Without it each is tried in turn until one does not `Continue`; `is_last` says that
    no other is left. `cookies` are the names that are its own: they are set apart from what
    policies and the upstream see, and the upstream may not set them (T-CK-1, T-CK-2).
    `lint_endpoint` is what it finds about an endpoint whose policy it is in, `shared_cookies` are
    those of its cookies that browsers show to another endpoint as well.
    """

    paths: frozenset[str]
    auth_id: Callable[[C], str | None]
    cookies: Callable[[C], frozenset[str]]
    serve: Callable[[C, Exchange, bool], Steps[Any]]
    lint_endpoint: Callable[[C, Endpoint], Iterable[Lint]] = lambda _config, _endpoint: ()
    shared_cookies: Callable[[C, Endpoint], frozenset[str]] = lambda _config, _endpoint: frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Generic[C]):
    """What an action's module offers; the engine, the checker and the reference read only this.

    `run` returns what it decided; with `effects` it may return a generator instead, that yields
    effects before it decides. Connections are decided at once: none of these runs there.
    `prepare` makes of a checked configuration what `run` takes in its place, such as lines ready
    to be added. That happens at load, and for each request only where a configuration waits for
    one; without it `run` takes the configuration itself.
    `terminates` tells from the checked configuration whether the phase ends here every time, so
    that whatever follows in the rule is unreachable (2207); `answers` is for what ends it but in
    odd cases, and so will do as the last word of an endpoint without upstream (2235).
    `sets_request_headers` names the fields that the action writes for the upstream: a client's
    own copies of them are removed before the first rule. `lint` gives warnings on a valid
    configuration. In `phases_without_config` a configuration is refused (2203).
    `ip_policy_names` are the named lists of the operator that a configuration relies on; an
    unknown one is refused (2216). `documents` are those that a configuration will ask for by
    fixed URLs: they are fetched before the first request and kept fresh. `site` is what it
    answers by itself.
    """

    name: str
    phases: frozenset[Phase]
    config: type[C]
    run: Callable[[Any, Exchange], Outcome[Any] | Steps[Any]]
    prepare: Callable[[C], Any] = as_it_is
    result: type[Any] | None = None
    effects: bool = False
    terminates: Terminates = never
    answers: Terminates = never
    sets_request_headers: Callable[[Any], frozenset[str]] = lambda _config: frozenset()
    lint: Callable[[Any], tuple[Lint, ...]] = lambda _config: ()
    phases_without_config: frozenset[Phase] = frozenset()
    ip_policy_names: Callable[[Any], tuple[str, ...]] = lambda _config: ()
    documents: Callable[[Any], tuple[GetDocument, ...]] = lambda _config: ()
    site: Site[C] | None = None

    def __post_init__(self) -> None:
        """Refuse an action that could keep a connection waiting; raises ValueError."""
        if self.effects and Phase.ON_TCP_CONNECT in self.phases:
            raise ValueError(f"{self.name} has effects, for which on_tcp_connect does not wait")

    @property
    def result_namespace(self) -> str:
        """The name below `actions.ngrok` under which results are found."""
        return namespace_of(self.name)


# Two actions leave their results under another name than their own.
NAMESPACES = {"compress-response": "compress", "openid-connect": "oidc"}


def namespace_of(name: str) -> str:
    """Return where an action's results stand below `actions.ngrok`."""
    return NAMESPACES.get(name) or name.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """What an action finds in its own configuration, at a field path of it.

    Usually a warning. An error is for what can't be refused by a field's type, because the type
    also reads values that come with a request.
    """

    code: str
    message: str
    path: tuple[str | int, ...] = ()
    hint: str | None = None
    severity: Severity = Severity.WARNING
    reference: str | None = None

    def problem(self, place: Place) -> Problem:
        """Return the problem with this finding at its place."""
        return Problem(
            code=self.code,
            message=self.message,
            place=place,
            severity=self.severity,
            hint=self.hint,
            reference=self.reference,
        )
