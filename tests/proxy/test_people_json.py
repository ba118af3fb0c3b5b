"""Users and sessions as the reference API shows them (language spec, section 7)."""

from __future__ import annotations

from proxy.people_json import identity_json, session_json
from tests.proxy.people import IDENTITY, PHONE, SESSION, session

BASE = "http://127.0.0.1:4041"


def test_a_session_has_the_language_s_fields_and_no_token() -> None:
    shown = session_json(SESSION, BASE)
    assert shown == {
        "id": "as_1",
        "uri": f"{BASE}/app/sessions/as_1",
        "public_url": "https://orders.example.com",
        "browser_session": {
            "user_agent": {
                "raw": PHONE,
                "browser_name": "Mobile Safari",
                "browser_version": "17.5",
                "device_type": "mobile",
                "os_name": "iOS",
                "os_version": "17.5",
            },
            "ip_address": "203.0.113.7",
            "location": {
                "country_code": "DE",
                "latitude": 52.5,
                "longitude": 13.4,
                "lat_long_radius_km": 20.0,
            },
        },
        "application_user": {
            "id": "au_1",
            "uri": f"{BASE}/app/users/au_1",
            "email": "ada@example.com",
            "name": "Ada",
        },
        "identity_provider": {"name": "id.example.net", "url": "https://id.example.net"},
        "auth_id": "default",
        "created_at": "2026-03-01T12:00:00Z",
        "last_active": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-02T12:00:00Z",
        "endpoint": {"id": "ep_orders", "uri": None},
    }
    assert "secret-" not in str(shown)


def test_what_is_not_known_of_a_browser_is_empty() -> None:
    browser = session_json(session("as_2", agent="", place=False), BASE)["browser_session"]
    assert set(browser["user_agent"].values()) == {""}
    assert set(browser["location"].values()) == {"", None}


def test_a_user_has_the_language_s_fields() -> None:
    assert identity_json(IDENTITY, BASE) == {
        "id": "au_1",
        "uri": f"{BASE}/app/users/au_1",
        "identity_provider": {"name": "id.example.net", "url": "https://id.example.net"},
        "provider_user_id": "ada",
        "username": "ada.l",
        "email": "ada@example.com",
        "name": "Ada",
        "created_at": "2026-03-01T12:00:00Z",
        "last_active": "2026-03-01T12:00:00Z",
        "last_login": "2026-03-01T12:00:00Z",
    }
