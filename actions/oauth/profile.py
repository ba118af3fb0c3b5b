"""Reads what providers say about users, strictly: a value of the wrong kind is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from actions.login.email import plain_email
from actions.login.session import Person
from actions.oauth.api import invalid_answer
from policy.oauth_endpoints import OauthEndpoints

MAX_CLAIMS: Final = 64 * 1024
MAX_NAME: Final = 500

# OpenID Connect Core, section 2: up to 255 ASCII characters.
_SUBJECT = re.compile(r"[!-~]{1,255}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Grant:
    """What a provider's API is asked with. Shows no secret."""

    token: str
    client_id: str
    client_secret: str
    endpoints: OauthEndpoints
    scopes: tuple[str, ...] = ()
    takes_unverified_email: bool = False


def person_of(
    subject: object,
    *,
    email: str = "",
    name: object = "",
    username: object = "",
    claims: Mapping[str, Any],
) -> Person:
    """Make a person; raises ApiError where nothing tells the user from others for ever.

    `email` is one that is verified, or "".
    """
    if len(json.dumps(claims)) > MAX_CLAIMS:
        raise invalid_answer("what it says about the user is too long")
    return Person(
        subject=subject_of(subject),
        email=email,
        name=shown_text(name),
        username=shown_text(username),
        claims=claims,
    )


def subject_of(value: object) -> str:
    """Return a user's id as text; raises ApiError."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _SUBJECT.fullmatch(text):
        return text
    raise invalid_answer("the user has no id")


def email_of(value: object, *, is_verified: bool) -> str:
    """Return an address that the provider has verified and that reads in one way only; else "".

    Its domain is in lower case: a rule about it must not depend on how somebody has written it.
    """
    address = plain_email(value) if is_verified else ""
    return address if "." in address.rpartition("@")[2] else ""


def shown_text(value: object) -> str:
    """Return text that people can be shown; "" for what is none."""
    return _CONTROL.sub("", value)[:MAX_NAME].strip() if isinstance(value, str) else ""


def text_of(value: object) -> str:
    """Return text; "" for anything else."""
    return value if isinstance(value, str) else ""


def chosen(answer: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return those members of an answer that policies may want, where they say anything."""
    return {name: answer[name] for name in names if answer.get(name) not in (None, "")}


def objects_in(values: object) -> list[Mapping[str, Any]]:
    """Return a list of objects; raises ApiError for anything else."""
    if isinstance(values, list) and all(isinstance(each, dict) for each in values):
        return values
    raise invalid_answer("a list of objects was expected")
