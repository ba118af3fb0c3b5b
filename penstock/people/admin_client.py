"""Asks a running Penstock's admin listener, and says what is wrong where it can't be asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from policy.net import AddressError, parse_address
from proxy.failure import Failure
from proxy.settings_types import SocketAddress

TIMEOUT_S: Final = 15.0
MAX_ANSWER: Final = 16 * 1024 * 1024
MOST_ROUNDS: Final = 10
EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - reached, not listened on

Entry: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminClient:
    """Where the listener is, and the token that it wants to see."""

    address: SocketAddress
    token: str = field(repr=False)

    def everything(self, path: str, name: str) -> Iterator[Entry]:
        """Go through all entries of a listing, each once. Raises Failure.

        What is in use while we turn pages moves to the front, past where we are: so we go through
        them again until there is nothing new.
        """
        seen: set[str] = set()
        for _ in range(MOST_ROUNDS):
            pages, known = 0, len(seen)
            for page in self._pages(path, name):
                pages += 1
                fresh = [each for each in page if each["id"] not in seen]
                seen.update(each["id"] for each in fresh)
                yield from fresh
            if pages <= 1 or len(seen) == known:
                return

    def delete(self, path: str) -> bool:
        """Delete one thing; False if there is no such thing. Raises Failure."""
        status, content = self._ask("DELETE", path)
        if status == 404 and content.get("error") == "not-found":
            return False
        self._expect(status, content, 204)
        return True

    def _pages(self, path: str, name: str) -> Iterator[list[Entry]]:
        following: str | None = path
        while following is not None:
            status, content = self._ask("GET", following)
            self._expect(status, content, 200)
            if content[name] or content["next_page_uri"]:
                yield content[name]
            uri = content["next_page_uri"]
            # Only the path: the token is for nobody but the listener that we were told of.
            following = None if uri is None else f"{urlsplit(uri).path}?{urlsplit(uri).query}"

    def _ask(self, method: str, path: str) -> tuple[int, Entry]:
        host, port = self.address
        connection = HTTPConnection(EVERYWHERE.get(host, host), port, timeout=TIMEOUT_S)
        # It answers to addresses and to this name only, whatever others call it.
        own = host if _is_address(host) else "localhost"
        fields = {
            "Host": str(SocketAddress(own, port)),
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
        }
        try:
            connection.request(method, path, headers=fields)
            answer = connection.getresponse()
            return answer.status, _content(answer.read(MAX_ANSWER))
        except (OSError, HTTPException) as error:
            raise Failure(
                f"the admin listener at {self.address} can't be asked: {_reason(error)}",
                hint="is Penstock running, and is that its 'admin' address?",
            ) from None
        finally:
            connection.close()

    def _expect(self, status: int, content: Entry, wanted: int) -> None:
        if status == wanted:
            return
        error = content.get("error")
        if error in PROBLEMS:
            message, hint = PROBLEMS[error]
            raise Failure(message.format(address=self.address), hint=hint)
        told = content.get("message") or "that is no admin listener of Penstock's"
        raise Failure(f"{self.address} answers {status}: {told}")


PROBLEMS: Final = {
    "token-refused": (
        "the admin listener at {address} does not take this token",
        "it takes the one in the file that 'token_file' names, as it was last loaded",
    ),
    "no-token-file": (
        "the admin listener at {address} does not show users and sessions",
        "write admin: {address: HOST:PORT, token_file: FILE} into penstock.yml",
    ),
    "store-unavailable": (
        "the store can't be asked at the moment, so nothing is known and nothing was ended",
        "what Penstock writes to standard error says why",
    ),
}


def _content(body: bytes) -> Entry:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _is_address(host: str) -> bool:
    try:
        return bool(parse_address(host))
    except AddressError:
        return False


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
