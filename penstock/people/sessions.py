"""`penstock sessions`: list the sessions of users, and end them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from penstock.check import counted
from penstock.output import FAINT, Span, line, show
from penstock.people.admin_client import AdminClient, Entry
from penstock.people.options import (
    AdminOption,
    AllOption,
    ConfigOption,
    EmailOption,
    JsonOption,
    TokenOption,
    YesOption,
    check_choice,
    client_for,
    confirm,
    has_email,
    print_json,
)
from penstock.people.revoking import report, revoke
from penstock.people.table import table

PATH = "/app/sessions"
LISTING = "application_sessions"
HEAD = ("SESSION", "USER", "USER ID", "SITE", "ADDRESS", "BROWSER", "LAST ACTIVE", "EXPIRES")

UserOption = Annotated[
    str | None, typer.Option(metavar="USER_ID", help="Only of this user (au_...).")
]


def build_app() -> typer.Typer:
    """Make the group of commands."""
    app = typer.Typer(help="Who is logged in; an end to sessions.", no_args_is_help=True)
    app.command("list")(list_sessions)
    app.command("revoke")(revoke_sessions)
    return app


def list_sessions(
    *,
    user: UserOption = None,
    email: EmailOption = None,
    config: ConfigOption = Path("penstock.yml"),
    admin: AdminOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List sessions, the newest activity first."""
    found = list(sessions(client_for(config, admin, token_file), user, email))
    if as_json:
        print_json(found)
        return
    show(table(HEAD, [_row(each) for each in found]))
    if not found:
        show([line(Span("nobody is logged in", FAINT))])


def revoke_sessions(
    session_ids: Annotated[
        list[str] | None, typer.Argument(metavar="SESSION_ID...", help="Sessions (as_...).")
    ] = None,
    *,
    user: UserOption = None,
    email: EmailOption = None,
    everyone: AllOption = False,
    yes: YesOption = False,
    config: ConfigOption = Path("penstock.yml"),
    admin: AdminOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """End sessions, and the WebSockets and event streams that they let in.

    Who has had one may log in again. Ends with 1 if there was no such session.
    """
    check_choice(**{"SESSION_ID": session_ids, "--user": user, "--email": email, "--all": everyone})
    client = client_for(config, admin, token_file)
    ids = session_ids or [each["id"] for each in sessions(client, user, email)]
    if everyone and ids:
        confirm(f"End {counted(len(ids), 'session')}, of everyone?", yes=yes)
    result = revoke(client, PATH, ids)
    if not session_ids:
        # It ended by itself meanwhile, which is what was wanted.
        result.not_found.clear()
    report(result, noun="session", as_json=as_json, may_be_none=everyone or bool(ids))


def sessions(client: AdminClient, user: str | None, email: str | None) -> Iterator[Entry]:
    """Return the sessions that were chosen."""
    query = "" if user is None else f"?user_id={quote(user, safe='')}"
    for each in client.everything(PATH + query, LISTING):
        if email is None or has_email(each["application_user"]["email"], email):
            yield each


def _row(session: Entry) -> tuple[str, ...]:
    user, browser = session["application_user"], session["browser_session"]
    agent = browser["user_agent"]
    named = " on ".join(part for part in (agent["browser_name"], agent["os_name"]) if part)
    return (
        session["id"],
        user["email"] or user["name"] or "-",
        user["id"],
        session["public_url"],
        browser["ip_address"],
        named or "-",
        session["last_active"],
        session["expires_at"],
    )
