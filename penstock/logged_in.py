"""Who is logged in, in `penstock eval`: a file says it, since there is no provider to ask.

The login actions of the policy then let that person in, so that the rules after them can be
tried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from actions.login.result import AS_USUAL, Circumstances
from actions.login.result import make_result as oauth_result
from actions.login.session import Browser, Person, Session, Tokens
from actions.openid_connect import make_result as openid_result
from actions.saml.result import make_result as saml_result
from penstock.sample_exchange import LOOPBACK
from policy.action import Continue, Exchange
from policy.compiled import CompiledAction, CompiledRule, Policy
from policy.config import DecodedConfig
from policy.phase import Phase
from proxy.failure import Failure

MakeResult = Callable[[Session | None, Circumstances], Any]
RESULTS: Final[Mapping[str, MakeResult]] = {
    "oauth": oauth_result,
    "openid-connect": openid_result,
    "saml": saml_result,
}
PERSON: Final = TypeAdapter(Person)
AUTH_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_FILE: Final = 1024 * 1024
HINT: Final = (
    'write {"subject": "1001", "email": "ada@example.com", "name": "Ada", "username": "ada", '
    '"claims": {}}; only "subject" has to be there'
)


def with_logins(policy: Policy, flags: list[str]) -> Policy:
    """Read --login flags, each `FILE` or `AUTH_ID=FILE`, and let these people in.

    Raises Failure for a file of no use, and for a login that the policy does not have.
    """
    if not flags:
        return policy
    logins = _Logins({auth_id: person_in(path) for auth_id, path in map(split_flag, flags)})
    phase = Phase.ON_HTTP_REQUEST
    changed = tuple(logins.rule(rule) for rule in policy.rules.get(phase, ()))
    unknown = sorted(set(logins.people) - logins.used)
    if unknown:
        named = f"login with auth_id {unknown[0]!r}" if unknown[0] else "login"
        raise Failure(f"the policy has no {named}", hint="it is named in --login")
    return policy.with_other(rules={**policy.rules, phase: changed})


def split_flag(flag: str) -> tuple[str, Path]:
    """Return auth_id and file; "" stands for every login that has no file of its own."""
    auth_id, separator, path = flag.partition("=")
    is_auth_id = bool(separator) and bool(AUTH_ID.fullmatch(auth_id))
    return (auth_id, Path(path)) if is_auth_id else ("", Path(flag))


def person_in(path: Path) -> Person:
    """Read a file with one person; raises Failure."""
    try:
        with path.open("rb") as file:
            return PERSON.validate_json(file.read(MAX_FILE))
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", hint=HINT) from None
    except ValidationError:
        raise Failure(f"{path}: that describes nobody", hint=HINT) from None


@dataclass
class _Logins:
    """Puts people in place of logins; `used` are those that some login has let in."""

    people: Mapping[str, Person]

    def __post_init__(self) -> None:
        self.used: set[str] = set()

    def rule(self, rule: CompiledRule) -> CompiledRule:
        return CompiledRule(
            index=rule.index,
            name=rule.name,
            conditions=rule.conditions,
            actions=tuple(self._step(step) for step in rule.actions),
        )

    def _step(self, step: CompiledAction) -> CompiledAction:
        make_result = RESULTS.get(step.action.name)
        settings = step.config.static or step.config.sample
        if make_result is None or settings is None:
            return step
        name = (settings.auth_id or "") if (settings.auth_id or "") in self.people else ""
        person = self.people.get(name)
        if person is None:
            return step
        self.used.add(name)
        result = make_result(_session(person, settings.login_name), AS_USUAL)

        def run(_config: Any, _exchange: Exchange) -> Continue[Any]:
            return Continue(result)

        # No credentials are needed: nobody is asked.
        known = DecodedConfig(settings, settings, lambda *_: settings, step.config.places)
        action = replace(step.action, run=run, effects=False)
        return CompiledAction(action=action, config=known)


def _session(person: Person, auth_id: str) -> Session:
    return Session(
        id="se_eval",
        scope="",
        auth_id=auth_id,
        endpoint_id="ep_eval",
        public_url="",
        provider_name="",
        provider_url="",
        identity_id="id_eval",
        person=person,
        tokens=Tokens(),
        browser=Browser(user_agent="", ip_address=LOOPBACK),
        agreed="",
        created_ns=0,
        last_active_ns=0,
        refreshed_ns=0,
        ends_ns=0,
    )
