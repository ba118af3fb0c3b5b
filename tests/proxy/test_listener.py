"""Listeners on real sockets: TLS, the PROXY protocol, admission, bounds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from pathlib import Path
from typing import Any

import pytest
import trustme

from policy.net import NetworkSet
from proxy.failure import Failure
from proxy.limits import Limits
from proxy.listener import open_sockets
from proxy.plan import CertificatePlan, FileReference, ListenerPlan
from proxy.proxy_protocol import V2_START
from tests.proxy.serving import ANY_PORT, LOOPBACK, ask, plan_for, serving, until, upstream

SHOW_CLIENT = """
on_http_request:
  - actions:
      - type: custom-response
        config:
          body: "${conn.client_ip} ${conn.client_port} ${conn.tls.version} ${conn.tls.sni}"
"""
BOUND = {2: "max_connections", 10_000: "max_connections_per_address, 127.0.0.1"}
NOTE_PEERS = """
on_tcp_connect:
  - actions: [{type: log, config: {metadata: {from: "${conn.client_ip}"}}}]
"""
REFUSE_PEERS = """
on_tcp_connect:
  - name: not you
    expressions: ["conn.client_ip == '127.0.0.1'"]
    actions: [{type: deny}]
"""
TRUST_LOOPBACK = NetworkSet.parse(["127.0.0.1/32"])
PROXIED = ListenerPlan(address=ANY_PORT, proxy_protocol=True)
V1 = b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n"
V2 = V2_START + struct.pack("!BBH4s4sHH", 0x21, 0x11, 12, b"\xcb\0\x71\7", b"\x0a\0\0\1", 4711, 443)
V2_LOCAL = V2_START + struct.pack("!BBH", 0x20, 0, 0)


class Site:
    """A certificate for a.test and b.test, and a client that trusts its authority."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("a.test", "b.test")
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)
        certificate_file, key_file = folder / "site.crt", folder / "site.key"
        certificate.cert_chain_pems[0].write_to_path(str(certificate_file))
        certificate.private_key_pem.write_to_path(str(key_file))
        key_file.chmod(0o600)
        self.files = CertificatePlan(
            certificate=FileReference(path=certificate_file, name="site.crt"),
            private_key=FileReference(path=key_file, name="site.key"),
        )

    def listener(self, *, proxy_protocol: bool = False) -> ListenerPlan:
        return ListenerPlan(address=ANY_PORT, certificate=self.files, proxy_protocol=proxy_protocol)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


async def test_a_plain_listener_serves() -> None:
    async with upstream() as behind, serving(plan_for(behind.port)) as running:
        status, answer = await ask(running.port)
        assert status == 200
        assert answer.endswith("upstream")


async def test_tls_is_terminated_and_described(site: Site) -> None:
    async with serving(plan_for(1, SHOW_CLIENT, site.listener())) as running:
        status, answer = await ask(
            running.port, host="a.test", ssl=site.client, server_hostname="a.test"
        )
    assert status == 200
    assert answer.endswith("1.3 a.test")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_old_tls_is_refused_and_recorded(site: Site) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(plan_for(1, SHOW_CLIENT, site.listener())) as running:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await ask(running.port, ssl=old, server_hostname="a.test")
        event = await running.event(lambda _: True)
    assert event["event_type"] == "tcp_connection_closed.v0"
    assert event["object"]["decision"]["reason"] == "tls-handshake-failed"


async def test_a_renewed_certificate_is_used_after_a_reload(tmp_path: Path) -> None:
    old = Site(tmp_path)
    plan = plan_for(1, SHOW_CLIENT, old.listener())
    async with serving(plan) as running:
        tls: dict[str, Any] = {"host": "a.test", "server_hostname": "a.test"}
        assert (await ask(running.port, ssl=old.client, **tls))[0] == 200
        new = Site(tmp_path)
        await until(lambda: any("loaded anew" in message for message in running.said))
        assert (await ask(running.port, ssl=new.client, **tls))[0] == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask(running.port, ssl=old.client, **tls)


async def test_plain_http_on_a_tls_listener_is_closed(site: Site) -> None:
    async with serving(plan_for(1, SHOW_CLIENT, site.listener())) as running:
        assert (await ask(running.port))[0] == 0


async def test_a_host_other_than_the_server_name_is_misdirected(site: Site) -> None:
    """T-TL-2."""
    async with serving(plan_for(1, SHOW_CLIENT, site.listener())) as running:
        status, _ = await ask(
            running.port, host="b.test", ssl=site.client, server_hostname="a.test"
        )
    assert status == 421


@pytest.mark.parametrize(
    ("header", "client"),
    [(V1, "203.0.113.7 4711"), (V2, "203.0.113.7 4711"), (V2_LOCAL, "127.0.0.1"),
     (b"PROXY UNKNOWN\r\n", "127.0.0.1")],
    ids=["v1", "v2", "v2 LOCAL is the peer", "v1 UNKNOWN is the peer"],
)  # fmt: skip
async def test_a_trusted_proxy_names_the_client(header: bytes, client: str) -> None:
    plan = plan_for(1, SHOW_CLIENT, PROXIED, trusted_proxies=TRUST_LOOPBACK)
    async with serving(plan) as running:
        status, answer = await ask(running.port, before=header)
    assert status == 200
    assert answer.rpartition("\r\n\r\n")[2].startswith(client)


async def test_a_proxy_header_may_come_byte_by_byte() -> None:
    plan = plan_for(1, SHOW_CLIENT, PROXIED, trusted_proxies=TRUST_LOOPBACK)
    async with serving(plan) as running:
        reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(V1)):
            writer.write(V1[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert b"203.0.113.7 4711" in answer


async def test_x_forwarded_for_behind_a_proxy_header_is_the_clients_own_writing() -> None:
    """T-IP-3 and T-IP-4: one source decides."""
    plan = plan_for(1, SHOW_CLIENT, PROXIED, trusted_proxies=TRUST_LOOPBACK)
    async with serving(plan) as running:
        _, answer = await ask(
            running.port, before=V1, host="a.test\r\nX-Forwarded-For: 198.51.100.99"
        )
    assert "203.0.113.7" in answer
    assert "198.51.100.99" not in answer


HOSTILE = [
    pytest.param(b"", "proxy-header-malformed", id="missing"),
    pytest.param(V1 + V1, None, id="twice"),
    pytest.param(b"PROXY TCP4 " + b"1" * 500_000, "proxy-header-malformed", id="endless v1"),
    pytest.param(
        V2[:14] + struct.pack("!H", 14) + V2[16:] + b"\4\xff", "proxy-header-malformed", id="TLV"
    ),
]


@pytest.mark.parametrize(("header", "reason"), HOSTILE)
async def test_a_hostile_proxy_header_closes_the_connection(
    header: bytes, reason: str | None
) -> None:
    """T-IP-4."""
    plan = plan_for(1, SHOW_CLIENT, PROXIED, trusted_proxies=TRUST_LOOPBACK)
    async with serving(plan) as running:
        try:
            status, _ = await ask(running.port, before=header)
        except ConnectionError:
            status = 0
        assert status in {0, 400}
        event = await running.event(lambda _: True)
    if reason is not None:
        assert event["object"]["decision"]["reason"] == reason


async def test_a_proxy_header_from_a_stranger_closes_the_connection() -> None:
    """T-IP-4: also a header that is right in itself."""
    plan = plan_for(1, SHOW_CLIENT, PROXIED, trusted_proxies=NetworkSet.parse(["192.0.2.0/24"]))
    async with serving(plan) as running:
        with contextlib.suppress(ConnectionError):
            assert (await ask(running.port, before=V1))[0] == 0
        event = await running.event(lambda _: True)
    assert event["object"]["decision"]["reason"] == "proxy-header-from-untrusted-peer"


async def test_a_proxy_that_says_nothing_is_given_up() -> None:
    plan = plan_for(
        1, SHOW_CLIENT, PROXIED, trusted_proxies=TRUST_LOOPBACK,
        limits=Limits(first_byte_timeout_s=0.05),
    )  # fmt: skip
    async with serving(plan) as running:
        reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
        assert await reader.read() == b""
        writer.close()
        event = await running.event(lambda _: True)
    assert event["object"]["decision"]["reason"] == "proxy-header-timeout"


async def test_proxy_header_then_tls(site: Site) -> None:
    plan = plan_for(
        1, SHOW_CLIENT, site.listener(proxy_protocol=True), trusted_proxies=TRUST_LOOPBACK
    )
    async with serving(plan) as running:
        sock = socket.create_connection((LOOPBACK, running.port))
        sock.sendall(V2)
        sock.setblocking(False)
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=site.client, server_hostname="a.test"
        )
        writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.endswith(b"203.0.113.7 4711 1.3 a.test")


async def test_on_tcp_connect_refuses_before_the_tls_handshake(site: Site) -> None:
    async with serving(plan_for(1, REFUSE_PEERS, site.listener())) as running:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await ask(running.port, ssl=site.client, server_hostname="a.test")
        event = await running.event(lambda _: True)
        assert len(running.events()) == 1
    decision = event["object"]["decision"]
    assert event["event_type"] == "tcp_connection_closed.v0"
    assert (decision["phase"], decision["rule"]["name"]) == ("on_tcp_connect", "not you")


async def test_what_on_tcp_connect_logs_is_reported_when_the_connection_closes() -> None:
    async with upstream() as behind, serving(plan_for(behind.port, NOTE_PEERS)) as running:
        reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            await reader.readuntil(b"upstream")
        assert {each["event_type"] for each in running.events()} <= {"http_request_complete.v0"}
        writer.close()
        event = await running.event(lambda each: each["event_type"] == "tcp_connection_closed.v0")
        assert len(running.events()) == 3
    closed = event["object"]
    assert closed["traffic_policy"]["logs"] == [{"metadata": {"from": "127.0.0.1"}}]
    assert closed["conn"]["bytes_in"] == 64
    assert closed["conn"]["bytes_out"] > 100
    assert closed["decision"]["reason"] is None


async def test_a_silent_client_over_the_bound_is_closed_without_an_answer() -> None:
    async with serving(plan_for(1, limits=Limits(max_connections=1))) as running:
        first = await asyncio.open_connection(LOOPBACK, running.port)
        second, writer = await asyncio.open_connection(LOOPBACK, running.port)
        assert await asyncio.wait_for(second.read(), 10) == b""
        writer.close()
        first[1].close()


async def test_on_tcp_connect_sees_the_client_that_the_proxy_names() -> None:
    plan = plan_for(1, REFUSE_PEERS + SHOW_CLIENT, PROXIED, trusted_proxies=TRUST_LOOPBACK)
    async with serving(plan) as running:
        assert (await ask(running.port, before=V1))[0] == 200
        with contextlib.suppress(ConnectionError):
            assert (await ask(running.port, before=V2_LOCAL))[0] == 0


@pytest.mark.parametrize(
    "limits", [Limits(max_connections=2), Limits(max_connections_per_address=2)],
    ids=["in all", "of one address"],
)  # fmt: skip
async def test_clients_over_the_bound_get_503_and_others_live_on(limits: Limits) -> None:
    """T-DO-3."""
    async with upstream() as behind, serving(plan_for(behind.port, limits=limits)) as running:
        held = [await asyncio.open_connection(LOOPBACK, running.port) for _ in range(2)]
        for _ in range(3):
            status, answer = await ask(running.port)
            assert status == 503
            assert "\r\nRetry-After: 5\r\n" in answer
        assert [each for each in running.said if "refused" in each] == [
            f"penstock: connections refused: 1 ({BOUND[limits.max_connections]})"
        ]
        reader, writer = held[0]
        writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"upstream")
        # Its place is free again.
        await until_served(running.port)
        for _, each in held:
            each.close()


async def until_served(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                if (await ask(port))[0] == 200:
                    return
            except ConnectionError:
                continue


def test_a_taken_port_is_one_clear_message() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Failure, match=f"can't listen on 127.0.0.1:{port}: another program"):
            open_sockets(LOOPBACK, port)


def test_an_address_of_another_machine_is_one_clear_message() -> None:
    with pytest.raises(Failure, match="this machine has no such address"):
        open_sockets("192.0.2.1", 0)


def test_an_unknown_host_is_one_clear_message() -> None:
    with pytest.raises(Failure, match="unknown host"):
        open_sockets("no-such-host.invalid", 0)


async def test_a_server_can_start_again_at_once_on_its_port() -> None:
    async with upstream() as behind:
        async with serving(plan_for(behind.port)) as first:
            assert (await ask(first.port))[0] == 200
            port = first.port
        for each in open_sockets(LOOPBACK, port):
            each.close()


async def test_out_of_descriptors_the_listener_waits_and_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T-DO-3."""
    async with upstream() as behind, serving(plan_for(behind.port)) as running:
        real = socket.socket.accept
        failures = [OSError(24, "Too many open files")] * 2

        def accept(self: socket.socket) -> tuple[socket.socket, object]:
            if failures and self.getsockname()[1] == running.port:
                raise failures.pop()
            return real(self)

        monkeypatch.setattr(socket.socket, "accept", accept)
        assert (await ask(running.port))[0] == 200
        await until(lambda: not failures)
