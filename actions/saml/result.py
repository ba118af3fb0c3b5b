"""What a SAML login leaves behind for expressions (language spec, section 5.24)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from actions.login.result import Circumstances, IdentityResult, common_parts, moment
from actions.login.session import Session
from actions.saml.identity import GROUPS, NAME_ID, NAME_ID_FORMAT, SESSION_INDEX
from policy.action import ActionError, Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    name_id: Annotated[str, Doc("The user's name at the provider, as the assertion has it.")] = ""
    name_id_format: Annotated[str, Doc("What sort of name that is (URN).")] = ""
    session_index: Annotated[str, Doc("The provider's own name for the session.")] = ""
    attributes: Annotated[
        dict[str, Any], Doc("All attributes, each a list of texts; named as in `attributes`.")
    ]
    groups: Annotated[list[str], Doc("The groups, from `groups_attribute`.")]
    expires_at: Annotated[str, Doc("When the session ends at the latest (RFC 3339).")] = ""
    session_timed_out: Annotated[bool, Doc("The session had lain idle for too long.")] = False
    session_max_duration_reached: Annotated[bool, Doc("The session was at its end.")] = False
    identity: Annotated[IdentityResult, Doc("Who is logged in.")]
    error: Annotated[ActionError | None, Doc("Why nobody is logged in.")] = None


def make_result(session: Session | None, circumstances: Circumstances) -> Result:
    """Say who is logged in, and what the provider said about it."""
    parts = common_parts(session, circumstances)
    if session is None:
        return Result(attributes={}, groups=[], **parts)
    details, person = session.details, session.person
    attributes = dict(person.claims)
    name_id = details.get(NAME_ID, person.subject)
    parts["identity"] = replace(parts["identity"], provider_user_id=name_id)
    return Result(
        name_id=name_id,
        name_id_format=details.get(NAME_ID_FORMAT, ""),
        session_index=details.get(SESSION_INDEX, ""),
        attributes=attributes,
        groups=list(details.get(GROUPS, attributes.get(GROUPS, ()))),
        expires_at=moment(session.ends_ns),
        **parts,
    )
