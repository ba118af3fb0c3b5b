"""What is to be served, before any policy or certificate is read: from a file or from flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy.ip_policy import IpPolicy
from policy.net import NetworkSet
from policy.oauth_endpoints import OauthEndpoints
from policy.problem import Place, Problem
from policy.source import Node
from proxy.limits import Limits
from proxy.settings_types import PublicUrl, SocketAddress, StorePlace, UpstreamTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference:
    """A file to read. `name` is what messages call it; `place` is where a document names it."""

    path: Path
    name: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InlinePolicy:
    """A policy inside the configuration file. `node` None is a policy without rules.

    `file` is the configuration file itself, where there is one.
    """

    node: Node | None
    name: str
    file: FileReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePlan:
    """The files of a listener's certificate.

    With `client_ca` clients show certificates of these authorities, and must have one if
    `requires_client`.
    """

    certificate: FileReference
    private_key: FileReference
    client_ca: FileReference | None = None
    requires_client: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerPlan:
    """One address to listen on."""

    address: SocketAddress
    proxy_protocol: bool = False
    certificate: CertificatePlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamPlan:
    """Where an endpoint's requests go. `authorities` replaces the system's for https."""

    target: UpstreamTarget
    verify: bool = True
    authorities: FileReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPlan:
    """One endpoint. Without `url` it answers for every host; without `policy` it forwards all.

    `keeps_encoded_slashes` lets paths with `%2F` in.
    """

    name: str
    url: PublicUrl | None
    upstream: UpstreamPlan | None
    policy: FileReference | InlinePolicy | None = None
    keeps_encoded_slashes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IpIntelligencePlan:
    """The databases about addresses; `categories` is a folder."""

    city: FileReference | None = None
    asn: FileReference | None = None
    categories: FileReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultPlan:
    """One vault: a folder, or the prefix of environment variables."""

    directory: FileReference | None = None
    environment: str = ""


MEMORY = StorePlace()


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlan:
    """Where records are kept. `path` is the file of a store in one; `place` is where it is named.

    Without `key_files` a file's key stands beside it.
    """

    url: StorePlace = MEMORY
    path: Path = Path()
    place: Place | None = None
    key_files: tuple[FileReference, ...] = ()
    password_file: FileReference | None = None
    authorities: FileReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything to serve.

    `files` were read to make the plan and are watched with the others. With an error among its
    `problems` a plan can't be served: what is in it then only helps to find the other problems.
    """

    listeners: tuple[ListenerPlan, ...]
    endpoints: tuple[EndpointPlan, ...]
    trusted_proxies: NetworkSet = field(default_factory=lambda: NetworkSet(()))
    ip_policies: Mapping[str, IpPolicy] = field(default_factory=dict)
    vaults: Mapping[str, VaultPlan] = field(default_factory=dict)
    oauth_providers: Mapping[str, OauthEndpoints] = field(default_factory=dict)
    ip_intelligence: IpIntelligencePlan = IpIntelligencePlan()
    limits: Limits = field(default_factory=Limits)
    server_region: str = ""
    admin: SocketAddress | None = None
    admin_token: FileReference | None = None
    store: StorePlan = StorePlan()
    workers: int = 1
    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()
