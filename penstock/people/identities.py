"""`penstock identities`: list the users who have logged in, and end all that they have here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

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

PATH = "/app/users"
LISTING = "application_users"
HEAD = ("USER ID", "E-MAIL", "NAME", "PROVIDER", "ID THERE", "LAST LOGIN", "LAST ACTIVE")


def build_app() -> typer.Typer:
    """Make the group of commands."""
    app = typer.Typer(help="Users who have logged in; an end to theirs.", no_args_is_help=True)
    app.command("list")(list_identities)
    app.command("revoke")(revoke_identities)
    return app


def list_identities(
    *,
    email: EmailOption = None,
    config: ConfigOption = Path("penstock.yml"),
    admin: AdminOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List users, the newest activity first."""
    found = list(identities(client_for(config, admin, token_file), email))
    if as_json:
        print_json(found)
        return
    show(table(HEAD, [_row(each) for each in found]))
    if not found:
        show([line(Span("nobody has logged in", FAINT))])


def revoke_identities(
    user_ids: Annotated[
        list[str] | None, typer.Argument(metavar="USER_ID...", help="Users (au_...).")
    ] = None,
    *,
    email: EmailOption = None,
    everyone: AllOption = False,
    yes: YesOption = False,
    config: ConfigOption = Path("penstock.yml"),
    admin: AdminOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """End all sessions of users, and forget the users.

    They may log in again: who must not has to be refused by the policy, or at the provider. Ends
    with 1 if there was no such user.
    """
    check_choice(**{"USER_ID": user_ids, "--email": email, "--all": everyone})
    client = client_for(config, admin, token_file)
    ids = user_ids or [each["id"] for each in identities(client, email)]
    if everyone and ids:
        confirm(f"End all sessions of {counted(len(ids), 'user')}?", yes=yes)
    result = revoke(client, PATH, ids)
    if not user_ids:
        # Gone meanwhile, which is what was wanted.
        result.not_found.clear()
    report(result, noun="user", as_json=as_json, may_be_none=everyone or bool(ids))


def identities(client: AdminClient, email: str | None) -> Iterator[Entry]:
    """Return the users that were chosen."""
    for each in client.everything(PATH, LISTING):
        if email is None or has_email(each["email"], email):
            yield each


def _row(user: Entry) -> tuple[str, ...]:
    return (
        user["id"],
        user["email"] or "-",
        user["name"] or user["username"] or "-",
        user["identity_provider"]["name"],
        user["provider_user_id"],
        user["last_login"],
        user["last_active"],
    )
