"""What the commands about people have in common: where Penstock is, whom to choose, how to ask."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from penstock.people.admin_client import AdminClient
from policy.problem import PolicyError, has_errors
from proxy.admin_token import UnusableToken, read_token
from proxy.config import read_config
from proxy.failure import Failure
from proxy.plan import Plan
from proxy.settings_types import SocketAddress, read_socket_address

ConfigOption: TypeAlias = Annotated[
    Path, typer.Option(help="The configuration file of the Penstock that runs.")
]
AdminOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Its admin listener, if not in --config.")
]
TokenOption: TypeAlias = Annotated[
    Path | None, typer.Option(help="The listener's token, if not in --config.")
]
EmailOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Only of this e-mail address.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AllOption: TypeAlias = Annotated[bool, typer.Option("--all", help="All of them.")]
YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do not ask before --all.")]

SET_UP = "write admin: {address: 127.0.0.1:4041, token_file: admin.token} into it, or give --admin"


def client_for(config: Path, admin: str | None, token_file: Path | None) -> AdminClient:
    """Find the admin listener. Raises Failure, PolicyError and typer.BadParameter."""
    if admin is not None and token_file is not None:
        return AdminClient(address=_address(admin), token=_token(token_file))
    plan = read_config(config)
    address = _address(admin) if admin is not None else _planned_address(plan, config)
    file = token_file or (plan.admin_token.path if plan.admin_token else None)
    if file is None:
        _raise_errors(plan)
        hint = "write admin: {address: ..., token_file: FILE} into it, or give --token-file"
        raise Failure(f"{config} names no token for the admin listener", hint=hint)
    return AdminClient(address=address, token=_token(file))


def _planned_address(plan: Plan, config: Path) -> SocketAddress:
    if plan.admin is None:
        _raise_errors(plan)
        raise Failure(f"{config} has no admin listener", hint=SET_UP)
    if plan.admin.port == 0:
        hint = "give --admin with the port that it got"
        raise Failure(f"{config} leaves the port of the admin listener to the system", hint=hint)
    return plan.admin


def _raise_errors(plan: Plan) -> None:
    if has_errors(plan.problems):
        raise PolicyError(plan.problems)


def _address(text: str) -> SocketAddress:
    try:
        return read_socket_address(text)
    except ValueError:
        message = f"{text!r} is not HOST:PORT"
        raise typer.BadParameter(message, param_hint="--admin") from None


def _token(file: Path) -> str:
    try:
        return read_token(file)
    except UnusableToken as error:
        hint = "name the file that 'token_file' names"
        raise Failure(f"can't use {str(file)!r}: {error}", hint=hint) from None


def check_choice(**given: object) -> None:
    """Make sure that it is said whom a command is for, once; raises typer.BadParameter."""
    named = [name for name, value in given.items() if value]
    if len(named) != 1:
        *others, last = given
        raise typer.BadParameter(f"give one of {', '.join(others)} or {last}")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is done to everybody; ends the command if the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("--all needs --yes where nobody can be asked")
    typer.confirm(question, abort=True, err=True)


def has_email(email: str, wanted: str) -> bool:
    """Tell whether an address is the wanted one; case makes no difference."""
    return email.lower() == wanted.lower()


def print_json(content: Any) -> None:
    """Write what programs read."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
