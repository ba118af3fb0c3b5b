"""The shape of `penstock.yml`.

An agent's version 3 file is a valid start: its keys are known here, and those that only the agent
itself needs are accepted and left alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from policy.action import ActionConfig, Doc
from policy.config_types import FromScalar, MinLen, NetworkSet
from policy.net import NetworkSet as Networks
from proxy.limits import Limits
from proxy.oauth_settings import OauthProviders
from proxy.settings_types import (
    CidrText,
    EndpointUrl,
    ListenAddress,
    SocketAddress,
    StorePlace,
    StoreUrl,
    Switch,
    UpstreamUrl,
)

# More than machines have cores; a slip of the finger must not start a million processes.
MAX_WORKERS = 256
DEFAULT_LISTEN = SocketAddress("127.0.0.1", 4000)


class TlsSettings(ActionConfig):
    """A listener's certificate, and whether clients show theirs.

    Paths count from the configuration file's folder.
    """

    certificate: Annotated[str, Doc("PEM file: the server's certificate, then its chain.")]
    private_key: Annotated[str, Doc("PEM file with the certificate's key, not encrypted.")]
    client_ca: Annotated[
        str | None, Doc("PEM file of authorities whose certificates clients may show.")
    ] = None
    client_certificates: Annotated[
        Literal["require", "request"] | None,
        Doc(
            "With `client_ca`: `require` refuses clients without a certificate, `request` lets them"
            " in; one that does not verify is never let in. Default: `require`."
        ),
    ] = None


class ListenerSettings(ActionConfig):
    """One address that accepts connections."""

    address: Annotated[ListenAddress, Doc("`HOST:PORT` to listen on.")] = DEFAULT_LISTEN
    proxy_protocol: Annotated[
        Switch, Doc("Require a PROXY protocol header, from `trusted_proxies` only.")
    ] = False
    tls: Annotated[TlsSettings | None, Doc("Terminate TLS here.")] = None


class UpstreamTls(ActionConfig):
    """How an https upstream proves who it is."""

    verify: Annotated[bool, Doc("False: take any certificate.")] = True
    authorities: Annotated[str | None, Doc("PEM file to use in place of the system's.")] = None


class UpstreamSettings(ActionConfig):
    """Where an endpoint's requests go."""

    url: Annotated[UpstreamUrl, Doc("A port, `host:port`, or an http or https URL.")]
    tls: Annotated[UpstreamTls, Doc("For https upstreams.")] = UpstreamTls()
    protocol: Annotated[
        Literal["http1", "http2"], Doc("HTTP version towards the upstream; http1 so far.")
    ] = "http1"


class EndpointSettings(ActionConfig):
    """One service: the host it answers for, its policy, its upstream."""

    name: Annotated[str | None, Doc("Names the endpoint in logs; default: its URL.")] = None
    url: Annotated[EndpointUrl | None, Doc("Host to answer for; absent: every host.")] = None
    upstream: Annotated[
        UpstreamSettings | None, Doc("Absent: the policy answers every request itself.")
    ] = None
    encoded_slashes: Annotated[
        Literal["refuse", "keep"],
        Doc("What becomes of a path with `%2F`: 400, or passed on as it is, which policies see."),
    ] = "refuse"
    traffic_policy: Annotated[Any, Doc("The policy, in place.")] = None
    traffic_policy_file: Annotated[str | None, Doc("The policy's file.")] = None
    description: Annotated[str, Doc("Free text.")] = ""
    metadata: Annotated[str, Doc("Free text.")] = ""
    bindings: Annotated[
        tuple[Literal["public", "internal", "kubernetes"], ...],
        Doc("Who can reach the endpoint; not kubernetes so far."),
    ] = ("public",)
    pooling_enabled: Annotated[bool, Doc("Only `false` so far.")] = False


class IpPolicyEntry(ActionConfig):
    """One network of an IP policy."""

    cidr: Annotated[CidrText, Doc("Network or address.")]
    action: Annotated[Literal["allow", "deny"], Doc("What it means for an address in it.")]
    description: Annotated[str, Doc("Free text.")] = ""


class IpIntelligenceSettings(ActionConfig):
    """Databases about addresses. Paths count from the configuration file's folder."""

    city: Annotated[str | None, Doc("MMDB file with City data, for `conn.geo` and `.geo`.")] = None
    asn: Annotated[str | None, Doc("MMDB file with ASN data, for `.as`.")] = None
    categories: Annotated[
        str | None, Doc("Folder of `CATEGORY.txt` files, one network a line, for `.categories`.")
    ] = None


class VaultSettings(ActionConfig):
    """One vault of secrets: exactly one of its fields is given."""

    directory: Annotated[str | None, Doc("Folder with one secret a file.")] = None
    environment: Annotated[
        str | None, MinLen(1), Doc("Prefix of environment variables; the rest names the secret.")
    ] = None


class SecretsSettings(ActionConfig):
    """Where `secrets.get(vault, name)` looks."""

    vaults: Annotated[dict[str, VaultSettings], Doc("Vaults by name.")] = Field(
        default_factory=dict
    )


class StoreSettings(ActionConfig):
    """Where records are kept, and the keys to them. Paths count from the file's folder."""

    url: Annotated[StoreUrl, Doc("The place: as `store` itself where it is text.")]
    key_files: Annotated[
        tuple[str, ...],
        Doc("Files with 32 bytes in base64: the first one's key encrypts, all of them decrypt."),
    ] = ()
    password_file: Annotated[str | None, Doc("The server's password, if not in `url`.")] = None
    authorities: Annotated[
        str | None, Doc("PEM file to use in place of the system's, for `rediss:`.")
    ] = None


class AdminSettings(ActionConfig):
    """The admin listener with users and sessions. Paths count from the file's folder."""

    address: Annotated[ListenAddress, Doc("`HOST:PORT` to listen on.")]
    token_file: Annotated[
        str | None, Doc("File with the token that `/app/` wants to see; absent: no `/app/`.")
    ] = None


class Settings(ActionConfig):
    """The whole file."""

    version: Annotated[Literal["3"], FromScalar(), Doc("Version of the file's shape: 3.")] = "3"
    listeners: Annotated[
        list[ListenerSettings], Field(min_length=1), Doc("Default: one, on 127.0.0.1:4000.")
    ] = Field(default_factory=lambda: [ListenerSettings()])
    trusted_proxies: Annotated[
        NetworkSet, Doc("Peers whose X-Forwarded-For or PROXY header is believed.")
    ] = Networks(())
    endpoints: Annotated[list[EndpointSettings], Field(min_length=1), Doc("What is served.")]
    ip_policies: Annotated[
        dict[str, list[IpPolicyEntry]], Doc("Named networks, for `restrict-ips`.")
    ] = Field(default_factory=dict)
    ip_intelligence: Annotated[
        IpIntelligenceSettings, Doc("Where addresses are, whose they are, which lists name them.")
    ] = IpIntelligenceSettings()
    secrets: Annotated[SecretsSettings, Doc("Where `secrets.get` looks.")] = SecretsSettings()
    oauth_providers: Annotated[
        OauthProviders, Doc("Where providers of `oauth` are, if not where everybody knows.")
    ] = Field(default_factory=dict)
    limits: Annotated[Limits, Doc("Bounds on what one client or upstream may cost.")] = Limits()
    server_region: Annotated[str, Doc("`conn.server_region` in policies.")] = ""
    admin: Annotated[
        ListenAddress | AdminSettings | None,
        Doc("Where /healthz, /readyz and /metrics answer, or map; absent: nowhere."),
    ] = None
    workers: Annotated[
        int | None,
        Field(ge=1, le=MAX_WORKERS),
        Doc("Processes that serve; default: one for each core."),
    ] = None
    agent: Annotated[Any, Doc("The tunnel agent's own settings; not read.")] = None
    store: Annotated[
        StoreUrl | StoreSettings, Doc("Where sessions and the like are kept: URL, or map.")
    ] = StorePlace()
    tunnels: Annotated[Any, Doc("Version 2 of the agent's file; not supported.")] = None
