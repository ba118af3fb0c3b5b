"""Opens the store that a configuration names, in the process that uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias, assert_never

from proxy.failure import Failure
from proxy.store.interface import Store
from proxy.store.keys import UnusableKey, make_key
from proxy.store.memory import ProcessMemory
from proxy.store.sealed import Seal
from proxy.store.shared_memory import SharedMemory
from proxy.store.sqlite_file import SqliteFile, SteadyClock

Say: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class InMemory:
    """Records are gone with the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFile:
    """Records in a SQLite file. Without `keys` there is no file `key_path` yet."""

    path: Path
    keys: tuple[bytes, ...] = field(repr=False)

    @property
    def key_path(self) -> Path:
        """Return where the key is that is made when none is named."""
        return self.path.with_name(f"{self.path.name}.key")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnServer:
    """Records on a server that speaks Redis' protocol."""

    host: str
    port: int
    database: int
    username: str | None
    password: str | None = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    is_tls: bool = False
    authorities: Path | None = None


StoreConfig: TypeAlias = InMemory | InFile | OnServer


def with_key(config: StoreConfig, say: Say) -> StoreConfig:
    """Make the key of a file that has none yet, once, before there are several processes.

    Raises Failure.
    """
    if not isinstance(config, InFile) or config.keys:
        return config
    path = config.key_path
    try:
        key = make_key(path)
    except (OSError, UnusableKey) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "check the folder's permissions, or name a file under store: {key_files: [...]}"
        raise Failure(f"can't make the store's key {str(path)!r}: {reason}", hint=hint) from None
    say(f"penstock: the store's key is in {path}: keep it with the store, and from others")
    return replace(config, keys=(key,))


def open_store(config: StoreConfig, shared: SharedMemory | None, say: Say) -> Store:
    """Open a store; `shared` is what several processes have in place of memory of their own."""
    match config:
        case InMemory():
            if shared is None:
                return ProcessMemory()
            return _in_file(shared.file(), say)
        case InFile(path=path, keys=keys):
            return _in_file(SqliteFile(path=path, seal=Seal(keys), now=SteadyClock()), say)
        case OnServer():
            # The client library takes a while to import, and most do without it.
            from proxy.store.redis import RedisStore
            from proxy.store.redis_server import RedisAddress

            address = RedisAddress(
                host=config.host,
                port=config.port,
                database=config.database,
                username=config.username,
                password=config.password,
                is_tls=config.is_tls,
                authorities=config.authorities,
            )
            return RedisStore(address, Seal(config.keys), say=say)
        case _:
            assert_never(config)


def _in_file(file: SqliteFile, say: Say) -> Store:
    # SQLite takes 1 MB, and one process with a store in memory does without it.
    from proxy.store.sqlite import SqliteStore

    return SqliteStore(file, say=say)
