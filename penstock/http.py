"""`penstock http`: one endpoint, one policy, now. Flags are named as in the reference agent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic_core import PydanticCustomError

from penstock.loading_bar import with_bar_at_first
from penstock.operator import STANDARD_OUTPUT, open_events, say
from policy.net import AddressError, NetworkSet
from proxy.assembly import assemble
from proxy.plan import EndpointPlan, FileReference, ListenerPlan, Plan, StorePlan, UpstreamPlan
from proxy.server import serve
from proxy.settings import MAX_WORKERS
from proxy.settings_types import (
    PublicUrl,
    SocketAddress,
    StorePlace,
    UpstreamTarget,
    read_public_url,
    read_socket_address,
    read_store,
    read_upstream,
)

T = TypeVar("T")

DEFAULT_NAME = "http"


def flag(read: Callable[[str], T]) -> Callable[[str], T]:
    """Make a reader of settings into one of flags: its refusals become misuse, exit code 2."""

    def read_flag(text: str) -> T:
        try:
            return read(text)
        except PydanticCustomError as refused:
            context = refused.context or {}
            parts = (context.get("message"), context.get("hint"))
            raise typer.BadParameter("; ".join(part for part in parts if part)) from None

    # The name that usage messages show for the value.
    read_flag.__name__ = "TEXT"
    return read_flag


def http(
    upstream: Annotated[
        UpstreamTarget,
        typer.Argument(
            help="Where requests go: a port, HOST:PORT, or an http or https URL.",
            parser=flag(read_upstream),
        ),
    ],
    *,
    traffic_policy_file: Annotated[
        Path | None, typer.Option(help="The policy; read again whenever it changes.")
    ] = None,
    policy_file: Annotated[Path | None, typer.Option(hidden=True)] = None,
    url: Annotated[
        PublicUrl | None,
        typer.Option(
            help="Answer for this host only, as https://app.example.com.",
            parser=flag(read_public_url),
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the endpoint in events.")] = DEFAULT_NAME,
    listen: Annotated[
        SocketAddress,
        typer.Option(help="HOST:PORT to listen on.", parser=flag(read_socket_address)),
    ] = "127.0.0.1:4000",  # type: ignore[assignment]  # typer parses defaults too
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="Network whose X-Forwarded-For is believed; may be repeated."),
    ] = None,
    proxy_protocol: Annotated[
        bool, typer.Option("--proxy-protocol", help="Require a PROXY header, from trusted proxies.")
    ] = False,
    upstream_tls_verify: Annotated[
        bool, typer.Option(help="Check the certificate of an https upstream.")
    ] = True,
    upstream_tls_verify_cas: Annotated[
        Path | None, typer.Option(help="PEM file of authorities for it.")
    ] = None,
    keep_encoded_slashes: Annotated[
        bool, typer.Option("--keep-encoded-slashes", help="Let paths with %2F through.")
    ] = False,
    admin: Annotated[
        SocketAddress | None,
        typer.Option(
            help="HOST:PORT for /healthz, /readyz and /metrics.", parser=flag(read_socket_address)
        ),
    ] = None,
    store: Annotated[
        StorePlace,
        typer.Option(
            help="Where sessions are kept: memory, or sqlite:PATH.", parser=flag(read_store)
        ),
    ] = "memory",  # type: ignore[assignment]  # typer parses defaults too
    workers: Annotated[int, typer.Option(min=1, max=MAX_WORKERS, help="Processes that serve.")] = 1,
    log: Annotated[
        str, typer.Option(help="Where events go: stdout, stderr, false, or a file.")
    ] = STANDARD_OUTPUT,
) -> None:
    """Put a policy in front of one HTTP service."""
    if traffic_policy_file and policy_file:
        raise typer.BadParameter("--policy-file is the old name of --traffic-policy-file: give one")
    policy = traffic_policy_file or policy_file
    proxies = _networks(trusted_proxy or [])
    if proxy_protocol and not len(proxies):
        raise typer.BadParameter(
            "--proxy-protocol needs --trusted-proxy: say whose PROXY header is believed"
        )
    plan = Plan(
        listeners=(ListenerPlan(address=listen, proxy_protocol=proxy_protocol),),
        endpoints=(
            EndpointPlan(
                name=name,
                url=url,
                upstream=UpstreamPlan(
                    target=upstream,
                    verify=upstream_tls_verify,
                    authorities=_reference(upstream_tls_verify_cas),
                ),
                policy=_reference(policy),
                keeps_encoded_slashes=keep_encoded_slashes,
            ),
        ),
        trusted_proxies=proxies,
        admin=admin,
        store=StorePlan(url=store, path=Path(store.path)),
        workers=workers,
    )
    serve(with_bar_at_first(partial(assemble, plan)), events=open_events(log), say=say)


def _reference(path: Path | None) -> FileReference | None:
    return None if path is None else FileReference(path=path, name=str(path))


def _networks(texts: list[str]) -> NetworkSet:
    try:
        return NetworkSet.parse(texts)
    except AddressError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise typer.BadParameter(f"--trusted-proxy: {error}{hint}") from None
