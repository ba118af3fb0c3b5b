"""Makes the plan of a store into what opens it: keys read, its file looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from policy.problem import PolicyError, Problem
from proxy.failure import Failure
from proxy.file_checks import file_error, permission_warnings
from proxy.plan import FileReference, StorePlan
from proxy.secret_vaults import SecretVaultError, read_secret
from proxy.store.keys import UnusableKey, read_key
from proxy.store.opening import InFile, InMemory, OnServer, StoreConfig
from proxy.tls import UnusableCertificate, upstream_context

T = TypeVar("T")

NEW_KEY = "make one: openssl rand -base64 32 > FILE"


class StoreAssembler:
    """Reads what a store needs and keeps what is wrong with it."""

    def __init__(self, plan: StorePlan) -> None:
        self._plan = plan
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def config(self) -> StoreConfig:
        """Return what opens the store; with problems it is of no use. Raises Failure."""
        match self._plan.url.kind:
            case "memory":
                return InMemory()
            case "sqlite":
                return self._in_file()
            case "redis":
                return self._on_server()

    def _in_file(self) -> InFile:
        # SQLite takes 1 MB, and one process with a store in memory does without it.
        from proxy.store.sqlite_database import UnusableFile, check_file

        plan = self._plan
        reference = FileReference(path=plan.path, name=str(plan.path), place=plan.place)
        try:
            check_file(plan.path)
        except UnusableFile as error:
            self._add(file_error(reference, f"can't use {reference.name!r}: {error}", error.hint))
        self.warnings += permission_warnings(plan.path, name=reference.name, secret=True)
        config = InFile(path=plan.path, keys=self._keys(plan.key_files))
        if plan.key_files or not config.key_path.exists():
            return config
        beside = FileReference(path=config.key_path, name=str(config.key_path), place=plan.place)
        return InFile(path=plan.path, keys=self._keys((beside,)))

    def _on_server(self) -> OnServer:
        plan, url = self._plan, self._plan.url
        if not plan.key_files and plan.place is None:
            hint = "name it in a configuration file, with its 'key_files': see penstock start"
            raise Failure("a store on a server needs keys that all replicas have", hint=hint)
        password = url.password
        if plan.password_file is not None:
            password = self._read(plan.password_file, read_secret, "look at its content")
        authorities = plan.authorities
        path = None if authorities is None else authorities.path
        if url.is_tls:
            try:
                upstream_context(verify=True, authorities=path)
            except UnusableCertificate as error:
                named = authorities or FileReference(path=error.path, name=str(error.path))
                self._add(file_error(named, error.message, error.hint))
        return OnServer(
            host=url.host,
            port=url.port,
            database=url.database,
            username=url.username,
            password=password,
            keys=self._keys(plan.key_files),
            is_tls=url.is_tls,
            authorities=path,
        )

    def _keys(self, references: tuple[FileReference, ...]) -> tuple[bytes, ...]:
        found = [self._read(each, read_key, NEW_KEY) for each in references]
        return tuple(each for each in found if each is not None)

    def _read(self, reference: FileReference, read: Callable[[Path], T], hint: str) -> T | None:
        self.warnings += permission_warnings(reference.path, name=reference.name, secret=True)
        try:
            return read(reference.path)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            self._add(file_error(reference, f"can't read {reference.name!r}: {reason}", hint))
        except (UnusableKey, SecretVaultError) as error:
            self._add(file_error(reference, f"can't use {reference.name!r}: {error}", hint))
        return None

    def _add(self, error: PolicyError | Failure) -> None:
        if isinstance(error, Failure):
            raise error
        self.problems += error.problems
