"""One account at each provider, as the provider's API tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.login.session import Person
from tests.actions.oauth.scripts import CLIENT_ID, grant

PERSONAL_ID = "24f06c5d4c0e3c8e"
WORK_ID = "48d31887-5fad-4d73-a9f5-3c356e68a038"


@dataclass(frozen=True)
class Account:
    """What a provider answers, and who that is. `about` is where it tells of the user."""

    answers: dict[str, Any]
    person: Person
    about: str
    check: str = ""
    tokens: str = ""


GITHUB = "https://api.github.com"
ACCOUNTS = {
    "amazon": Account(
        tokens="POST https://api.amazon.com/auth/o2/token",
        check="GET https://api.amazon.com/auth/o2/tokeninfo",
        about="GET https://api.amazon.com/user/profile",
        answers={
            "POST https://api.amazon.com/auth/o2/token": grant(refresh_token="Atzr|1"),
            "GET https://api.amazon.com/auth/o2/tokeninfo": {
                "aud": CLIENT_ID,
                "user_id": "amzn1.account.K2",
            },
            "GET https://api.amazon.com/user/profile": {
                "user_id": "amzn1.account.K2",
                "name": "Ada Amazon",
                "email": "ada@example.com",
            },
        },
        person=Person(
            subject="amzn1.account.K2",
            name="Ada Amazon",
            claims={
                "user_id": "amzn1.account.K2",
                "name": "Ada Amazon",
                "email": "ada@example.com",
            },
        ),
    ),
    "facebook": Account(
        tokens="POST https://graph.facebook.com/v23.0/oauth/access_token",
        check="GET https://graph.facebook.com/v23.0/debug_token",
        about="GET https://graph.facebook.com/v23.0/me",
        answers={
            "POST https://graph.facebook.com/v23.0/oauth/access_token": grant(),
            "GET https://graph.facebook.com/v23.0/debug_token": {
                "data": {"app_id": CLIENT_ID, "is_valid": True, "user_id": "1020"}
            },
            "GET https://graph.facebook.com/v23.0/me": {
                "id": "1020",
                "name": "Ada F",
                "email": "ada@example.com",
                "permissions": {"data": [{"permission": "email", "status": "granted"}]},
            },
        },
        person=Person(
            subject="1020",
            name="Ada F",
            claims={"id": "1020", "name": "Ada F", "email": "ada@example.com"},
        ),
    ),
    "github": Account(
        tokens="POST https://github.com/login/oauth/access_token",
        check=f"POST {GITHUB}/applications/{CLIENT_ID}/token",
        about=f"GET {GITHUB}/user",
        answers={
            "POST https://github.com/login/oauth/access_token": grant(
                expires_in=None, scope="read:org,read:user,user:email"
            ),
            f"POST {GITHUB}/applications/{CLIENT_ID}/token": {"app": {"client_id": CLIENT_ID}},
            f"GET {GITHUB}/user": {
                "login": "ada",
                "id": 583231,
                "name": "Ada H",
                "type": "User",
                "email": "public@example.com",
            },
            f"GET {GITHUB}/user/emails": [
                {"email": "old@example.com", "verified": False, "primary": False},
                {"email": "ada@example.com", "verified": True, "primary": True},
                {"email": "ada@example.org", "verified": True, "primary": False},
            ],
            f"GET {GITHUB}/user/orgs": [{"login": "acme", "id": 1}],
            f"GET {GITHUB}/user/teams": [{"slug": "ops", "organization": {"login": "acme"}}],
        },
        person=Person(
            subject="583231",
            email="ada@example.com",
            name="Ada H",
            username="ada",
            claims={
                "login": "ada",
                "id": 583231,
                "name": "Ada H",
                "type": "User",
                "emails": ["ada@example.com", "ada@example.org"],
                "organizations": ["acme"],
                "teams": ["acme/ops"],
            },
        ),
    ),
    "gitlab": Account(
        tokens="POST https://gitlab.com/oauth/token",
        check="GET https://gitlab.com/oauth/token/info",
        about="GET https://gitlab.com/oauth/userinfo",
        answers={
            "POST https://gitlab.com/oauth/token": grant(refresh_token="r-1", id_token="a.b.c"),
            "GET https://gitlab.com/oauth/token/info": {
                "resource_owner_id": 7,
                "application": {"uid": CLIENT_ID},
            },
            "GET https://gitlab.com/oauth/userinfo": {
                "sub": "7",
                "name": "Ada L",
                "nickname": "ada",
                "email": "ada@example.com",
                "email_verified": True,
                "groups": ["acme", "acme/ops"],
            },
        },
        person=Person(
            subject="7",
            email="ada@example.com",
            name="Ada L",
            username="ada",
            claims={
                "sub": "7",
                "name": "Ada L",
                "nickname": "ada",
                "email": "ada@example.com",
                "email_verified": True,
                "groups": ["acme", "acme/ops"],
            },
        ),
    ),
    "google": Account(
        tokens="POST https://oauth2.googleapis.com/token",
        check="GET https://www.googleapis.com/oauth2/v3/tokeninfo",
        about="GET https://www.googleapis.com/oauth2/v3/userinfo",
        answers={
            "POST https://oauth2.googleapis.com/token": grant(),
            "GET https://www.googleapis.com/oauth2/v3/tokeninfo": {
                "aud": CLIENT_ID,
                "azp": CLIENT_ID,
            },
            "GET https://www.googleapis.com/oauth2/v3/userinfo": {
                "sub": "110169484474386276334",
                "name": "Ada G",
                "email": "ada@example.com",
                "email_verified": True,
                "hd": "example.com",
            },
        },
        person=Person(
            subject="110169484474386276334",
            email="ada@example.com",
            name="Ada G",
            claims={
                "sub": "110169484474386276334",
                "name": "Ada G",
                "email": "ada@example.com",
                "email_verified": True,
                "hd": "example.com",
            },
        ),
    ),
    "linkedin": Account(
        tokens="POST https://www.linkedin.com/oauth/v2/accessToken",
        check="POST https://www.linkedin.com/oauth/v2/introspectToken",
        about="GET https://api.linkedin.com/v2/userinfo",
        answers={
            "POST https://www.linkedin.com/oauth/v2/accessToken": grant(token_type="Bearer"),
            "POST https://www.linkedin.com/oauth/v2/introspectToken": {
                "active": True,
                "client_id": CLIENT_ID,
            },
            "GET https://api.linkedin.com/v2/userinfo": {
                "sub": "782bbtaQ",
                "name": "Ada I",
                "email": "ada@example.com",
                "email_verified": True,
            },
        },
        person=Person(
            subject="782bbtaQ",
            email="ada@example.com",
            name="Ada I",
            claims={
                "sub": "782bbtaQ",
                "name": "Ada I",
                "email": "ada@example.com",
                "email_verified": True,
            },
        ),
    ),
    "microsoft": Account(
        tokens="POST https://login.microsoftonline.com/common/oauth2/v2.0/token",
        about="GET https://graph.microsoft.com/v1.0/me",
        answers={
            "POST https://login.microsoftonline.com/common/oauth2/v2.0/token": grant(),
            "GET https://graph.microsoft.com/v1.0/me": {
                "id": WORK_ID,
                "displayName": "Ada M",
                "mail": "ada@example.com",
                "userPrincipalName": "ada@example.onmicrosoft.com",
                "jobTitle": None,
            },
            "GET https://graph.microsoft.com/v1.0/organization": {
                "value": [
                    {
                        "id": "org-1",
                        "displayName": "Example",
                        "verifiedDomains": [
                            {"name": "example.onmicrosoft.com"},
                            {"name": "Example.com"},
                        ],
                    }
                ]
            },
        },
        person=Person(
            subject=WORK_ID,
            email="ada@example.com",
            name="Ada M",
            username="ada@example.onmicrosoft.com",
            claims={
                "id": WORK_ID,
                "displayName": "Ada M",
                "mail": "ada@example.com",
                "userPrincipalName": "ada@example.onmicrosoft.com",
                "organization": {
                    "id": "org-1",
                    "displayName": "Example",
                    "verifiedDomains": ["example.onmicrosoft.com", "example.com"],
                },
            },
        ),
    ),
    "twitch": Account(
        tokens="POST https://id.twitch.tv/oauth2/token",
        check="GET https://id.twitch.tv/oauth2/validate",
        about="GET https://api.twitch.tv/helix/users",
        answers={
            "POST https://id.twitch.tv/oauth2/token": grant(
                refresh_token="r-1", scope=["user:read:email"]
            ),
            "GET https://id.twitch.tv/oauth2/validate": {"client_id": CLIENT_ID, "user_id": "141"},
            "GET https://api.twitch.tv/helix/users": {
                "data": [
                    {
                        "id": "141",
                        "login": "ada",
                        "display_name": "Ada",
                        "email": "ada@example.com",
                    }
                ]
            },
        },
        person=Person(
            subject="141",
            email="ada@example.com",
            name="Ada",
            username="ada",
            claims={
                "id": "141",
                "login": "ada",
                "display_name": "Ada",
                "email": "ada@example.com",
            },
        ),
    ),
}
