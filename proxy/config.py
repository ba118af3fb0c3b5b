"""Reads `penstock.yml` into a plan, or tells everything that is wrong with it at once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from policy.config import decode_config
from policy.ip_policy import IpPolicy
from policy.problem import Place, Problem
from policy.source import Mapping, Node, Scalar, Sequence, SourceText, Span, Style, parse_source
from proxy.cores import usable_cores
from proxy.file_checks import permission_warnings, read_document_file
from proxy.oauth_settings import endpoints_of
from proxy.plan import (
    CertificatePlan,
    EndpointPlan,
    FileReference,
    InlinePolicy,
    IpIntelligencePlan,
    ListenerPlan,
    Plan,
    StorePlan,
    UpstreamPlan,
    VaultPlan,
)
from proxy.settings import (
    DEFAULT_LISTEN,
    AdminSettings,
    EndpointSettings,
    IpIntelligenceSettings,
    ListenerSettings,
    Settings,
    StoreSettings,
    VaultSettings,
)
from proxy.settings_checks import Places, check_settings
from proxy.settings_types import SocketAddress, StorePlace


def read_config(path: Path) -> Plan:
    """Read a configuration file; what is wrong in it is in the plan.

    Raises PolicyError for text that is no YAML, Failure for a file that can't be read.
    """
    reference = FileReference(path=path, name=str(path))
    data = read_document_file(reference)
    plan = plan_of(parse_source(data, name=reference.name), name=reference.name, folder=path.parent)
    has_password = plan.store.url.password is not None
    rights = permission_warnings(path, name=reference.name, secret=has_password)
    return replace(plan, files=(path,), problems=(*rights, *plan.problems))


def plan_of(root: Node | None, *, name: str, folder: Path) -> Plan:
    """Make a plan of a configuration document. Paths in it count from `folder`."""
    top = root or Scalar(SourceText(name, ""), Span(0, 0), None, "", Style.PLAIN)
    decoded, problems = decode_config(root, Settings, None, owner=top)
    if decoded is None or decoded.static is None:
        return _remains(top, problems, folder, name)
    problems = (*problems, *check_settings(decoded.static, decoded.places))
    return _Planner(top, decoded.places, folder, name).plan(decoded.static, problems)


def _remains(root: Node, problems: tuple[Problem, ...], folder: Path, name: str) -> Plan:
    """Make a plan of the endpoints that can be read, so that their policies are checked too."""
    endpoints = root.get("endpoints") if isinstance(root, Mapping) else None
    readable: list[EndpointPlan] = []
    for index, node in enumerate(endpoints.items if isinstance(endpoints, Sequence) else ()):
        decoded, _ = decode_config(node, EndpointSettings, None, owner=node)
        if decoded is not None and decoded.static is not None:
            places = partial(_below, decoded.places)
            planner = _Planner(root, places, folder, name)
            readable.append(planner.endpoint(decoded.static, index))
    return Plan(
        listeners=(ListenerPlan(address=DEFAULT_LISTEN),),
        endpoints=tuple(readable),
        problems=problems,
    )


def _below(places: Places, path: tuple[str | int, ...]) -> Place:
    """Find the place of `endpoints[n].field` by the places of one endpoint alone."""
    return places(path[2:])


class _Planner:
    """Turns checked settings into a plan; knows where each setting stands."""

    def __init__(self, root: Node, places: Places, folder: Path, name: str) -> None:
        self._root = root
        self._place = places
        self._folder = folder
        self._name = name

    def plan(self, settings: Settings, problems: tuple[Problem, ...]) -> Plan:
        return Plan(
            listeners=tuple(
                self._listener(each, index) for index, each in enumerate(settings.listeners)
            ),
            endpoints=tuple(
                self.endpoint(each, index) for index, each in enumerate(settings.endpoints)
            ),
            trusted_proxies=settings.trusted_proxies,
            ip_policies={
                name: IpPolicy.of((entry.cidr, entry.action) for entry in entries)
                for name, entries in settings.ip_policies.items()
            },
            vaults={
                name: self._vault(name, vault) for name, vault in settings.secrets.vaults.items()
            },
            ip_intelligence=self._ip_intelligence(settings.ip_intelligence),
            oauth_providers=endpoints_of(settings.oauth_providers),
            limits=settings.limits,
            server_region=settings.server_region,
            admin=_admin_address(settings.admin),
            admin_token=self._admin_token(settings.admin),
            store=self._store(settings.store),
            workers=settings.workers or usable_cores(),
            problems=problems,
        )

    def _listener(self, settings: ListenerSettings, index: int) -> ListenerPlan:
        at = ("listeners", index, "tls")
        certificate = None
        if settings.tls is not None:
            client_ca = settings.tls.client_ca
            certificate = CertificatePlan(
                certificate=self._file(settings.tls.certificate, self._place((*at, "certificate"))),
                private_key=self._file(settings.tls.private_key, self._place((*at, "private_key"))),
                client_ca=None
                if client_ca is None
                else self._file(client_ca, self._place((*at, "client_ca"))),
                requires_client=settings.tls.client_certificates != "request",
            )
        return ListenerPlan(
            address=settings.address,
            proxy_protocol=settings.proxy_protocol,
            certificate=certificate,
        )

    def endpoint(self, settings: EndpointSettings, index: int) -> EndpointPlan:
        at = ("endpoints", index)
        name = settings.name or (settings.url.text if settings.url else f"endpoints[{index}]")
        return EndpointPlan(
            name=name,
            url=settings.url,
            upstream=self._upstream(settings, (*at, "upstream", "tls", "authorities")),
            policy=self._policy(settings, index, name),
            keeps_encoded_slashes=settings.encoded_slashes == "keep",
        )

    def _upstream(
        self, settings: EndpointSettings, authorities_at: tuple[str | int, ...]
    ) -> UpstreamPlan | None:
        upstream = settings.upstream
        if upstream is None:
            return None
        authorities = upstream.tls.authorities
        return UpstreamPlan(
            target=upstream.url,
            verify=upstream.tls.verify,
            authorities=None
            if authorities is None
            else self._file(authorities, self._place(authorities_at)),
        )

    def _policy(
        self, settings: EndpointSettings, index: int, name: str
    ) -> FileReference | InlinePolicy | None:
        if settings.traffic_policy_file is not None:
            place = self._place(("endpoints", index, "traffic_policy_file"))
            return self._file(settings.traffic_policy_file, place)
        node = endpoint_node(self._root, index)
        inline = node.get("traffic_policy") if node is not None else None
        if inline is None:
            return None
        own = FileReference(path=Path(self._name), name=self._name)
        return InlinePolicy(node=inline, name=f"{self._name}: {name}", file=own)

    def _vault(self, name: str, settings: VaultSettings) -> VaultPlan:
        if settings.directory is None:
            return VaultPlan(environment=settings.environment or "")
        place = self._place(("secrets", "vaults", name, "directory"))
        return VaultPlan(directory=self._file(settings.directory, place))

    def _ip_intelligence(self, settings: IpIntelligenceSettings) -> IpIntelligencePlan:
        def named(key: str, written: str | None) -> FileReference | None:
            if written is None:
                return None
            return self._file(written, self._place(("ip_intelligence", key)))

        return IpIntelligencePlan(
            city=named("city", settings.city),
            asn=named("asn", settings.asn),
            categories=named("categories", settings.categories),
        )

    def _admin_token(self, settings: SocketAddress | AdminSettings | None) -> FileReference | None:
        if not isinstance(settings, AdminSettings) or settings.token_file is None:
            return None
        return self._file(settings.token_file, self._place(("admin", "token_file")))

    def _store(self, settings: StorePlace | StoreSettings) -> StorePlan:
        if isinstance(settings, StorePlace):
            settings = StoreSettings.model_construct(url=settings)
            place = self._place(("store",))
        else:
            place = self._place(("store", "url"))

        def named(key: str, written: str | None) -> FileReference | None:
            return None if written is None else self._file(written, self._place(("store", key)))

        return StorePlan(
            url=settings.url,
            path=self._folder / Path(settings.url.path).expanduser(),
            place=place,
            key_files=tuple(
                self._file(written, self._place(("store", "key_files", index)))
                for index, written in enumerate(settings.key_files)
            ),
            password_file=named("password_file", settings.password_file),
            authorities=named("authorities", settings.authorities),
        )

    def _file(self, written: str, place: Place) -> FileReference:
        path = self._folder / Path(written).expanduser()
        return FileReference(path=path, name=str(path), place=place)


def _admin_address(settings: SocketAddress | AdminSettings | None) -> SocketAddress | None:
    return settings.address if isinstance(settings, AdminSettings) else settings


def endpoint_node(root: Node, index: int) -> Mapping | None:
    """Return an endpoint as it stands in the document."""
    endpoints = root.get("endpoints") if isinstance(root, Mapping) else None
    node = endpoints.items[index] if isinstance(endpoints, Sequence) else None
    return node if isinstance(node, Mapping) else None
