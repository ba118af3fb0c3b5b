"""Makes a plan into something that can serve: policies compiled, certificates loaded.

All or nothing: every problem of every file is found before anything is refused, and what is
refused leaves nothing behind (security P16).
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from actions import LANGUAGE
from policy.compiled import NamedDocument, Policy
from policy.effect import BadDocument, FetchFailed
from policy.exchange import Endpoint, ReadCertificate, no_certificate
from policy.ip_intelligence import NO_INTELLIGENCE, IpIntelligence
from policy.load import LoadOptions, Progress, load_policy, load_policy_node
from policy.problem import PolicyError, Problem, has_errors, sorted_problems
from policy.source import Scalar, parse_embedded
from policy.surroundings import Surroundings
from proxy.admin_token import AdminToken, UnusableToken, read_token
from proxy.documents import document_path, read_document
from proxy.endpoint import ServedEndpoint, UpstreamAddress
from proxy.endpoint_table import EndpointTable
from proxy.file_checks import file_error, permission_warnings, read_document_file
from proxy.plan import (
    CertificatePlan,
    EndpointPlan,
    FileReference,
    InlinePolicy,
    ListenerPlan,
    Plan,
    UpstreamPlan,
    VaultPlan,
)
from proxy.secret_vaults import (
    SecretVaultError,
    SecretVaults,
    read_directory,
    read_environment,
)
from proxy.service import Listener, Runtime
from proxy.settings_types import PublicUrl
from proxy.shown_certificate import shown_by_us
from proxy.store.opening import InMemory, StoreConfig
from proxy.store_assembly import StoreAssembler
from proxy.tls import UnusableCertificate, check_readable, server_context, upstream_context
from proxy.trusted_proxies import TrustedProxies

T = TypeVar("T")

# Policies may draw lots over who gets in, so nobody may foresee them.
CHANCE = secrets.SystemRandom()
CERTIFICATES = ("conn.tls.client.", "conn.tls.server.")
IN_MEMORY = InMemory()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A plan that can be served. `files` are all that a change of would make it another one."""

    plan: Plan
    runtime: Runtime
    listeners: tuple[Listener, ...]
    files: frozenset[Path]
    store: StoreConfig = IN_MEMORY
    admin_token: AdminToken | None = None
    warnings: tuple[Problem, ...] = ()


def assemble(plan: Plan, progress: Progress | None = None) -> Assembly:
    """Read and compile everything a plan names; `progress` is told of each policy's rules.

    Raises PolicyError with the problems of all files, or Failure for what a flag names.
    """
    work = _Assembler(plan, progress)
    work.read_vaults()
    served = hiding_cookies([work.attempt(partial(work.endpoint, each)) for each in plan.endpoints])
    listeners = [work.attempt(partial(work.listener, each)) for each in plan.listeners]
    intelligence = work.attempt(work.intelligence)
    store = work.store()
    admin_token = work.attempt(work.admin_token)
    problems = (*plan.problems, *work.problems, *work.warnings)
    if has_errors(problems):
        raise PolicyError(problems)
    if any(each is not None and reads_certificates(each.policy) for each in served):
        # Now, and not while a request waits for it.
        for listener in filter(None, listeners):
            listener.certificate()
    public = [each for each in zip(plan.endpoints, served, strict=True) if is_public(each[0])]
    runtime = Runtime(
        endpoints=EndpointTable(
            (found for each, found in public if each.url is not None and found is not None),
            catch_all=next((found for each, found in public if each.url is None), None),
        ),
        documents=tuple(
            document.request
            for each in served
            if each is not None
            for document in each.policy.documents
        ),
        trusted_proxies=TrustedProxies(plan.trusted_proxies),
        limits=plan.limits,
        server_region=plan.server_region,
        surroundings=Surroundings(
            now_ns=time.time_ns,
            random_fraction=CHANCE.random,
            random_integer=CHANCE.randint,
            random_bytes=secrets.token_bytes,
            ip_policies=plan.ip_policies,
            oauth_providers=plan.oauth_providers,
            intelligence=intelligence or NO_INTELLIGENCE,
            secret=work.vaults.get,
        ),
    )
    return Assembly(
        plan=plan,
        runtime=runtime,
        listeners=tuple(each for each in listeners if each is not None),
        files=frozenset((*plan.files, *work.files)),
        store=store,
        admin_token=admin_token,
        warnings=sorted_problems(problems),
    )


def hiding_cookies(served: Sequence[ServedEndpoint | None]) -> list[ServedEndpoint | None]:
    """Have endpoints keep others' cookies from their upstreams too (T-CK-1, T-CK-2).

    A browser shows the cookie of a login that a domain shares to every host in it.
    """
    sites = [own for each in served if each is not None for own in each.policy.sites()]

    def hiding(each: ServedEndpoint) -> ServedEndpoint:
        shown = (own.site.shared_cookies(own.step.config.sample, each.endpoint) for own in sites)
        cookies = each.policy.own_cookies.union(*shown)
        return replace(each, policy=each.policy.with_other(own_cookies=cookies))

    return [each and hiding(each) for each in served]


def reads_certificates(policy: Policy) -> bool:
    """Tell whether a policy asks for a certificate, of whichever side."""
    return any(name.startswith(CERTIFICATES) for name in policy.variables)


def is_public(endpoint: EndpointPlan) -> bool:
    """Tell whether clients reach an endpoint; `*.internal` is for other endpoints' policies."""
    return endpoint.url is None or not endpoint.url.is_internal


class _Assembler:
    """Reads a plan's parts one by one and keeps what is wrong with each."""

    def __init__(self, plan: Plan, progress: Progress | None) -> None:
        self._plan = plan
        self._progress = progress
        self.files: set[Path] = set()
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.vaults = SecretVaults({})
        # One context per setting: connections are shared between upstreams that have the same.
        self._upstream_contexts: dict[tuple[bool, Path | None], ssl.SSLContext] = {}

    def attempt(self, part: Callable[[], T]) -> T | None:
        """Make one part; None, and its problems kept, when it can't be made."""
        try:
            return part()
        except PolicyError as error:
            self.problems.extend(error.problems)
            return None

    def endpoint(self, plan: EndpointPlan) -> ServedEndpoint:
        """Compile an endpoint's policy and prepare its upstream."""
        face = endpoint_face(plan, self._plan.listeners[0])
        policy = self._policy(plan)
        self.warnings.extend(policy.warnings)
        self._check_sites(policy, face)
        if policy.holds_secrets:
            self._check_readers(plan.policy)
        for document in policy.documents:
            self._check_document(document)
        upstream = None if plan.upstream is None else self._upstream(plan.upstream)
        return ServedEndpoint(endpoint=face, policy=policy, upstream=upstream)

    def _check_sites(self, policy: Policy, face: Endpoint) -> None:
        """Ask actions with paths of their own about the endpoint. Raises PolicyError."""
        problems = [
            lint.problem(own.step.config.places(lint.path))
            for own in policy.sites()
            for lint in own.site.lint_endpoint(own.step.config.sample, face)
        ]
        if has_errors(problems):
            raise PolicyError(problems)
        self.warnings += problems

    def read_vaults(self) -> None:
        """Read all secrets; policies are checked against them."""
        read = {
            name: self.attempt(partial(self._vault, vault))
            for name, vault in self._plan.vaults.items()
        }
        self.vaults = SecretVaults({name: secrets or {} for name, secrets in read.items()})

    def _vault(self, plan: VaultPlan) -> dict[str, str]:
        if plan.directory is None:
            return read_environment(plan.environment)
        folder = plan.directory
        try:
            found = read_directory(folder.path)
        except SecretVaultError as error:
            message = f"can't use {str(error.path)!r}: {error}"
            raise file_error(folder, message, "name a folder with one secret a file") from None
        self.files.update(folder.path / name for name in found)
        return found

    def store(self) -> StoreConfig:
        """Read what the store needs; its problems are kept."""
        work = StoreAssembler(self._plan.store)
        config = work.config()
        self.problems += work.problems
        self.warnings += work.warnings
        return config

    def admin_token(self) -> AdminToken | None:
        """Read the token of the admin listener; None where there is none."""
        file = self._plan.admin_token
        if file is None:
            return None
        self.files.add(file.path)
        self.warnings.extend(permission_warnings(file.path, name=file.name, secret=True))
        try:
            return AdminToken.of(read_token(file.path))
        except UnusableToken as error:
            message = f"can't use {file.name!r}: {error}"
            raise file_error(file, message, "make one: openssl rand -base64 32 > FILE") from None

    def intelligence(self) -> IpIntelligence:
        """Open the databases about addresses."""
        plan = self._plan.ip_intelligence
        named = [each for each in (plan.city, plan.asn, plan.categories) if each is not None]
        if not named:
            return NO_INTELLIGENCE
        # Its libraries take 2 MB, which only a process with databases shall pay for.
        from proxy.ip_databases import IpDatabaseError, load_ip_databases

        self.files.update(each.path for each in named)
        if plan.categories is not None:
            self.files.update(plan.categories.path.glob("*.txt"))
        try:
            return load_ip_databases(
                city=plan.city.path if plan.city else None,
                asn=plan.asn.path if plan.asn else None,
                categories=plan.categories.path if plan.categories else None,
            )
        except IpDatabaseError as error:
            # A file inside the folder of categories is blamed on the setting that names it.
            blamed = next(each for each in named if each.path in (error.path, *error.path.parents))
            message = f"can't use {str(error.path)!r}: {error}"
            raise file_error(blamed, message, "replace the file, or remove this line") from None

    def listener(self, plan: ListenerPlan) -> Listener | None:
        """Load a listener's certificate; None when it can't be used."""
        tls = None if plan.certificate is None else self._certificate(plan.certificate)
        if plan.certificate is not None and tls is None:
            return None
        return Listener(
            host=plan.address.host,
            port=plan.address.port,
            tls=tls,
            certificate=_shown_by_us(plan.certificate),
            proxy_protocol=plan.proxy_protocol,
        )

    def _check_readers(self, policy: FileReference | InlinePolicy | None) -> None:
        """Warn, once for each file, of one with secrets that others can read."""
        file = policy.file if isinstance(policy, InlinePolicy) else policy
        if file is not None:
            known = {(each.code, each.place.file) for each in self._plan.problems}
            known.update((each.code, each.place.file) for each in self.warnings)
            for each in permission_warnings(file.path, name=file.name, secret=True):
                if (each.code, file.name) not in known:
                    self.warnings.append(each)

    def _policy(self, plan: EndpointPlan) -> Policy:
        options = LoadOptions(
            must_answer=plan.upstream is None,
            ip_policies=frozenset(self._plan.ip_policies),
            known_secret=lambda vault, name: self.vaults.get(vault, name) is not None,
            progress=self._progress,
        )
        match plan.policy:
            case None:
                return Policy(name="")
            case InlinePolicy(node=Scalar(value=str()) as text, name=name):
                tree = parse_embedded(text)
                return load_policy_node(
                    tree.root,
                    name=name,
                    language=LANGUAGE,
                    options=options,
                    problems=tree.problems,
                )
            case InlinePolicy(node=node, name=name):
                return load_policy_node(node, name=name, language=LANGUAGE, options=options)
            case FileReference() as reference:
                self.files.add(reference.path)
                self.warnings.extend(
                    permission_warnings(reference.path, name=reference.name, secret=False)
                )
                data = read_document_file(reference)
                return load_policy(data, name=reference.name, language=LANGUAGE, options=options)

    def _check_document(self, document: NamedDocument) -> None:
        """Read a document of the operator's own now, so that a mistake in it shows now."""
        path = document_path(document.request.url)
        if path is None:
            return
        self.files.add(path)
        reference = FileReference(path=path, name=str(path), place=document.place)
        content = read_document(path)
        if isinstance(content, FetchFailed):
            hint = "check the path and its permissions"
            raise file_error(reference, f"can't read {str(path)!r}", hint)
        try:
            document.request.parse(content)
        except BadDocument as error:
            message = f"{str(path)!r} can't be used: {error.reason}"
            raise file_error(reference, message, "look at its content") from None

    def _upstream(self, plan: UpstreamPlan) -> UpstreamAddress:
        target = plan.target
        return UpstreamAddress(
            scheme=target.scheme,
            host=target.host,
            port=target.port,
            base_path=target.base_path,
            tls=self._upstream_context(plan) if target.scheme == "https" else None,
        )

    def _upstream_context(self, plan: UpstreamPlan) -> ssl.SSLContext:
        authorities = plan.authorities
        path = None if authorities is None else authorities.path
        key = (plan.verify, path)
        if key not in self._upstream_contexts:
            if path is not None:
                self.files.add(path)
            try:
                context = upstream_context(verify=plan.verify, authorities=path)
            except UnusableCertificate as error:
                named = authorities or FileReference(path=error.path, name=str(error.path))
                raise file_error(named, error.message, error.hint) from None
            self._upstream_contexts[key] = context
        return self._upstream_contexts[key]

    def _certificate(self, plan: CertificatePlan) -> ssl.SSLContext | None:
        certificate, key, client_ca = plan.certificate, plan.private_key, plan.client_ca
        named = [(certificate, "certificate"), (key, "private key")]
        if client_ca is not None:
            named.append((client_ca, "authority file"))
        self.files.update(reference.path for reference, _ in named)
        self.warnings.extend(permission_warnings(key.path, name=key.name, secret=True))
        readable = [
            self.attempt(partial(_check_readable, reference, what)) for reference, what in named
        ]
        if None in readable:
            return None
        try:
            return server_context(
                certificate.path,
                key.path,
                client_ca=None if client_ca is None else client_ca.path,
                requires_client=plan.requires_client,
            )
        except UnusableCertificate as error:
            blamed = next(each for each, _ in named if each.path == error.path)
            raise file_error(blamed, error.message, error.hint) from None


def _check_readable(reference: FileReference, what: str) -> Path:
    try:
        check_readable(reference.path, what)
    except UnusableCertificate as error:
        raise file_error(reference, error.message, error.hint) from None
    return reference.path


def _shown_by_us(plan: CertificatePlan | None) -> ReadCertificate:
    return no_certificate if plan is None else shown_by_us(plan.certificate.path)


def endpoint_face(plan: EndpointPlan, listener: ListenerPlan) -> Endpoint:
    """Return an endpoint as policies see it; one without URL has its listener's address."""
    scheme = "https" if listener.certificate else "http"
    address = listener.address
    url = plan.url or PublicUrl(f"{scheme}://{address}", scheme, address.host, address.port)
    return Endpoint(
        # Opaque, and the same after a restart: events of one endpoint stay together.
        id=f"ep_{hashlib.blake2s(plan.name.encode(), digest_size=12).hexdigest()}",
        name=plan.name,
        url=url.text,
        protocol=url.scheme,
        host=url.host,
        port=url.port,
        keeps_encoded_slashes=plan.keeps_encoded_slashes,
    )
