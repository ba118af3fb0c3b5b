"""`penstock saml`: what a provider has to know about a SAML login."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from actions.saml.service import service_at
from actions.saml.service_metadata import render_service_metadata
from actions.saml.settings import Config
from penstock.doctor import configured_origin, public_origin
from penstock.doctor.logins import Login, find_logins
from penstock.document_file import load_policy_file
from policy.config_types import Pending
from proxy.assembly import assemble
from proxy.config import read_config
from proxy.failure import Failure


def build_app() -> typer.Typer:
    """Make the group of commands."""
    app = typer.Typer(help="What a SAML provider has to know about a login.", no_args_is_help=True)
    app.command("metadata")(metadata)
    return app


def metadata(
    policy: Annotated[Path, typer.Argument(help="Policy file.")],
    *,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file: secrets, and the endpoint's URL.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Public URL that browsers use.")
    ] = None,
    auth_id: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which login, if there are several.")
    ] = None,
) -> None:
    """Print our metadata, to be imported at the identity provider.

    The same as the endpoint answers at /ngrok/saml/metadata.
    """
    assembly = None if config is None else assemble(read_config(config))
    origin = public_origin(url) if url is not None else configured_origin(assembly, policy)
    if not origin or "*" in origin:
        raise typer.BadParameter(
            "say which URL browsers use, such as https://app.example.com", param_hint="--url"
        )
    surroundings = assembly.runtime.surroundings if assembly else None
    logins = find_logins(load_policy_file(policy), public_url=origin, surroundings=surroundings)
    settings = chosen([each for each in logins if isinstance(each.settings, Config)], auth_id)
    sys.stdout.write(render_service_metadata(service_at(settings, origin)).decode() + "\n")


def chosen(logins: list[Login], auth_id: str | None) -> Config:
    """Return the settings of the login that is meant; raises Failure if that is not just one."""
    meant = [each for each in logins if auth_id is None or each.settings.auth_id == auth_id]
    if len(meant) != 1:
        names = ", ".join(each.settings.auth_id or "one without auth_id" for each in logins)
        raise Failure(
            f"the policy has {len(meant)} such logins by SAML ({names or 'none at all'})",
            hint="name one with --auth-id",
        )
    settings = meant[0].settings
    assert isinstance(settings, Config)
    if isinstance(settings.sp_certificate, Pending):
        raise Failure(
            "the ${...} in 'sp_certificate' has no value",
            hint="name the configuration with its vaults by --config",
        )
    return settings
