"""Answers Fetch: one HTTP client for every call that actions ask for, bounded in every way.

No redirects, no cookies, no decompression, no proxy from the environment; https, or http to a
literal loopback address; a limit on the answer and on the time it takes (T-SS-1 to T-SS-4).
"""

from __future__ import annotations

import asyncio
import ssl
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from policy.effect import Fetch, Fetched, FetchFailed
from policy.forwarding import LOOP_NAME
from proxy.outbound import BlockedAddress, guarded_socket, may_connect, trusted_socket

CONNECTIONS: Final = 20
# One that comes back to a listener of ours is recognised there (T-SS-5). A fetch on behalf of a
# request states how often that has come by, with a CDN-Loop of its own.
HEADERS: Final = {
    "User-Agent": "penstock",
    "Accept-Encoding": "identity",
    "CDN-Loop": LOOP_NAME,
}

URL_REFUSED: Final = "url-refused"
ADDRESS_BLOCKED: Final = "address-blocked"
TIMED_OUT: Final = "timed-out"
TOO_LARGE: Final = "answer-too-large"
ENCODED: Final = "answer-encoded"
NOT_CONNECTED: Final = "not-connected"
TLS_FAILED: Final = "tls-failed"
BROKEN_ANSWER: Final = "answer-broken"


class Fetcher:
    """Makes requests. Hosts that a policy names and hosts from requests share no connection."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        """Prepare; `tls` replaces the system's authorities."""
        self._tls = tls
        # Any: aiohttp's sessions, by whether the host is trusted. It is imported when it is
        # needed, because that takes a fifth of a second, and most policies do without it.
        self._sessions: dict[bool, Any] = {}

    async def fetch(self, fetch: Fetch) -> Fetched | FetchFailed:
        """Make one request; says what went wrong instead of raising."""
        refused = _refused(fetch)
        if refused is not None:
            return FetchFailed(reason=refused)
        import aiohttp

        try:
            async with asyncio.timeout(fetch.timeout_s):
                return await self._request(fetch)
        except TimeoutError:
            return FetchFailed(reason=TIMED_OUT)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return FetchFailed(reason=_reason(error))

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def _request(self, fetch: Fetch) -> Fetched | FetchFailed:
        session = self._session(is_host_trusted=fetch.is_host_trusted)
        async with session.request(
            fetch.method,
            fetch.url,
            headers=fetch.headers,
            data=fetch.body or None,
            allow_redirects=False,
        ) as answer:
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                return FetchFailed(reason=ENCODED)
            body = bytearray()
            async for piece in answer.content.iter_any():
                body += piece
                if len(body) > fetch.limit_bytes:
                    return FetchFailed(reason=TOO_LARGE)
            return Fetched(
                status_code=answer.status,
                headers=tuple(answer.headers.items()),
                body=bytes(body),
            )

    def _session(self, *, is_host_trusted: bool) -> Any:
        import aiohttp

        session = self._sessions.get(is_host_trusted)
        if session is None:
            session = self._sessions[is_host_trusted] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS,
                    ssl=self._tls or True,
                    socket_factory=trusted_socket if is_host_trusted else guarded_socket,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers=HEADERS,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return session


def _refused(fetch: Fetch) -> str | None:
    """Return why a URL is not even tried."""
    try:
        parts = urlsplit(fetch.url)
        host = parts.hostname or ""
    except ValueError:
        return URL_REFUSED
    if not host or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return URL_REFUSED
    try:
        literal = ip_address(host)
    except ValueError:
        return None if parts.scheme == "https" else URL_REFUSED
    if parts.scheme == "http" and not literal.is_loopback:
        return URL_REFUSED
    if not may_connect(host, is_host_trusted=fetch.is_host_trusted):
        return ADDRESS_BLOCKED
    return None


def _reason(error: Exception) -> str:
    import aiohttp

    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, BlockedAddress):
        return ADDRESS_BLOCKED
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return TLS_FAILED
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return NOT_CONNECTED
    return BROKEN_ANSWER
