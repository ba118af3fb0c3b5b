"""Users and sessions as the reference API shows them (language spec, section 7). Never a token."""

from __future__ import annotations

from typing import Any

from actions.login.result import moment
from actions.login.session import Browser, Identity, Session
from policy.user_agent import parse_user_agent

SESSIONS_PATH = "/app/sessions"
USERS_PATH = "/app/users"


def session_json(session: Session, base: str) -> dict[str, Any]:
    """Describe a session; `base` is where the API is. What the reference has no name for: extras.

    These are the user's `email` and `name`, `identity_provider` and `auth_id`.
    """
    return {
        "id": session.id,
        "uri": f"{base}{SESSIONS_PATH}/{session.id}",
        "public_url": session.public_url,
        "browser_session": _browser_json(session.browser),
        "application_user": {
            "id": session.identity_id,
            "uri": f"{base}{USERS_PATH}/{session.identity_id}",
            "email": session.person.email,
            "name": session.person.name,
        },
        "identity_provider": {"name": session.provider_name, "url": session.provider_url},
        "auth_id": session.auth_id,
        "created_at": moment(session.created_ns),
        "last_active": moment(session.last_active_ns),
        "expires_at": moment(session.ends_ns),
        "endpoint": {"id": session.endpoint_id, "uri": None},
    }


def identity_json(identity: Identity, base: str) -> dict[str, Any]:
    """Describe a user."""
    person = identity.person
    return {
        "id": identity.id,
        "uri": f"{base}{USERS_PATH}/{identity.id}",
        "identity_provider": {"name": identity.provider_name, "url": identity.provider_url},
        "provider_user_id": person.subject,
        "username": person.username,
        "email": person.email,
        "name": person.name,
        "created_at": moment(identity.created_ns),
        "last_active": moment(identity.last_active_ns),
        "last_login": moment(identity.last_login_ns),
    }


def _browser_json(browser: Browser) -> dict[str, Any]:
    agent = parse_user_agent(browser.user_agent)
    kinds = {
        "bot": agent.is_bot,
        "tablet": agent.is_tablet,
        "mobile": agent.is_mobile,
        "desktop": agent.is_desktop,
    }
    return {
        "user_agent": {
            "raw": browser.user_agent,
            "browser_name": agent.name,
            "browser_version": agent.version,
            "device_type": next((kind for kind, is_it in kinds.items() if is_it), ""),
            "os_name": agent.os,
            "os_version": agent.os_version,
        },
        "ip_address": browser.ip_address,
        "location": {
            "country_code": browser.country_code,
            "latitude": _number(browser.latitude),
            "longitude": _number(browser.longitude),
            "lat_long_radius_km": _number(browser.radius_km),
        },
    }


def _number(text: str) -> float | None:
    return float(text) if text else None
