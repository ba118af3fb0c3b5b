"""Who has signed in, from what a verified assertion says.

A subject is what its name, the name's format and its qualifiers say together (SAML core, section
8.3): the same name in another format may be somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from actions.login.email import plain_email
from actions.login.session import Person
from actions.saml.names import EMAIL, UNSPECIFIED, UNSPECIFIED_2
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.settings import Config

if TYPE_CHECKING:
    from actions.saml.assertion import Assertion, NameId

MAX_NAME: Final = 512
# Names have no control characters in them, so that this can't be part of one.
SEPARATOR: Final = "\x1f"

# What sessions remember.
NAME_ID: Final = "name_id"
NAME_ID_FORMAT: Final = "name_id_format"
NAME_QUALIFIER: Final = "name_qualifier"
SP_NAME_QUALIFIER: Final = "sp_name_qualifier"
SESSION_INDEX: Final = "session_index"
GROUPS: Final = "groups"
SERVICE: Final = "service"


def subject_of(name_id: NameId, provider: IdentityProvider, service: ServiceProvider) -> str:
    """Return what identifies a user at a provider: the name alone, where nothing else is unusual.

    A qualifier that is left out is the party's own entity id.
    """
    written = UNSPECIFIED if name_id.format == UNSPECIFIED_2 else name_id.format
    usual = UNSPECIFIED if service.name_id_format == UNSPECIFIED_2 else service.name_id_format
    unusual = [] if written == usual else [f"format={written}"]
    if name_id.name_qualifier not in (None, provider.entity_id):
        unusual.append(f"by={name_id.name_qualifier}")
    if name_id.sp_name_qualifier not in (None, service.entity_id):
        unusual.append(f"for={name_id.sp_name_qualifier}")
    return SEPARATOR.join((name_id.value, *unusual))


def person_of(
    assertion: Assertion, config: Config, provider: IdentityProvider, service: ServiceProvider
) -> Person:
    """Return the user whom an assertion is about."""
    name_id = assertion.name_id
    attributes = attributes_of(assertion, config)
    email = _single(attributes, config, "email")
    if "email" not in config.attributes and name_id.format == EMAIL:
        email = name_id.value
    return Person(
        subject=subject_of(name_id, provider, service),
        email=plain_email(email),
        name=_single(attributes, config, "name")[:MAX_NAME],
        username=_single(attributes, config, "username")[:MAX_NAME],
        claims=attributes,
    )


def attributes_of(assertion: Assertion, config: Config) -> dict[str, Any]:
    """Return the attributes by their names in the result, each with all its values.

    Those that the configuration does not name keep their own names; but under a name that it
    gives, nothing else is ever found.
    """
    named = {
        name: list(assertion.attributes.get(attribute, ()))
        for name, attribute in config.attributes.items()
    }
    taken = set(config.attributes.values())
    others = {
        name: list(values) for name, values in assertion.attributes.items() if name not in taken
    }
    return others | named


def groups_of(assertion: Assertion, config: Config) -> list[str]:
    """Return the groups, each once, in their order."""
    return list(dict.fromkeys(assertion.attributes.get(config.groups_attribute, ())))


def is_authorized(groups: Iterable[str], config: Config) -> bool:
    """Tell whether a member of these groups may pass; they are compared exactly."""
    wanted = config.authorized_groups
    return wanted is None or not set(wanted).isdisjoint(groups)


def details_of(assertion: Assertion, config: Config, service: ServiceProvider) -> dict[str, Any]:
    """Return what a session has to remember: for results, and for a logout at the provider."""
    name_id = assertion.name_id
    return {
        NAME_ID: name_id.value,
        NAME_ID_FORMAT: name_id.format,
        NAME_QUALIFIER: name_id.name_qualifier,
        SP_NAME_QUALIFIER: name_id.sp_name_qualifier,
        SESSION_INDEX: assertion.session_index or "",
        GROUPS: groups_of(assertion, config),
        SERVICE: service.entity_id,
    }


def remembered_name(details: Mapping[str, Any]) -> NameId:
    """Return the name that a session was opened for."""
    from actions.saml.assertion import NameId

    return NameId(
        value=details[NAME_ID],
        format=details[NAME_ID_FORMAT],
        name_qualifier=details[NAME_QUALIFIER],
        sp_name_qualifier=details[SP_NAME_QUALIFIER],
    )


def _single(attributes: Mapping[str, Any], config: Config, name: str) -> str:
    """Return the only value of an attribute that the configuration names."""
    values: list[str] = attributes[name] if name in config.attributes else []
    return values[0] if len(values) == 1 else ""
