"""`penstock doctor`: what is wrong with a policy's logins, at the provider or here."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from penstock.doctor.examination import Examination, examine
from penstock.doctor.logins import Login, find_logins
from penstock.doctor.report import report_json, report_lines
from penstock.document_file import load_policy_file
from penstock.output import show
from penstock.saml_response import read_saml_response
from policy.url import DEFAULT_PORTS, UrlError, authority_text, parse_url
from proxy.assembly import Assembly, assemble
from proxy.config import read_config
from proxy.fetcher import Fetcher
from proxy.plan import FileReference, Plan


def doctor(
    policy: Annotated[Path, typer.Argument(help="Policy file.")],
    *,
    config: Annotated[
        Path | None,
        typer.Option(help="Configuration file: secrets, endpoints, providers of one's own."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Public URL that browsers use.")
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Try id and secret with a made-up code.")
    ] = False,
    saml_response: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What a SAML provider sent: say why it is refused."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Examine the logins of a policy: provider, keys, clock, redirect URI, credentials.

    Each provider is asked what a login would ask it. Ends with 1 if anything keeps people from
    logging in.
    """
    assembly = None if config is None else assemble(read_config(config))
    origin = public_origin(url) if url is not None else configured_origin(assembly, policy)
    logins = list(
        find_logins(
            load_policy_file(policy),
            public_url=origin,
            surroundings=assembly.runtime.surroundings if assembly else None,
        )
    )
    if not logins:
        raise typer.BadParameter(f"{policy} has no login to look at", param_hint="POLICY")
    shown = None if saml_response is None else read_saml_response(saml_response)
    examinations = asyncio.run(_examined(logins, probes=probe, saml_response=shown))
    if as_json:
        document = report_json(str(policy), examinations)
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        show(report_lines(examinations))
    raise typer.Exit(int(any(each.has_failed for each in examinations)))


async def _examined(
    logins: list[Login], *, probes: bool, saml_response: str | None
) -> list[Examination]:
    fetcher = Fetcher()
    try:
        return [
            await examine(each, fetcher, probes=probes, saml_response=saml_response)
            for each in logins
        ]
    finally:
        await fetcher.close()


def public_origin(text: str) -> str:
    """Read --url down to its origin; raises typer.BadParameter."""
    try:
        parts = parse_url(text)
    except UrlError:
        parts = None
    if parts is None or parts.scheme not in DEFAULT_PORTS:
        raise typer.BadParameter(
            f"{text!r} is no URL, such as https://app.example.com", param_hint="--url"
        )
    port = parts.effective_port
    shown = None if DEFAULT_PORTS[parts.scheme] == port else port
    return f"{parts.scheme}://{authority_text(parts.host, shown)}"


def configured_origin(assembly: Assembly | None, policy: Path) -> str:
    """Return the URL of the endpoint that a policy is for; "" if there is not just one."""
    if assembly is None:
        return ""
    urls = set(_urls_of(assembly.plan, policy.resolve()))
    return urls.pop() if len(urls) == 1 else ""


def _urls_of(plan: Plan, policy: Path) -> list[str]:
    return [
        endpoint.url.text
        for endpoint in plan.endpoints
        if endpoint.url is not None
        and isinstance(endpoint.policy, FileReference)
        and endpoint.policy.path.resolve() == policy
    ]
