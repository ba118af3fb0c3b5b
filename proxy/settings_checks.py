"""What is wrong with settings that are each fine alone: clashes, and what is not built yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import TypeAlias

from policy.problem import Place, Problem, Severity
from proxy.oauth_settings import check_oauth_providers
from proxy.settings import AdminSettings, EndpointSettings, Settings, StoreSettings
from proxy.settings_types import SocketAddress

Path: TypeAlias = tuple[str | int, ...]
Places: TypeAlias = Callable[[Path], Place]

REDIS = "redis"
ANY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on


def check_settings(settings: Settings, place: Places) -> Iterator[Problem]:
    """Find every clash between settings; `place` tells where a setting stands."""
    yield from _not_supported(settings, place)
    yield from _listener_clashes(settings, place)
    yield from _endpoint_clashes(settings, place)
    yield from _vault_problems(settings, place)
    yield from check_oauth_providers(settings.oauth_providers, place)
    if isinstance(settings.admin, AdminSettings):
        yield from _admin_problems(settings.admin, place)
    if isinstance(settings.store, StoreSettings):
        yield from _store_problems(settings.store, place)
    elif settings.store.kind == REDIS:
        yield _without_keys(place(("store",)))
    for index, endpoint in enumerate(settings.endpoints):
        yield from _endpoint_problems(endpoint, ("endpoints", index), place)


def _not_supported(settings: Settings, place: Places) -> Iterator[Problem]:
    if settings.tunnels is not None:
        yield Problem(
            code="not-supported",
            message="'tunnels' belongs to version 2 of the agent's file",
            place=place(("tunnels",)),
            hint="write each tunnel as an entry of 'endpoints', with its 'upstream'",
        )
    if settings.agent is not None:
        yield Problem(
            code="agent-settings",
            message="'agent' holds settings of the tunnel agent: Penstock does not read them",
            place=place(("agent",)),
            severity=Severity.WARNING,
        )


def _later(place: Place, what: str) -> Problem:
    return Problem(
        code="not-supported",
        message=f"{what} not supported yet",
        place=place,
        hint="remove it from this file",
    )


def _listener_clashes(settings: Settings, place: Places) -> Iterator[Problem]:
    taken: list[SocketAddress] = []
    wanted: list[tuple[Path, SocketAddress]] = [
        (("listeners", index, "address"), listener.address)
        for index, listener in enumerate(settings.listeners)
    ]
    admin = settings.admin
    if isinstance(admin, AdminSettings):
        wanted.append((("admin", "address"), admin.address))
    elif admin is not None:
        wanted.append((("admin",), admin))
    for path, address in wanted:
        if other := next((each for each in taken if _overlap(each, address)), None):
            yield Problem(
                code="address-twice",
                message=f"{address} is taken by another listener of this file ({other})",
                place=place(path),
                hint="choose another port",
            )
        taken.append(address)
    for index, listener in enumerate(settings.listeners):
        tls = listener.tls
        if tls is not None and tls.client_certificates is not None and tls.client_ca is None:
            yield Problem(
                code="client-certificates-without-authority",
                message="'client_certificates' without 'client_ca': none could be verified",
                place=place(("listeners", index, "tls", "client_certificates")),
                hint="name the authorities that issue them: client_ca: clients.crt",
            )
        if listener.proxy_protocol and not len(settings.trusted_proxies):
            yield Problem(
                code="proxy-protocol-without-trust",
                message="'proxy_protocol' without 'trusted_proxies' refuses every connection",
                place=place(("listeners", index, "proxy_protocol")),
                hint="list the peers that send the header: trusted_proxies: [127.0.0.1/32]",
            )


def _admin_problems(admin: AdminSettings, place: Places) -> Iterator[Problem]:
    if admin.token_file is not None and not _is_loopback(admin.address.host):
        yield Problem(
            code="admin-token-in-clear",
            message="whoever can read this network can read the admin listener's token",
            place=place(("admin", "address")),
            severity=Severity.WARNING,
            hint="listen on 127.0.0.1, and reach it through a tunnel",
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _overlap(one: SocketAddress, other: SocketAddress) -> bool:
    if one.port != other.port or not one.port:
        return False
    return one.host == other.host or bool(ANY_ADDRESS & {one.host, other.host})


def _endpoint_clashes(settings: Settings, place: Places) -> Iterator[Problem]:
    hosts: dict[str | None, int] = {}
    names: dict[str, int] = {}
    for index, endpoint in enumerate(settings.endpoints):
        host = None if endpoint.url is None else endpoint.url.host
        first = hosts.setdefault(host, index)
        if first != index:
            url = "url" if endpoint.url else None
            line = place(("endpoints", first)).line
            yield Problem(
                code="host-twice",
                message=f"{f'host {host!r}' if host else 'every host'} is answered for twice:"
                f" the endpoint in line {line} has it too",
                place=place(("endpoints", index, url) if url else ("endpoints", index)),
                hint="one endpoint answers for a host; give each its own 'url'",
                reference="ERR_NGROK_2231",
            )
        if endpoint.name is not None and names.setdefault(endpoint.name, index) != index:
            yield Problem(
                code="name-twice",
                message=f"two endpoints are called {endpoint.name!r}",
                place=place(("endpoints", index, "name")),
                hint="names tell endpoints apart in events",
                reference="ERR_NGROK_2231",
            )


def _vault_problems(settings: Settings, place: Places) -> Iterator[Problem]:
    for name, vault in settings.secrets.vaults.items():
        if (vault.directory is None) == (vault.environment is None):
            yield Problem(
                code="vault-without-source",
                message=f"the vault {name!r} needs either 'directory' or 'environment'",
                place=place(("secrets", "vaults", name)),
                hint="write for example {directory: /run/secrets}",
                reference="ERR_NGROK_2234",
            )


def _store_problems(store: StoreSettings, place: Places) -> Iterator[Problem]:
    where = store.url
    if where.kind == REDIS and not store.key_files:
        yield _without_keys(place(("store", "url")))
    needless = {
        "key_files": store.key_files and where.kind == "memory",
        "password_file": store.password_file and where.kind != REDIS,
        "authorities": store.authorities and not where.is_tls,
    }
    for name in (name for name, is_needless in needless.items() if is_needless):
        yield Problem(
            code="store-setting-without-effect",
            message=f"{name!r} has no effect on a store of this kind",
            place=place(("store", name)),
            hint="remove it, or check the 'url'",
        )
    if store.password_file and where.password is not None:
        yield Problem(
            code="store-password-twice",
            message="the password stands in 'url' and in 'password_file'",
            place=place(("store", "password_file")),
            hint="take it out of 'url'",
        )


def _without_keys(place: Place) -> Problem:
    return Problem(
        code="store-without-keys",
        message="records on a server are encrypted, with a key that all replicas have",
        place=place,
        hint="make one: openssl rand -base64 32 > store.key;"
        " then write store: {url: redis://..., key_files: [store.key]}",
    )


def _endpoint_problems(endpoint: EndpointSettings, at: Path, place: Places) -> Iterator[Problem]:
    if endpoint.upstream and endpoint.upstream.protocol == "http2":
        yield _later(place((*at, "upstream", "protocol")), "HTTP/2 towards the upstream is")
    if endpoint.pooling_enabled:
        yield _later(place((*at, "pooling_enabled")), "pooled endpoints are")
    if "kubernetes" in endpoint.bindings:
        yield _later(place((*at, "bindings")), "the binding 'kubernetes' is")
    has_policy = endpoint.traffic_policy is not None
    if has_policy and endpoint.traffic_policy_file is not None:
        yield Problem(
            code="policy-twice",
            message="'traffic_policy' and 'traffic_policy_file' are both given",
            place=place((*at, "traffic_policy_file")),
            hint="keep one of them",
        )
    if endpoint.upstream is None and not has_policy and endpoint.traffic_policy_file is None:
        yield Problem(
            code="endpoint-without-answer",
            message="the endpoint has neither an 'upstream' nor a policy that could answer",
            place=place(at),
            hint="add upstream: {url: http://127.0.0.1:8080}",
            reference="ERR_NGROK_2235",
        )
    upstream = endpoint.upstream
    if upstream and upstream.url.scheme == "http" and "tls" in upstream.model_fields_set:
        yield Problem(
            code="tls-for-http-upstream",
            message="'tls' has no effect on an http upstream",
            place=place((*at, "upstream", "tls")),
            hint="write https:// in its 'url', or remove 'tls'",
        )
    yield from _internal_problems(endpoint, at, place)


def _internal_problems(endpoint: EndpointSettings, at: Path, place: Places) -> Iterator[Problem]:
    is_internal = endpoint.url is not None and endpoint.url.is_internal
    if is_internal:
        yield Problem(
            code="internal-endpoint",
            message="hosts in .internal are reached through 'forward-internal' only,"
            " which is not supported yet: nothing reaches this endpoint",
            place=place((*at, "url")),
            severity=Severity.WARNING,
        )
    elif "internal" in endpoint.bindings:
        yield Problem(
            code="internal-binding",
            message="an internal endpoint has a host in .internal",
            place=place((*at, "bindings")),
            hint="write url: http://NAME.internal, or bindings: [public]",
        )
