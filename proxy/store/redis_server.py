"""One Redis or Valkey server: connects, gets in, connects again, and says when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from policy.store import StoreUnavailable
from proxy.store import failures
from proxy.store.failures import Failures

TIMEOUT_S: Final = 2.0
FIRST_LOOK_S: Final = 0.25
LONGEST_LOOK_S: Final = 2.0
CONNECTIONS: Final = 16

# What a command ends with instead of an answer.
TROUBLE: Final = (exceptions.RedisError, OSError, TimeoutError)

# The first that an error is one of says what is wrong. An answer that is no answer to what was
# asked comes as an InvalidResponse.
REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (exceptions.OutOfMemoryError, failures.FULL),
    (exceptions.TimeoutError, failures.TOO_SLOW),
    (TimeoutError, failures.TOO_SLOW),
    (exceptions.BusyLoadingError, failures.UNREACHABLE),
    (exceptions.MasterDownError, failures.UNREACHABLE),
    (exceptions.AuthenticationError, failures.REFUSED),
    (exceptions.AuthorizationError, failures.REFUSED),
    (exceptions.ConnectionError, failures.UNREACHABLE),
    (exceptions.InvalidResponse, failures.UNREACHABLE),
    (exceptions.ResponseError, failures.REFUSED),
    (OSError, failures.UNREACHABLE),
)
# Answers that have no class of their own, by the word that they begin with.
WORDS: Final = {"MISCONF": failures.FULL, "BUSY": failures.TOO_SLOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """Where a server is, and how to get in. Without `is_tls` everything passes as it is.

    `authorities` is a PEM file to trust in place of the system's.
    """

    host: str
    port: int
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    is_tls: bool = False
    authorities: Path | None = None


class Script:
    """A Lua script with one key; the server knows it by its digest once it has seen it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class RedisServer:
    """A server that may be there or not."""

    def __init__(self, address: RedisAddress, *, say: Callable[[str], None]) -> None:
        """Prepare; it is connected to when it is needed first."""
        self.failures = Failures(say)
        self._client = Redis(connection_pool=connection_pool(address))
        # Any: the scripts as the library has them, which does not type them.
        self._scripts: dict[Script, Any] = {}
        self._connecting: asyncio.Task[None] | None = None
        # Set while the last attempt to connect has failed: nobody waits for the next one.
        self.away: StoreUnavailable | None = None

    async def ask(self, *parts: bytes) -> Any:
        """Return the answer to a command. Raises one of TROUBLE."""
        return await self._client.execute_command(*parts)  # type: ignore[no-untyped-call]

    async def run(self, script: Script, *arguments: bytes) -> Any:
        """Return what a script with one key, the first argument, returns. Raises like `ask`."""
        known = self._scripts.get(script)
        if known is None:
            known = self._scripts[script] = self._client.register_script(script.text)
        key, *rest = arguments
        return await known(keys=[key], args=rest)

    def connect(self) -> None:
        """Begin to look for the server, unless that is going on, until it answers."""
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._keep_trying(), name="store")

    def note(self, error: Exception) -> StoreUnavailable:
        """Count a request that met trouble, say what it was, and look for the server again."""
        reason = reason_of(error)
        if reason in (failures.UNREACHABLE, failures.TOO_SLOW) and self.away is None:
            self.connect()
        return self.failures.failed(reason, detail_of(error))

    async def close(self) -> None:
        """Hang up; nothing can be asked any more."""
        self.away = StoreUnavailable(reason=failures.STOPPED)
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        await self._client.aclose()

    async def _keep_trying(self) -> None:
        pause_s = FIRST_LOOK_S
        while True:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    await self.ask(b"PING")
            except TROUBLE as error:
                self.away = self.failures.failed(reason_of(error), detail_of(error), 0)
            else:
                self.away = None
                self.failures.succeeded()
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_LOOK_S)


def connection_pool(address: RedisAddress) -> BlockingConnectionPool:
    """Return the connections to a server. Nothing is sent twice: most of it must not be."""
    settings: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "db": address.database,
        "username": address.username,
        "password": address.password,
        "protocol": 2,
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
    }
    if address.is_tls:
        settings |= {
            "connection_class": SSLConnection,
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_ca_certs": None if address.authorities is None else str(address.authorities),
        }
    return BlockingConnectionPool(max_connections=CONNECTIONS, timeout=TIMEOUT_S, **settings)


def reason_of(error: Exception) -> str:
    """Return the stable code of what is wrong."""
    word = str(error).partition(" ")[0]
    if isinstance(error, exceptions.ResponseError) and word in WORDS:
        return WORDS[word]
    return next((reason for kind, reason in REASONS if isinstance(error, kind)), failures.REFUSED)


def detail_of(error: Exception) -> str:
    """Return as much of it as can't hold a password or a record."""
    cause = error.__cause__
    if isinstance(error, exceptions.ResponseError):
        word = str(error).partition(" ")[0]
        return word if word.isalnum() and word.isupper() else type(error).__name__
    if "SSL" in type(cause).__name__ or "certificate" in str(error):
        return f"TLS: {getattr(cause, 'reason', None) or 'failed'}"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(error).__name__
