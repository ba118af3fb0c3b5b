"""The surroundings that `penstock eval` gives a request: a connection, an endpoint, a clock."""

from __future__ import annotations

import random

from penstock.sample_request import SampleRequest
from policy.exchange import Connection, Endpoint, Exchange, Request, TlsSession
from policy.net import Address
from policy.surroundings import Surroundings

CLIENT_PORT = 50000
LOOPBACK = "127.0.0.1"
# What clients of today negotiate; there is no handshake here to look at.
TLS_VERSION = "1.3"
TLS_CIPHER_SUITE = "TLS_AES_128_GCM_SHA256"
ALPN = "http/1.1"


def exchange_for(
    sample: SampleRequest,
    *,
    client: Address,
    now_ns: int,
    seed: int | None = None,
    keeps_encoded_slashes: bool = False,
) -> Exchange:
    """Make the exchange in which a request arrives; its clock stands still.

    With a `seed`, chance takes the same course every time.
    """
    url = sample.url
    chance = random.Random(seed)  # noqa: S311 - nothing is guarded by a rehearsal
    return Exchange(
        connection=Connection(
            client_ip=str(client),
            client_port=CLIENT_PORT,
            server_ip=LOOPBACK,
            server_port=url.effective_port,
            started_ns=now_ns,
            peer_ip=str(client),
            tls=tls_session(url.host) if url.scheme == "https" else None,
        ),
        endpoint=Endpoint(
            id="ep_eval",
            name="eval",
            url=f"{url.scheme}://{url.authority}",
            protocol=url.scheme,
            host=url.host,
            port=url.effective_port,
            keeps_encoded_slashes=keeps_encoded_slashes,
        ),
        surroundings=Surroundings(
            now_ns=lambda: now_ns,
            random_fraction=chance.random,
            random_integer=chance.randint,
            random_bytes=chance.randbytes,
        ),
    )


def tls_session(server_name: str) -> TlsSession:
    """Return what an ordinary client's handshake settles."""
    return TlsSession(
        version=TLS_VERSION,
        cipher_suite=TLS_CIPHER_SUITE,
        sni=server_name,
        negotiated_alpn=ALPN,
    )


def request_of(sample: SampleRequest, *, now_ns: int) -> Request:
    """Make the request that policies see and change."""
    request = Request(
        method=sample.head.method,
        version=sample.head.version,
        url=sample.url,
        headers=sample.headers,
        received_ns=now_ns,
    )
    request.trailers = sample.trailers
    request.body_received_ns = now_ns if sample.body else None
    return request
