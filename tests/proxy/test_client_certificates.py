"""Clients that show a certificate: who gets in, and what policies see of it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from policy.problem import PolicyError
from proxy.assembly import assemble
from proxy.config import read_config
from proxy.plan import CertificatePlan, FileReference, ListenerPlan
from proxy.tls import UnusableCertificate, server_context
from tests.proxy.serving import ANY_PORT, LOOPBACK, PATIENCE_S, plan_for, serving, until

SHOW_CLIENT = """
on_http_request:
  - actions:
      - type: custom-response
        config: {body: "<${conn.tls.client.subject.common_name}|${conn.tls.client.san}>"}
"""
SHOW_SERVER = """
on_http_request:
  - actions:
      - type: custom-response
        config: {body: "${conn.tls.server.san.dns_names.join(' ')}"}
"""
ALICE = "<alice|email:alice@a.test>"
NOBODY = "<|>"


class Site:
    """A server, its clients' authority, and a stranger's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._servers = trustme.CA()
        self.clients, self.strangers = trustme.CA(), trustme.CA()
        own = self._servers.issue_cert("a.test")
        own.private_key_and_cert_chain_pem.write_to_path(str(folder / "site.pem"))
        (folder / "site.pem").chmod(0o600)
        self.clients.cert_pem.write_to_path(str(folder / "clients.crt"))

    def listener(self, *, requires_client: bool) -> ListenerPlan:
        own = FileReference(path=self.folder / "site.pem", name="site.pem")
        authority = FileReference(path=self.folder / "clients.crt", name="clients.crt")
        return ListenerPlan(
            address=ANY_PORT,
            certificate=CertificatePlan(
                certificate=own,
                private_key=own,
                client_ca=authority,
                requires_client=requires_client,
            ),
        )

    def client(self, issuer: trustme.CA | None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._servers.configure_trust(context)
        if issuer is not None:
            issuer.issue_cert("alice@a.test", common_name="alice").configure_cert(context)
        return context


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def answer_to(port: int, client: ssl.SSLContext) -> str:
    """Return the body of the answer; "" where the connection is refused."""
    request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
    try:
        reader, writer = await asyncio.open_connection(
            LOOPBACK, port, ssl=client, server_hostname="a.test"
        )
        writer.write(request)
        # In TLS 1.3 a client learns only after its handshake that it is not welcome.
        text = (await asyncio.wait_for(reader.read(), PATIENCE_S)).decode()
        writer.close()
    except (ssl.SSLError, ConnectionError):
        return ""
    return text.rpartition("\r\n\r\n")[2]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("requires", "issuer", "answer"),
    [
        pytest.param(True, "clients", ALICE, id="required and shown"),
        pytest.param(True, None, "", id="required and not shown"),
        pytest.param(True, "strangers", "", id="required and a stranger's"),
        pytest.param(False, "clients", ALICE, id="requested and shown"),
        pytest.param(False, None, NOBODY, id="requested and not shown"),
        pytest.param(False, "strangers", "", id="requested and a stranger's"),
    ],
)
async def test_a_certificate_decides_who_gets_in(
    site: Site, *, version: ssl.TLSVersion, requires: bool, issuer: str | None, answer: str
) -> None:
    client = site.client(None if issuer is None else getattr(site, issuer))
    client.maximum_version = version
    plan = plan_for(1, SHOW_CLIENT, site.listener(requires_client=requires))
    async with serving(plan) as running:
        assert await answer_to(running.port, client) == answer
        if not answer:
            event = await running.event(lambda _: True)
            assert event["object"]["decision"]["reason"] == "tls-handshake-failed"


async def test_a_resumed_session_keeps_its_certificate_and_gives_it_to_nobody_else(
    site: Site,
) -> None:
    plan = plan_for(1, SHOW_CLIENT, site.listener(requires_client=False))
    async with serving(plan) as running:
        alice, nobody = site.client(site.clients), site.client(None)
        for _ in range(2):
            assert await answer_to(running.port, alice) == ALICE
            assert await answer_to(running.port, nobody) == NOBODY


async def test_a_policy_sees_the_certificate_that_the_server_shows(site: Site) -> None:
    plan = plan_for(1, SHOW_SERVER, site.listener(requires_client=False))
    async with serving(plan) as running:
        assert await answer_to(running.port, site.client(None)) == "a.test"


async def test_a_changed_authority_decides_after_a_reload(site: Site) -> None:
    plan = plan_for(1, SHOW_CLIENT, site.listener(requires_client=True))
    async with serving(plan) as running:
        alice, other = site.client(site.clients), site.client(site.strangers)
        assert await answer_to(running.port, alice) == ALICE
        site.strangers.cert_pem.write_to_path(str(site.folder / "clients.crt"))
        await until(lambda: any("loaded anew" in message for message in running.said))
        assert await answer_to(running.port, other) == ALICE
        assert await answer_to(running.port, alice) == ""


async def test_an_authority_that_is_lost_changes_nothing(site: Site) -> None:
    """T-TL-1: verification is never silently off."""
    plan = plan_for(1, SHOW_CLIENT, site.listener(requires_client=True))
    async with serving(plan) as running:
        (site.folder / "clients.crt").unlink()
        await until(lambda: any("clients.crt" in message for message in running.said))
        assert await answer_to(running.port, site.client(None)) == ""
        assert await answer_to(running.port, site.client(site.clients)) == ALICE


CONFIG = """
listeners:
  - address: 127.0.0.1:0
    tls: {{certificate: site.pem, private_key: site.pem, {more}}}
endpoints: [{{upstream: {{url: 1}}}}]
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param("client_ca: gone.crt", "can't read the authority file", id="missing"),
        pytest.param("client_ca: empty.crt", "holds no certificate authority", id="empty"),
        pytest.param(
            "client_certificates: require", "'client_certificates' without 'client_ca'", id="none"
        ),
        pytest.param("client_ca: clients.crt, client_certificates: optional", "request", id="word"),
    ],
)
def test_an_authority_that_can_not_be_used_keeps_it_from_starting(
    site: Site, more: str, said: str
) -> None:
    """T-TL-1."""
    (site.folder / "empty.crt").write_text("")
    config = site.folder / "penstock.yml"
    config.write_text(CONFIG.format(more=more))
    with pytest.raises(PolicyError, match=said):
        assemble(read_config(config))


@pytest.mark.parametrize(
    ("more", "mode"),
    [
        ("client_ca: clients.crt", ssl.CERT_REQUIRED),
        ("client_ca: clients.crt, client_certificates: require", ssl.CERT_REQUIRED),
        ("client_ca: clients.crt, client_certificates: request", ssl.CERT_OPTIONAL),
    ],
)
def test_the_default_is_to_require_one(site: Site, more: str, mode: ssl.VerifyMode) -> None:
    config = site.folder / "penstock.yml"
    config.write_text(CONFIG.format(more=more))
    (listener,) = assemble(read_config(config)).listeners
    assert listener.tls is not None
    assert listener.tls.verify_mode is mode


def test_a_file_without_authorities_is_told(site: Site) -> None:
    own = site.folder / "site.pem"
    (site.folder / "empty.crt").write_text("")
    with pytest.raises(UnusableCertificate, match="no certificate authority"):
        server_context(own, own, client_ca=site.folder / "empty.crt")
