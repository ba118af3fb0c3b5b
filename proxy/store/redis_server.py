"""One Redis or Valkey server: connects, gets in, connects again, and says when it is away."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from policy.store import StoreUnavailable
from proxy.store import failures
from proxy.store.failures import Failures
from proxy.store.resp import Garbled, RespConnection, ServerError, TooSlow

TIMEOUT_S: Final = 2.0
FIRST_LOOK_S: Final = 0.25
LONGEST_LOOK_S: Final = 2.0
NO_SUCH_SCRIPT: Final = "NOSCRIPT"

# By the word that the server's answer begins with.
REASONS: Final = {
    "OOM": failures.FULL,
    # It can't write its own file, and takes no more until it can.
    "MISCONF": failures.FULL,
    "LOADING": failures.UNREACHABLE,
    "MASTERDOWN": failures.UNREACHABLE,
    "BUSY": failures.TOO_SLOW,
}

# What a command ends with instead of an answer.
TROUBLE: Final = (ServerError, TooSlow, Garbled, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """Where a server is, and how to get in. Without `tls` everything passes as it is."""

    host: str
    port: int
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None


class Script:
    """A Lua script, which the server knows by its digest once it has seen it."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text.encode("ascii")
        # What the protocol uses: a name, nothing that anybody relies on.
        self.digest = hashlib.sha1(self.text, usedforsecurity=False).hexdigest().encode("ascii")


class RedisServer:
    """A server that may be there or not."""

    def __init__(self, address: RedisAddress, *, say: Callable[[str], None]) -> None:
        """Prepare; it is connected to when it is needed first."""
        self._address = address
        self.failures = Failures(say)
        self._connection: RespConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        # Set while the last attempt to connect has failed: nobody waits for the next one.
        self.away: StoreUnavailable | None = None
        self._attempted = asyncio.Event()
        # Why the last attempt to connect has failed.
        self._obstacle: Exception = ConnectionError("not connected")
        self._is_closed = False

    async def ask(self, *parts: bytes) -> Any:
        """Return the answer to a command. Raises one of TROUBLE."""
        connection = self._connection
        if connection is None or not connection.is_open:
            connection = await self._connected()
        return await connection.send(*parts)

    async def run(self, script: Script, *arguments: bytes) -> Any:
        """Return what a script with one key, the first argument, returns. Raises like `ask`."""
        try:
            return await self.ask(b"EVALSHA", script.digest, b"1", *arguments)
        except ServerError as error:
            if error.word != NO_SUCH_SCRIPT:
                raise
        return await self.ask(b"EVAL", script.text, b"1", *arguments)

    def connect(self) -> None:
        """Begin to connect, unless that is going on; it goes on until it succeeds."""
        if self._connecting is None or self._connecting.done():
            self._attempted.clear()
            self._connecting = asyncio.create_task(self._keep_trying(), name="store")

    def note(self, error: Exception) -> StoreUnavailable:
        """Count a request that met trouble, say what it was, and look for the server again."""
        if not isinstance(error, ServerError) and not self._is_closed:
            self.connect()
        return self.failures.failed(reason_of(error), detail_of(error))

    async def close(self) -> None:
        """Hang up; nothing can be asked any more."""
        self._is_closed = True
        self.away = StoreUnavailable(reason=failures.STOPPED)
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._connection is not None:
            self._connection.close()

    async def _connected(self) -> RespConnection:
        """Wait for the first attempt; who comes after it has failed does not wait."""
        if self._is_closed:
            raise ConnectionError("closed")
        self.connect()
        await self._attempted.wait()
        if self._connection is None or not self._connection.is_open:
            raise self._obstacle
        return self._connection

    async def _keep_trying(self) -> None:
        pause_s = FIRST_LOOK_S
        while True:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    self._connection = await self._attempt()
            except TROUBLE as error:
                self._obstacle = error
                self.away = self.failures.failed(reason_of(error), detail_of(error), 0)
            else:
                self.away = None
                self.failures.succeeded()
                return
            finally:
                self._attempted.set()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_LOOK_S)

    async def _attempt(self) -> RespConnection:
        address = self._address
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: RespConnection(timeout_s=TIMEOUT_S),
            address.host,
            address.port,
            ssl=address.tls,
            server_hostname=address.host if address.tls else None,
        )
        try:
            await self._get_in(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _get_in(self, connection: RespConnection) -> None:
        address = self._address
        if address.password is not None:
            names = () if address.username is None else (address.username.encode(),)
            await connection.send(b"AUTH", *names, address.password.encode())
        if address.database:
            await connection.send(b"SELECT", b"%d" % address.database)
        await connection.send(b"PING")


def reason_of(error: Exception) -> str:
    """Return the stable code of what is wrong."""
    if isinstance(error, ServerError):
        return REASONS.get(error.word, failures.REFUSED)
    if isinstance(error, TooSlow | TimeoutError):
        return failures.TOO_SLOW
    return failures.UNREACHABLE


def detail_of(error: Exception) -> str:
    """Return as much of it as can't hold a password or a record."""
    if isinstance(error, ServerError):
        return error.word
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'failed'}"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return type(error).__name__
